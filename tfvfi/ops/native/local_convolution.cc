// Convolution with a separate kernel at every pixel.

#include <algorithm>
#include <cstring>

#include "kernel.h"
#include "parallel.h"
#include "simd.h"

namespace tfvfi {
namespace {

struct Sizes {
  int64_t batch, height, width;  // of the output
  int64_t down, across;          // taps
  int64_t padded_height, padded_width, channels;
};

// out[c] += sum over taps of taps[j] * pixels[j, c].
template <int kChannels>
TFVFI_INLINE void AddTaps(const float* taps, const float* pixels, int64_t count, int64_t channels,
                          float* __restrict out) {
  if (kChannels == 0) {
    for (int64_t j = 0; j < count; ++j) {
      for (int64_t c = 0; c < channels; ++c) out[c] += taps[j] * pixels[j * channels + c];
    }
    return;
  }
  float sums[kChannels + 1] = {};
  for (int64_t j = 0; j < count; ++j) {
    for (int c = 0; c < kChannels; ++c) sums[c] += taps[j] * pixels[j * kChannels + c];
  }
  for (int c = 0; c < kChannels; ++c) out[c] += sums[c];
}

template <int kChannels>
TFVFI_INLINE void ConvolveRows(const Sizes& s, const float* image, const float* kernels, float* out,
                               int64_t begin, int64_t end) {
  const int64_t channels = kChannels ? kChannels : s.channels;
  const int64_t stride = s.padded_width * channels;
  for (int64_t row = begin; row < end; ++row) {
    const float* frame = image + (row / s.height * s.padded_height + row % s.height) * stride;
    for (int64_t x = 0; x < s.width; ++x) {
      const float* kernel = kernels + (row * s.width + x) * s.down * s.across;
      float* sums = out + (row * s.width + x) * channels;
      std::memset(sums, 0, sizeof(float) * channels);
      for (int64_t i = 0; i < s.down; ++i) {
        AddTaps<kChannels>(kernel + i * s.across, frame + i * stride + x * channels, s.across,
                           channels, sums);
      }
    }
  }
}

TFVFI_INLINE void ConvolveAny(const Sizes& s, const float* image, const float* kernels, float* out,
                              int64_t begin, int64_t end) {
  if (s.channels == 3) return ConvolveRows<3>(s, image, kernels, out, begin, end);
  ConvolveRows<0>(s, image, kernels, out, begin, end);
}

template <int kChannels>
TFVFI_INLINE void KernelGradientRows(const Sizes& s, const float* image, const float* upstream,
                                     float* out, int64_t begin, int64_t end) {
  const int64_t channels = kChannels ? kChannels : s.channels;
  const int64_t stride = s.padded_width * channels;
  for (int64_t row = begin; row < end; ++row) {
    const float* frame = image + (row / s.height * s.padded_height + row % s.height) * stride;
    for (int64_t x = 0; x < s.width; ++x) {
      const float* above = upstream + (row * s.width + x) * channels;
      float* kernel = out + (row * s.width + x) * s.down * s.across;
      for (int64_t i = 0; i < s.down; ++i) {
        const float* pixels = frame + i * stride + x * channels;
        float* __restrict taps = kernel + i * s.across;
        for (int64_t j = 0; j < s.across; ++j) {
          float sum = 0;
          for (int64_t c = 0; c < channels; ++c) sum += above[c] * pixels[j * channels + c];
          taps[j] = sum;
        }
      }
    }
  }
}

TFVFI_INLINE void KernelGradientAny(const Sizes& s, const float* image, const float* upstream,
                                    float* out, int64_t begin, int64_t end) {
  if (s.channels == 3) return KernelGradientRows<3>(s, image, upstream, out, begin, end);
  KernelGradientRows<0>(s, image, upstream, out, begin, end);
}

// Each row of the image gradient sums the contributions of the output rows that read the row.
template <int kChannels>
TFVFI_INLINE void ImageGradientRows(const Sizes& s, const float* kernels, const float* upstream,
                                    float* out, int64_t begin, int64_t end) {
  const int64_t channels = kChannels ? kChannels : s.channels;
  const int64_t stride = s.padded_width * channels;
  for (int64_t row = begin; row < end; ++row) {
    const int64_t frame = row / s.padded_height, image_y = row % s.padded_height;
    float* sums = out + row * stride;
    std::memset(sums, 0, sizeof(float) * stride);
    const int64_t first = std::max<int64_t>(0, image_y - s.down + 1);
    for (int64_t y = first; y <= std::min(image_y, s.height - 1); ++y) {
      const int64_t at = (frame * s.height + y) * s.width;
      for (int64_t x = 0; x < s.width; ++x) {
        const float* taps = kernels + ((at + x) * s.down + image_y - y) * s.across;
        const float* above = upstream + (at + x) * channels;
        float* __restrict pixels = sums + x * channels;
        for (int64_t j = 0; j < s.across; ++j) {
          for (int64_t c = 0; c < channels; ++c) pixels[j * channels + c] += taps[j] * above[c];
        }
      }
    }
  }
}

TFVFI_INLINE void ImageGradientAny(const Sizes& s, const float* kernels, const float* upstream,
                                   float* out, int64_t begin, int64_t end) {
  if (s.channels == 3) return ImageGradientRows<3>(s, kernels, upstream, out, begin, end);
  ImageGradientRows<0>(s, kernels, upstream, out, begin, end);
}

Sizes SizesOf(const Tensor& image, const Tensor& kernels) {
  Require(kernels.rank() == 5, "kernels must have five dimensions");
  const Sizes s{kernels.dim(0), kernels.dim(1), kernels.dim(2), kernels.dim(3),
                kernels.dim(4), image.dim(1),   image.dim(2),   image.dim(3)};
  Require(s.down > 0 && s.across > 0, "kernels must have taps");
  Require(image.dim(0) == s.batch && s.padded_height == s.height + s.down - 1 &&
              s.padded_width == s.width + s.across - 1,
          "the image must be padded by one pixel less than the taps");
  return s;
}

double RowCost(const Sizes& s) { return 0.3 * s.width * s.down * s.across * s.channels; }

class LocalConvolution {
 public:
  explicit LocalConvolution(const Attributes&) {}

  void Compute(const Context& context) const {
    const Tensor image = context.Input4(0), kernels = context.Input(1);
    const Sizes s = SizesOf(image, kernels);
    const Tensor out = context.Output(0, {s.batch, s.height, s.width, s.channels});
    ParallelFor(s.batch * s.height, RowCost(s), [&](int64_t begin, int64_t end) {
      Hot<ConvolveAny>::Run(s, image.data(), kernels.data(), out.data(), begin, end);
    });
  }
};

class LocalConvolutionGradient {
 public:
  explicit LocalConvolutionGradient(const Attributes&) {}

  void Compute(const Context& context) const {
    const Tensor image = context.Input4(0), kernels = context.Input(1);
    const Tensor upstream = context.Input4(2);
    const Sizes s = SizesOf(image, kernels);
    Require(upstream.shape() == std::vector<int64_t>{s.batch, s.height, s.width, s.channels},
            "upstream must have the shape of the result");
    const Tensor image_gradient = context.Output(0, image.shape());
    const Tensor kernels_gradient = context.Output(1, kernels.shape());
    ParallelFor(s.batch * s.height, RowCost(s), [&](int64_t begin, int64_t end) {
      Hot<KernelGradientAny>::Run(s, image.data(), upstream.data(), kernels_gradient.data(), begin,
                                  end);
    });
    ParallelFor(s.batch * s.padded_height, RowCost(s), [&](int64_t begin, int64_t end) {
      Hot<ImageGradientAny>::Run(s, kernels.data(), upstream.data(), image_gradient.data(), begin,
                                 end);
    });
  }
};

const bool registered = Register<LocalConvolution>({"TfvfiLocalConvolution",
                                                    {"image: float", "kernels: float"},
                                                    {"filtered: float"},
                                                    {},
                                                    ShapeAtRunTime});
const bool gradient_registered =
    Register<LocalConvolutionGradient>({"TfvfiLocalConvolutionGradient",
                                        {"image: float", "kernels: float", "upstream: float"},
                                        {"image_gradient: float", "kernels_gradient: float"},
                                        {},
                                        ShapesOfInputs<0, 1>});

}  // namespace
}  // namespace tfvfi
