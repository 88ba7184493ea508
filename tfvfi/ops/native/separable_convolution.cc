// Convolution with a different separable kernel at every pixel.
//
// The taps of a row of the kernel are applied to contiguous values of the image, pixel by pixel and
// channel by channel. Rows are therefore first blended by the vertical taps, in blocks of such
// values that stay in the nearest cache, and only then weighted by the horizontal taps.

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "kernel.h"
#include "parallel.h"
#include "simd.h"

namespace tfvfi {
namespace {

constexpr int64_t kBlock = 256;
// The numbers of rows and of pixels that are blended at a time.
constexpr int kRows = 3;
constexpr int kGroup = 4;
// The number of rows of the image gradient that one thread sums at a time. They share the values
// that are computed for an output pixel.
constexpr int64_t kBand = 16;

struct Sizes {
  int64_t batch, height, width;  // of the output
  int64_t down, across;          // taps
  int64_t padded_height, padded_width, channels;

  int64_t stride() const { return padded_width * channels; }
};

// Whole pixels, or some channels of a pixel that has more than a block can hold.
struct Block {
  int64_t tap, taps, channel, channels;

  int64_t count() const { return taps * channels; }
};

template <int kChannels, typename Work>
TFVFI_INLINE void ForEachBlock(const Sizes& s, const Work& work) {
  const int64_t all = kChannels ? kChannels : s.channels;
  const int64_t most = std::max<int64_t>(1, kBlock / std::max<int64_t>(all, 1) - kGroup + 1);
  for (int64_t channel = 0; channel < all; channel += kBlock) {
    const int64_t channels = kChannels ? kChannels : std::min(kBlock, all - channel);
    const int64_t step = all > kBlock ? 1 : most;
    for (int64_t tap = 0; tap < s.across; tap += step) {
      work(Block{tap, std::min(step, s.across - tap), channel, channels});
    }
  }
}

// blends[p][e] = sum over rows i of taps[p][i] * pixels[i][e], for kPixels consecutive pixels.
// Their windows overlap, so that all of them use values that are read once.
template <int kPixels>
TFVFI_INLINE void BlendRows(const float* taps, int64_t rows, const float* pixels, int64_t stride,
                            int64_t count, float* __restrict blends) {
  for (int p = 0; p < kPixels; ++p) {
    for (int64_t e = 0; e < count; ++e) blends[p * kBlock + e] = 0;
  }
  int64_t i = 0;
  for (; i + kRows <= rows; i += kRows) {
    float tap[kPixels][kRows];
    for (int p = 0; p < kPixels; ++p) {
      for (int r = 0; r < kRows; ++r) tap[p][r] = taps[p * rows + i + r];
    }
    const float* row = pixels + i * stride;
    for (int64_t e = 0; e < count; ++e) {
      for (int p = 0; p < kPixels; ++p) {
        float sum = blends[p * kBlock + e];
        for (int r = 0; r < kRows; ++r) sum += tap[p][r] * row[r * stride + e];
        blends[p * kBlock + e] = sum;
      }
    }
  }
  for (; i < rows; ++i) {
    for (int p = 0; p < kPixels; ++p) {
      const float tap = taps[p * rows + i];
      for (int64_t e = 0; e < count; ++e) blends[p * kBlock + e] += tap * pixels[i * stride + e];
    }
  }
}

// weights[e] = upstream[channel of e] * taps[tap of e].
template <int kChannels>
TFVFI_INLINE void Weigh(const float* taps, const float* upstream, const Block& block,
                        float* __restrict weights) {
  const int64_t channels = kChannels ? kChannels : block.channels;
  for (int64_t j = 0; j < block.taps; ++j) {
    for (int64_t c = 0; c < channels; ++c) {
      weights[j * channels + c] = upstream[block.channel + c] * taps[block.tap + j];
    }
  }
}

// Computes kPixels consecutive pixels of the output.
template <int kChannels, int kPixels>
TFVFI_INLINE void ConvolvePixels(const Sizes& s, const float* image, const float* vertical,
                                 const float* horizontal, float* out) {
  const int64_t channels = kChannels ? kChannels : s.channels;
  alignas(64) float blends[kPixels * kBlock];
  std::memset(out, 0, sizeof(float) * kPixels * channels);
  ForEachBlock<kChannels>(s, [&](const Block& block) TFVFI_INLINE_LAMBDA {
    const float* from = image + block.tap * channels + block.channel;
    const int64_t count = block.count() + (kPixels - 1) * channels;
    BlendRows<kPixels>(vertical, s.down, from, s.stride(), count, blends);
    for (int p = 0; p < kPixels; ++p) {
      const float* blend = blends + p * (kBlock + channels);
      const float* across = horizontal + p * s.across + block.tap;
      float sums[kChannels ? kChannels : kBlock] = {};
      for (int64_t j = 0; j < block.taps; ++j) {
        for (int64_t c = 0; c < block.channels; ++c) {
          sums[c] += across[j] * blend[j * block.channels + c];
        }
      }
      float* pixel = out + p * channels + block.channel;
      for (int64_t c = 0; c < block.channels; ++c) pixel[c] += sums[c];
    }
  });
}

template <int kChannels>
TFVFI_INLINE void ConvolveRows(const Sizes& s, const float* image, const float* vertical,
                               const float* horizontal, float* out, int64_t begin, int64_t end) {
  const int64_t channels = kChannels ? kChannels : s.channels;
  for (int64_t row = begin; row < end; ++row) {
    const float* frame = image + (row / s.height * s.padded_height + row % s.height) * s.stride();
    int64_t x = 0;
    auto convolve = [&](auto pixels) TFVFI_INLINE_LAMBDA {
      const int64_t at = row * s.width + x;
      ConvolvePixels<kChannels, pixels>(s, frame + x * channels, vertical + at * s.down,
                                        horizontal + at * s.across, out + at * channels);
      x += pixels;
    };
    // In the loop for any number of channels a block may be less than a pixel, and then windows do
    // not overlap.
    while (kChannels && x + kGroup <= s.width) convolve(std::integral_constant<int, kGroup>());
    while (x < s.width) convolve(std::integral_constant<int, 1>());
  }
}

TFVFI_INLINE void ConvolveAny(const Sizes& s, const float* image, const float* vertical,
                              const float* horizontal, float* out, int64_t begin, int64_t end) {
  if (s.channels == 3) return ConvolveRows<3>(s, image, vertical, horizontal, out, begin, end);
  ConvolveRows<0>(s, image, vertical, horizontal, out, begin, end);
}

struct TapGradients {
  float* vertical;
  float* horizontal;
};

template <int kChannels>
TFVFI_INLINE void TapGradientRows(const Sizes& s, const float* image, const float* vertical,
                                  const float* horizontal, const float* upstream, TapGradients out,
                                  int64_t begin, int64_t end) {
  const int64_t channels = kChannels ? kChannels : s.channels;
  float blend[kBlock], weights[kBlock];
  for (int64_t row = begin; row < end; ++row) {
    const float* frame = image + (row / s.height * s.padded_height + row % s.height) * s.stride();
    for (int64_t x = 0; x < s.width; ++x) {
      const int64_t at = row * s.width + x;
      const float* down = vertical + at * s.down;
      const float* above = upstream + at * channels;
      float* down_gradient = out.vertical + at * s.down;
      float* across_gradient = out.horizontal + at * s.across;
      std::memset(down_gradient, 0, sizeof(float) * s.down);
      std::memset(across_gradient, 0, sizeof(float) * s.across);
      ForEachBlock<kChannels>(s, [&](const Block& block) TFVFI_INLINE_LAMBDA {
        const float* from = frame + (x + block.tap) * channels + block.channel;
        const int64_t count = block.count();
        BlendRows<1>(down, s.down, from, s.stride(), count, blend);
        for (int64_t j = 0; j < block.taps; ++j) {
          float sum = 0;
          for (int64_t c = 0; c < block.channels; ++c) {
            sum += above[block.channel + c] * blend[j * block.channels + c];
          }
          across_gradient[block.tap + j] += sum;
        }
        Weigh<kChannels>(horizontal + at * s.across, above, block, weights);
        for (int64_t i = 0; i < s.down; ++i) {
          const float* pixels = from + i * s.stride();
          float sum = 0;
          for (int64_t e = 0; e < count; ++e) sum += weights[e] * pixels[e];
          down_gradient[i] += sum;
        }
      });
    }
  }
}

TFVFI_INLINE void TapGradientAny(const Sizes& s, const float* image, const float* vertical,
                                 const float* horizontal, const float* upstream, TapGradients out,
                                 int64_t begin, int64_t end) {
  if (s.channels == 3) {
    return TapGradientRows<3>(s, image, vertical, horizontal, upstream, out, begin, end);
  }
  TapGradientRows<0>(s, image, vertical, horizontal, upstream, out, begin, end);
}

// Computes rows first to end of the gradient to one frame from the output rows that read them.
template <int kChannels>
TFVFI_INLINE void ImageGradientBand(const Sizes& s, const float* vertical, const float* horizontal,
                                    const float* upstream, float* out, int64_t frame,
                                    int64_t first, int64_t end) {
  const int64_t channels = kChannels ? kChannels : s.channels;
  float* gradient = out + frame * s.padded_height * s.stride();
  std::memset(gradient + first * s.stride(), 0, sizeof(float) * (end - first) * s.stride());
  float weights[kBlock];
  for (int64_t y = std::max<int64_t>(0, first - s.down + 1); y < std::min(end, s.height); ++y) {
    const int64_t begin_tap = std::max<int64_t>(0, first - y), end_tap = std::min(s.down, end - y);
    for (int64_t x = 0; x < s.width; ++x) {
      const int64_t at = (frame * s.height + y) * s.width + x;
      ForEachBlock<kChannels>(s, [&](const Block& block) TFVFI_INLINE_LAMBDA {
        Weigh<kChannels>(horizontal + at * s.across, upstream + at * channels, block, weights);
        const int64_t count = block.count();
        for (int64_t i = begin_tap; i < end_tap; ++i) {
          const float tap = vertical[at * s.down + i];
          float* __restrict pixels =
              gradient + (y + i) * s.stride() + (x + block.tap) * channels + block.channel;
          for (int64_t e = 0; e < count; ++e) pixels[e] += tap * weights[e];
        }
      });
    }
  }
}

TFVFI_INLINE void ImageGradientAny(const Sizes& s, const float* vertical, const float* horizontal,
                                   const float* upstream, float* out, int64_t frame, int64_t first,
                                   int64_t end) {
  if (s.channels == 3) {
    return ImageGradientBand<3>(s, vertical, horizontal, upstream, out, frame, first, end);
  }
  ImageGradientBand<0>(s, vertical, horizontal, upstream, out, frame, first, end);
}

Sizes SizesOf(const Tensor& image, const Tensor& vertical, const Tensor& horizontal) {
  for (int axis = 0; axis < 3; ++axis) {
    Require(vertical.dim(axis) == horizontal.dim(axis), "both rows of taps must agree in size");
  }
  const Sizes s{vertical.dim(0),   vertical.dim(1), vertical.dim(2), vertical.dim(3),
                horizontal.dim(3), image.dim(1),    image.dim(2),    image.dim(3)};
  Require(s.down > 0 && s.across > 0, "there must be taps");
  Require(image.dim(0) == s.batch && s.padded_height == s.height + s.down - 1 &&
              s.padded_width == s.width + s.across - 1,
          "the image must be padded by one pixel less than the taps");
  return s;
}

double RowCost(const Sizes& s) { return 0.05 * s.width * s.down * s.across * s.channels; }

class SeparableConvolution {
 public:
  explicit SeparableConvolution(const Attributes&) {}

  void Compute(const Context& context) const {
    const Tensor image = context.Input4(0);
    const Tensor vertical = context.Input4(1), horizontal = context.Input4(2);
    const Sizes s = SizesOf(image, vertical, horizontal);
    const Tensor out = context.Output(0, {s.batch, s.height, s.width, s.channels});
    ParallelFor(s.batch * s.height, RowCost(s), [&](int64_t begin, int64_t end) {
      Hot<ConvolveAny>::Run(s, image.data(), vertical.data(), horizontal.data(), out.data(), begin,
                            end);
    });
  }
};

class SeparableConvolutionGradient {
 public:
  explicit SeparableConvolutionGradient(const Attributes&) {}

  void Compute(const Context& context) const {
    const Tensor image = context.Input4(0), upstream = context.Input4(3);
    const Tensor vertical = context.Input4(1), horizontal = context.Input4(2);
    const Sizes s = SizesOf(image, vertical, horizontal);
    Require(upstream.shape() == std::vector<int64_t>{s.batch, s.height, s.width, s.channels},
            "upstream must have the shape of the result");
    const Tensor image_gradient = context.Output(0, image.shape());
    const Tensor vertical_gradient = context.Output(1, vertical.shape());
    const Tensor horizontal_gradient = context.Output(2, horizontal.shape());
    const TapGradients tap_gradients{vertical_gradient.data(), horizontal_gradient.data()};
    ParallelFor(s.batch * s.height, 2 * RowCost(s), [&](int64_t begin, int64_t end) {
      Hot<TapGradientAny>::Run(s, image.data(), vertical.data(), horizontal.data(), upstream.data(),
                               tap_gradients, begin, end);
    });
    const int64_t bands = (s.padded_height + kBand - 1) / kBand;
    ParallelFor(s.batch * bands, kBand * RowCost(s), [&](int64_t begin, int64_t end) {
      for (int64_t at = begin; at < end; ++at) {
        const int64_t first = at % bands * kBand;
        Hot<ImageGradientAny>::Run(s, vertical.data(), horizontal.data(), upstream.data(),
                                   image_gradient.data(), at / bands, first,
                                   std::min(first + kBand, s.padded_height));
      }
    });
  }
};

const bool registered =
    Register<SeparableConvolution>({"TfvfiSeparableConvolution",
                                    {"image: float", "vertical: float", "horizontal: float"},
                                    {"filtered: float"},
                                    {},
                                    ShapeAtRunTime});
const bool gradient_registered = Register<SeparableConvolutionGradient>(
    {"TfvfiSeparableConvolutionGradient",
     {"image: float", "vertical: float", "horizontal: float", "upstream: float"},
     {"image_gradient: float", "vertical_gradient: float", "horizontal_gradient: float"},
     {},
     ShapesOfInputs<0, 1, 2>});

}  // namespace
}  // namespace tfvfi
