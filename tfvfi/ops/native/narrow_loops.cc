#include "narrow_loops.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "isa.h"
#include "products.h"
#include "simd.h"
#include "vectors.h"

namespace tfvfi {
namespace narrow {
namespace {

// Pixels that are summed at once, so that their sums stay in registers.
template <class Version>
constexpr int Pixels(int outputs) {
  return std::min((kLanes<typename Version::Vector> == 16 ? 16 : 8) / outputs, 8);
}

template <class Vector>
TFVFI_INLINE float Sum(Vector values) {
  if constexpr (kLanes<Vector> == 4) {
    return (values[0] + values[1]) + (values[2] + values[3]);
  } else {
    std::conditional_t<kLanes<Vector> == 16, Vector8, Vector4> halves[2];
    std::memcpy(halves, &values, sizeof(values));
    return Sum(halves[0] + halves[1]);
  }
}

// Computes kPixels pixels of a row. Some of them may lie beyond its end, and are not written.
template <class Version, class Number, int kOutputs>
TFVFI_INLINE void ConvolvePixels(const Shapes& shapes, const Data& data, int64_t frame, int64_t row,
                                 int64_t column) {
  using Vector = typename Version::Vector;
  constexpr int kPixels = Pixels<Version>(kOutputs), lanes = kLanes<Vector>;
  const int64_t channels = shapes.inputs, vectors = (channels + lanes - 1) / lanes;
  const float* kernels = static_cast<const float*>(data.kernels);
  Vector sums[kPixels][kOutputs] = {};
  for (int64_t y = 0; y < 3; ++y) {
    const int64_t from_row = row + y - 1;
    if (from_row < 0 || from_row >= shapes.height) continue;
    const Number* line = static_cast<const Number*>(data.image) +
                         (frame * shapes.height + from_row) * shapes.width * channels;
    for (int64_t v = 0; v < vectors; ++v) {
      const int64_t channel = FirstChannel(v, lanes, channels);
      Vector pixels[kPixels + 2];
#pragma GCC unroll 16
      for (int x = 0; x < kPixels + 2; ++x) {
        const int64_t at = column + x - 1;
        const bool there = at >= 0 && at < shapes.width;
        pixels[x] = there ? Load<Vector>(line + at * channels + channel) : Vector{};
      }
      const float* taps = kernels + (y * vectors + v) * 3 * kOutputs * lanes;
#pragma GCC unroll 16
      for (int x = 0; x < 3; ++x) {
#pragma GCC unroll 16
        for (int output = 0; output < kOutputs; ++output) {
          const Vector tap = Load<Vector>(taps + (x * kOutputs + output) * lanes);
#pragma GCC unroll 16
          for (int pixel = 0; pixel < kPixels; ++pixel) {
            sums[pixel][output] += tap * pixels[pixel + x];
          }
        }
      }
    }
  }
  const int64_t count = std::min<int64_t>(kPixels, shapes.width - column);
  Number* out = static_cast<Number*>(data.out) +
                ((frame * shapes.height + row) * shapes.width + column) * kOutputs;
  for (int64_t pixel = 0; pixel < count; ++pixel) {
    for (int output = 0; output < kOutputs; ++output) {
      const float value = Sum(sums[pixel][output]) + data.bias[output];
      const float activated = value > 0 ? value : data.slope[output] * value;
      Store(out + pixel * kOutputs + output, Vector1{activated});
    }
  }
}

template <class Version, class Number, int kOutputs>
TFVFI_INLINE void ConvolveRows(const Shapes& shapes, const Data& data, int64_t begin, int64_t end) {
  constexpr int kPixels = Pixels<Version>(kOutputs);
  for (int64_t row = begin; row < end; ++row) {
    for (int64_t column = 0; column < shapes.width; column += kPixels) {
      ConvolvePixels<Version, Number, kOutputs>(shapes, data, row / shapes.height,
                                                row % shapes.height, column);
    }
  }
}

template <class Number, int kOutputs>
Loops LoopsFor() {
  switch (ChosenIsa()) {
#ifdef TFVFI_MANY_VERSIONS
    case Isa::kAvx512Bf16:
    case Isa::kAvx512:
      return {kLanes<Wide::Vector>, Hot<ConvolveRows<Wide, Number, kOutputs>>::Avx512};
    case Isa::kAvx2:
      return {kLanes<Middle::Vector>, Hot<ConvolveRows<Middle, Number, kOutputs>>::Avx2};
#endif
    default:
      return {kLanes<Narrow::Vector>, Hot<ConvolveRows<Narrow, Number, kOutputs>>::Baseline};
  }
}

template <class Number>
Loops LoopsOf(int64_t outputs) {
  switch (outputs) {
    case 1:
      return LoopsFor<Number, 1>();
    case 2:
      return LoopsFor<Number, 2>();
    case 3:
      return LoopsFor<Number, 3>();
    default:
      return LoopsFor<Number, 4>();
  }
}

}  // namespace

Loops BestLoops(int64_t outputs, bool bfloat16) {
  return bfloat16 ? LoopsOf<Half>(outputs) : LoopsOf<float>(outputs);
}

}  // namespace narrow
}  // namespace tfvfi
