// PReLU in one pass: negative values are multiplied by a slope per channel.
//
// Its gradient also sums the gradient to the values over all pixels, which is the gradient to the
// bias of a convolution before it. Pixels are summed in blocks of a fixed size, and then the blocks
// in order, so that the sums do not depend on the number of threads.

#include <algorithm>
#include <cstdint>

#include "kernel.h"
#include "parallel.h"
#include "scratch.h"
#include "simd.h"
#include "vectors.h"

namespace tfvfi {
namespace {

template <class Number>
TFVFI_INLINE void ApplyRows(const Number* values, const float* slope, int64_t channels, Number* out,
                            int64_t begin, int64_t end) {
  for (int64_t pixel = begin; pixel < end; ++pixel) {
    const int64_t first = pixel * channels;
    ForChannels<Vector8>(channels, [&](auto vector, int64_t channel) TFVFI_INLINE_LAMBDA {
      using Vector = decltype(vector);
      const Vector value = Load<Vector>(values + first + channel);
      const Vector scaled = Load<Vector>(slope + channel) * value;
      Store(out + first + channel, value > 0 ? value : scaled);
    });
  }
}

class Prelu {
 public:
  explicit Prelu(const Attributes&) {}

  void Compute(const Context& context) const {
    const Tensor values = context.Input4(0), slope = context.Input(1);
    const int64_t channels = values.dim(3);
    Require(slope.size() == channels, "there must be one slope for each channel");
    const Tensor out = context.Output(0, values.shape(), values.type());
    if (out.size() == 0) return;
    ParallelFor(out.size() / channels, 0.5 * channels, [&](int64_t begin, int64_t end) {
      if (values.type() == TF_FLOAT) {
        Hot<ApplyRows<float>>::Run(values.data(), slope.data(), channels, out.data(), begin, end);
      } else {
        Hot<ApplyRows<Half>>::Run(values.data<Half>(), slope.data(), channels, out.data<Half>(),
                                  begin, end);
      }
    });
  }
};

constexpr int64_t kBlock = 64;

struct Arguments {
  int64_t pixels, channels;
  const void* values;
  const float* slope;
  const void* upstream;
  void* gradient;
  float* sums;  // [block][2][channel]: of the gradient to slopes, and of that to values.
};

template <class Number>
TFVFI_INLINE void GradientBlocks(const Arguments& all, int64_t begin, int64_t end) {
  const int64_t channels = all.channels;
  for (int64_t block = begin; block < end; ++block) {
    const int64_t first = block * kBlock * channels;
    const int64_t last = std::min((block + 1) * kBlock, all.pixels) * channels;
    ForChannels<Vector16>(channels, [&](auto vector, int64_t channel) TFVFI_INLINE_LAMBDA {
      using Vector = decltype(vector);
      const Vector slope = Load<Vector>(all.slope + channel);
      Vector of_slope = {}, of_values = {};
      for (int64_t at = first + channel; at < last; at += channels) {
        const Vector value = Load<Vector>(static_cast<const Number*>(all.values) + at);
        const Vector above = Load<Vector>(static_cast<const Number*>(all.upstream) + at);
        const Vector scaled = slope * above, product = value * above;
        const Vector gradient = value > 0 ? above : scaled;
        of_slope += value > 0 ? Vector{} : product;
        of_values += gradient;
        Store(static_cast<Number*>(all.gradient) + at, gradient);
      }
      float* const sums = all.sums + 2 * block * channels + channel;
      Store(sums, of_slope);
      Store(sums + channels, of_values);
    });
  }
}

class PreluGradient {
 public:
  explicit PreluGradient(const Attributes&) {}

  void Compute(const Context& context) const {
    const Tensor values = context.Input4(0), slope = context.Input(1), upstream = context.Input4(2);
    const int64_t channels = values.dim(3);
    Require(slope.size() == channels, "there must be one slope for each channel");
    Require(upstream.shape() == values.shape(), "upstream must have the shape of the result");
    const Tensor gradient = context.Output(0, values.shape(), values.type());
    const Tensor of_slope = context.Output(1, {channels}), of_values = context.Output(2, {channels});
    std::fill_n(of_slope.data(), channels, 0.0f);
    std::fill_n(of_values.data(), channels, 0.0f);
    if (values.size() == 0) return;
    const int64_t pixels = values.size() / channels, blocks = (pixels + kBlock - 1) / kBlock;
    const auto sums = Allocate<float>(2 * blocks * channels);
    const Arguments all{pixels,           channels,
                        values.data<void>(), slope.data(),
                        upstream.data<void>(), gradient.data<void>(),
                        sums.get()};
    ParallelFor(blocks, 0.5 * kBlock * channels, [&](int64_t begin, int64_t end) {
      if (values.type() == TF_FLOAT) {
        Hot<GradientBlocks<float>>::Run(all, begin, end);
      } else {
        Hot<GradientBlocks<Half>>::Run(all, begin, end);
      }
    });
    for (int64_t block = 0; block < blocks; ++block) {
      const float* const from = sums.get() + 2 * block * channels;
      for (int64_t channel = 0; channel < channels; ++channel) {
        of_slope.data()[channel] += from[channel];
        of_values.data()[channel] += from[channels + channel];
      }
    }
  }
};

const bool registered = Register<Prelu>({"TfvfiPrelu",
                                         {"values: T", "slope: float"},
                                         {"activated: T"},
                                         {"T: {float, bfloat16}"},
                                         ShapesOfInputs<0>});
const bool gradient_registered =
    Register<PreluGradient>({"TfvfiPreluGradient",
                             {"values: T", "slope: float", "upstream: T"},
                             {"gradient: T", "slope_gradient: float", "sum: float"},
                             {"T: {float, bfloat16}"},
                             ShapesOfInputs<0, 1, 1>});

}  // namespace
}  // namespace tfvfi
