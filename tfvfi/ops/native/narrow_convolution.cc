#include "narrow_convolution.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>

#include "isa.h"
#include "parallel.h"
#include "products.h"
#include "scratch.h"
#include "simd.h"
#include "vectors.h"

namespace tfvfi {
namespace {

constexpr int64_t kMostOutputs = 4;

// The loops for one type of image and number of outputs.
struct Loops {
  int64_t lanes;
  // Computes some rows of all frames, with packed kernels.
  void (*convolve)(const Shapes&, const Data&, int64_t begin, int64_t end);
};

// The first channel of each vector. The last vector also holds channels of the one before it if the
// channels do not fill all vectors.
TFVFI_INLINE int64_t FirstChannel(int64_t vector, int64_t lanes, int64_t channels) {
  return std::min(vector * lanes, channels - lanes);
}

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

// Returns kernels as [row][vector][column][output][lane].
std::unique_ptr<float[], GiveBack> Pack(const Shapes& shapes, int64_t lanes, const float* kernels) {
  const int64_t vectors = (shapes.inputs + lanes - 1) / lanes;
  auto packed = Allocate<float>(9 * vectors * shapes.outputs * lanes);
  float* to = packed.get();
  for (int64_t y = 0; y < 3; ++y) {
    for (int64_t v = 0; v < vectors; ++v) {
      const int64_t first = FirstChannel(v, lanes, shapes.inputs);
      for (int64_t x = 0; x < 3; ++x) {
        for (int64_t output = 0; output < shapes.outputs; ++output) {
          for (int64_t input = first; input < first + lanes; ++input) {
            const int64_t at = ((y * 3 + x) * shapes.inputs + input) * shapes.outputs + output;
            // Channels that the vector before holds, too, count there.
            *to++ = input < v * lanes ? 0 : kernels[at];
          }
        }
      }
    }
  }
  return packed;
}

}  // namespace

bool ConvolveNarrowly(const Shapes& shapes, bool bfloat16, Data data) {
  if (shapes.outputs > kMostOutputs || shapes.scale > 1 || shapes.passed || data.shortcut) {
    return false;
  }
  const Loops loops = bfloat16 ? LoopsOf<Half>(shapes.outputs) : LoopsOf<float>(shapes.outputs);
  if (shapes.inputs < loops.lanes) return false;
  const auto kernels = Pack(shapes, loops.lanes, static_cast<const float*>(data.kernels));
  data.kernels = kernels.get();
  const double cost = 0.2 * shapes.width * shapes.inputs * shapes.outputs;
  ParallelFor(shapes.batch * shapes.height, cost, [&](int64_t begin, int64_t end) {
    loops.convolve(shapes, data, begin, end);
  });
  return true;
}

}  // namespace tfvfi
