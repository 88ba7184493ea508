#include "convolution_loops.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "isa.h"
#include "pairs.h"
#include "prefetch.h"
#include "products.h"
#include "simd.h"
#include "vectors.h"
#include "winograd.h"

namespace tfvfi {
namespace {

// The most inputs whose kernels are gathered before they are transformed. Those of transposed
// convolutions are far apart unless they are of adjacent inputs.
template <int kTaps>
constexpr int64_t kGathered = kTaps == 3 ? 8 : kInputs;

template <class Version>
constexpr int kPanel = Version::kVectors * kLanes<typename Version::Vector>;

// Copies the kernels of some inputs and of a panel of outputs to [tap][input][column], with zeros
// for inputs and outputs that do not exist.
template <int kTaps>
TFVFI_INLINE void Gather(const Shapes& shapes, const float* kernels, int64_t input, int64_t count,
                         int64_t first, int64_t wide, float* out) {
  const int64_t inputs = std::min(count, shapes.inputs - input);
  const int64_t outputs = std::min(wide, shapes.outputs - first);
  if (inputs < count || outputs < wide) {
    std::memset(out, 0, kTaps * kTaps * count * wide * sizeof(float));
  }
  if constexpr (kTaps == 3) {
    for (int64_t tap = 0; tap < kTaps * kTaps; ++tap) {
      for (int64_t i = 0; i < inputs; ++i) {
        std::memcpy(out + (tap * count + i) * wide,
                    kernels + (tap * shapes.inputs + input + i) * shapes.outputs + first,
                    outputs * sizeof(float));
      }
    }
  } else {
    // The 4 x 4 taps of a transposed convolution, [4, 4, channels, inputs], in reversed order.
    const int64_t channels = shapes.outputs_of_pixel();
    for (int64_t column = 0; column < outputs; ++column) {
      const int64_t pixel = (first + column) / channels, channel = (first + column) % channels;
      for (int64_t tap = 0; tap < kTaps * kTaps; ++tap) {
        const int64_t y = 3 - 2 * (tap / kTaps) - pixel / 2, x = 3 - 2 * (tap % kTaps) - pixel % 2;
        const float* from = kernels + ((y * 4 + x) * channels + channel) * shapes.inputs + input;
        float* to = out + tap * count * wide + column;
        for (int64_t i = 0; i < inputs; ++i) to[i * wide] = from[i];
      }
    }
  }
}

// Transforms the kernels of some inputs, from one that starts a step, and of a panel of outputs to
// [place][step of the products][column][input of the step].
template <int kTaps, class Version, class Factor>
TFVFI_INLINE void TransformPanel(const Shapes& shapes, const float* kernels, int64_t begin,
                                 int64_t end, int64_t first, int64_t wide, int64_t place_step,
                                 Factor* out) {
  using Vector = typename Version::Vector;
  constexpr int depth = kDepth<Factor>, lanes = kLanes<Vector>;
  alignas(64) float gathered[kTaps * kTaps * kGathered<kTaps> * kPanel<Version>];
  for (int64_t input = begin; input < end; input += kGathered<kTaps>) {
    const int64_t count = std::min(kGathered<kTaps>, end - input);
    Gather<kTaps>(shapes, kernels, input, count, first, wide, gathered);
    for (int64_t i = 0; i < count; i += depth) {
      for (int64_t column = 0; column < wide; column += lanes) {
        Vector places[depth][kPlaces];
        for (int j = 0; j < depth; ++j) {
          const float* from = gathered + (i + j) * wide + column;
          Vector columns[kTaps][kWindow];
          for (int x = 0; x < kTaps; ++x) {
            Vector taps[kTaps];
            for (int y = 0; y < kTaps; ++y) {
              taps[y] = Load<Vector>(from + (y * kTaps + x) * count * wide);
            }
            TransformKernel<kTaps>(taps, columns[x]);
          }
          for (int y = 0; y < kWindow; ++y) {
            Vector row[kTaps];
            for (int x = 0; x < kTaps; ++x) row[x] = columns[x][y];
            TransformKernel<kTaps>(row, places[j] + y * kWindow);
          }
        }
        Factor* to = out + (input + i - begin) * wide + column * depth;
        for (int place = 0; place < kPlaces; ++place, to += place_step) {
          if constexpr (depth == 1) {
            Store(to, places[0][place]);
          } else {
            StorePairs(to, places[0][place], places[1][place]);
          }
        }
      }
    }
  }
}

// Transforms the kernels of some steps to [place][panel][step][column][input of the step].
template <int kTaps, class Version, class Factor>
TFVFI_INLINE void TransformKernels(const Shapes& shapes, const float* kernels, void* out,
                                   int64_t begin, int64_t end) {
  const int64_t inputs = kDepth<Factor> * begin;
  for (int64_t first = 0; first < shapes.padded; first += kPanel<Version>) {
    const int64_t wide = std::min<int64_t>(kPanel<Version>, shapes.padded - first);
    TransformPanel<kTaps, Version>(
        shapes, kernels, inputs, kDepth<Factor> * end, first, wide, shapes.depth * shapes.padded,
        static_cast<Factor*>(out) + first * shapes.depth + inputs * wide);
  }
}

// Transforms the windows of some tiles to [place][tile][input].
template <int kTaps, class Version, class Number, class Factor>
TFVFI_INLINE void TransformTiles(const Shapes& shapes, const Data& data, Factor* out, int64_t begin,
                                 int64_t end) {
  using Vector = typename Version::Vector;
  for (int64_t tile = begin; tile < end; ++tile, out += shapes.depth) {
    const Place place(shapes, tile, TileOf(kTaps));
    const Number* frame = static_cast<const Number*>(data.image) + shapes.passed +
                          place.frame * shapes.height * shapes.width * shapes.channels_in();
    // What the next tile reads beyond the window of this one.
    Prefetch(frame, shapes.height, shapes.width, shapes.channels_in(),
             {place.row - 1, place.column - 1 + kWindow, kWindow, TileOf(kTaps)});
    ForChannels<Vector>(shapes.inputs, [&](auto vector, int64_t channel) TFVFI_INLINE_LAMBDA {
      TransformChannels<decltype(vector)>(shapes, frame, place.row - 1, place.column - 1, channel,
                                          shapes.rows() * shapes.depth, out);
    });
  }
}

// Writes some outputs of some tiles, whose products are [place][row of the block][output].
template <int kTaps, class Version, class Number>
TFVFI_INLINE void FinishTiles(const Shapes& shapes, const Data& data, const float* products,
                              int64_t first, int64_t wide, int64_t begin, int64_t end) {
  using Vector = typename Version::Vector;
  const int64_t channels = shapes.outputs_of_pixel();
  for (int64_t tile = begin; tile < end; ++tile, products += wide) {
    const Place place(shapes, tile, TileOf(kTaps));
    for (int64_t pixel = 0; pixel < shapes.scale * shapes.scale; ++pixel) {
      const int64_t skipped = std::max<int64_t>(0, first - pixel * channels);
      const int64_t count = std::min(channels, first + wide - pixel * channels) - skipped;
      const float* found = products + pixel * channels + skipped - first;
      ForChannels<Vector>(count, [&](auto vector, int64_t channel) TFVFI_INLINE_LAMBDA {
        FinishChannels<TileOf(kTaps), decltype(vector), Number>(
            shapes, data, found + channel, shapes.rows() * wide, place, pixel, skipped + channel);
      });
    }
    if (shapes.passed && first == 0) PassChannels<Number>(shapes, data, place);
  }
}

template <int kTaps, class Version, class Number, class Factor>
TFVFI_INLINE void ConvolveTiles(const Shapes& shapes, const Data& data, void* memory,
                                float* products, int64_t begin, int64_t end) {
  Factor* windows = static_cast<Factor*>(memory);
  constexpr int64_t unmoved = 0;
  for (int64_t first = begin; first < end; first += shapes.block) {
    const int64_t last = std::min<int64_t>(first + shapes.block, end);
    TransformTiles<kTaps, Version, Number>(shapes, data, windows, first, last);
    for (int place = 0; place < kPlaces; ++place) {
      const auto kernels = static_cast<const Factor*>(data.kernels);
      Multiply<Version>(Left<Factor>{windows + place * shapes.rows() * shapes.depth, shapes.depth},
                        &unmoved, 1, shapes.depth, kernels + place * shapes.depth * shapes.padded,
                        last - first, shapes.padded, false,
                        products + place * shapes.rows() * shapes.padded);
    }
    FinishTiles<kTaps, Version, Number>(shapes, data, products, 0, shapes.padded, first, last);
  }
}

template <int kTaps, class Version, class Number, class Factor>
TFVFI_INLINE void TransformWindows(const Shapes& shapes, const Data& data, void* windows,
                                   int64_t begin, int64_t end) {
  TransformTiles<kTaps, Version, Number>(
      shapes, data, static_cast<Factor*>(windows) + begin * shapes.depth, begin, end);
}

template <int kTaps, class Version, class Number, class Factor>
TFVFI_INLINE void ConvolvePanels(const Shapes& shapes, const Data& data, const void* windows,
                                 void* memory, float* products, int64_t begin, int64_t end) {
  constexpr int64_t unmoved = 0;
  Factor* kernels = static_cast<Factor*>(memory);
  for (int64_t panel = begin; panel < end; ++panel) {
    const int64_t first = panel * shapes.panel;
    const int64_t wide = std::min(shapes.panel, shapes.padded - first);
    for (int64_t input = 0; input < shapes.depth; input += kInputs) {
      const int64_t inputs = std::min(kInputs, shapes.depth - input);
      TransformPanel<kTaps, Version>(shapes, static_cast<const float*>(data.kernels), input,
                                     input + inputs, first, wide, inputs * wide, kernels);
      for (int place = 0; place < kPlaces; ++place) {
        const auto from = static_cast<const Factor*>(windows) +
                          place * shapes.rows() * shapes.depth + input;
        Multiply<Version>(Left<Factor>{from, shapes.depth}, &unmoved, 1, inputs,
                          kernels + place * inputs * wide, shapes.block, wide, input > 0,
                          products + place * shapes.rows() * wide);
      }
    }
    FinishTiles<kTaps, Version, Number>(shapes, data, products, first, wide, 0, shapes.block);
  }
}

template <int kTaps, Isa kIsa, class Version, class Number, class Factor>
constexpr Loops LoopsOf() {
  return {kLanes<typename Version::Vector>,
          kPanel<Version>,
          kDepth<Factor>,
          sizeof(Factor),
          Hot<TransformKernels<kTaps, Version, Factor>>::template For<kIsa>(),
          Hot<ConvolveTiles<kTaps, Version, Number, Factor>>::template For<kIsa>(),
          Hot<TransformWindows<kTaps, Version, Number, Factor>>::template For<kIsa>(),
          Hot<ConvolvePanels<kTaps, Version, Number, Factor>>::template For<kIsa>()};
}

// Factors are float32, except where the processor multiplies bfloat16 twice as fast.
template <int kTaps, class Number>
Loops LoopsFor() {
  switch (ChosenIsa()) {
#ifdef TFVFI_MANY_VERSIONS
    case Isa::kAvx512Bf16:
      if constexpr (!std::is_same_v<Number, float>) {
        return LoopsOf<kTaps, Isa::kAvx512Bf16, Wide, FastHalf, FastHalf>();
      }
      [[fallthrough]];
    case Isa::kAvx512:
      return LoopsOf<kTaps, Isa::kAvx512, Wide, Number, float>();
    case Isa::kAvx2:
      return LoopsOf<kTaps, Isa::kAvx2, Middle, Number, float>();
#endif
    default:
      return LoopsOf<kTaps, Isa::kBaseline, Narrow, Number, float>();
  }
}

}  // namespace

Loops BestLoops(int64_t taps, bool bfloat16) {
  if (taps == 2) return bfloat16 ? LoopsFor<2, Half>() : LoopsFor<2, float>();
  return bfloat16 ? LoopsFor<3, Half>() : LoopsFor<3, float>();
}

}  // namespace tfvfi
