#include "large_loops.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "isa.h"
#include "pairs.h"
#include "prefetch.h"
#include "products.h"
#include "seven.h"
#include "simd.h"
#include "vectors.h"

namespace tfvfi {
namespace seven {
namespace {

// A rectangle of tiles of one frame.
struct Block {
  int64_t frame, row, column, rows, columns;  // in tiles

  Block(const Shapes& s, int64_t at) {
    const int64_t across = (s.tile_columns + s.block_columns - 1) / s.block_columns;
    const int64_t down = (s.tile_rows + s.block_rows - 1) / s.block_rows;
    frame = at / across / down;
    row = at / across % down * s.block_rows;
    column = at % across * s.block_columns;
    rows = std::min(s.block_rows, s.tile_rows - row);
    columns = std::min(s.block_columns, s.tile_columns - column);
  }
};

// Transforms the kernels of one input of a part, for a vector of outputs. The given kernels are
// [taps, taps, channels, outputs].
template <int kTaps, class Vector>
TFVFI_INLINE void TransformInput(const Shapes& s, const float* kernels, int64_t piece,
                                 int64_t input, int64_t output, Vector out[kPlaces]) {
  const int64_t phase = input / s.channels, channel = input % s.channels;
  const int64_t there = std::min<int64_t>(kLanes<Vector>, s.outputs - output);
  // The position among the given taps of tap i of this part.
  const auto tap = [&](int64_t part, int64_t i, int64_t parity) {
    return s.stride * (part * kTaps + i - s.before) + parity + s.center;
  };
  Vector columns[kTaps][kWindow];
  for (int x = 0; x < kTaps; ++x) {
    const int64_t given_x = tap(piece % s.parts, x, phase % s.stride);
    Vector column[kTaps] = {};
    for (int y = 0; y < kTaps; ++y) {
      const int64_t given_y = tap(piece / s.parts, y, phase / s.stride);
      if (given_x < 0 || given_x >= s.taps || given_y < 0 || given_y >= s.taps) continue;
      const int64_t from = ((given_y * s.taps + given_x) * s.channels + channel) * s.outputs;
      std::memcpy(&column[y], kernels + from + output, there * sizeof(float));
    }
    TransformKernel<kTaps>(column, columns[x]);
  }
  for (int y = 0; y < kWindow; ++y) {
    Vector row[kTaps];
    for (int x = 0; x < kTaps; ++x) row[x] = columns[x][y];
    TransformKernel<kTaps>(row, out + y * kWindow);
  }
}

// Transforms kernels to [place][panel][part][step of the products][column of the panel][input of
// the step], for some steps.
template <class Version, class Factor, int kTaps>
TFVFI_INLINE void TransformKernels(const Shapes& s, const float* kernels, Factor* out,
                                   int64_t begin, int64_t end) {
  using Vector = typename Version::Vector;
  constexpr int depth = kDepth<Factor>, lanes = kLanes<Vector>, panel = Version::kVectors * lanes;
  const int64_t parts = s.parts * s.parts, steps = s.depth / depth;
  for (int64_t at = begin; at < end; ++at) {
    const int64_t piece = at / steps, first_input = at % steps * depth;
    for (int64_t output = 0; output < s.padded; output += lanes) {
      Vector places[depth][kPlaces] = {};
      for (int64_t i = 0; i < depth && first_input + i < s.inputs(); ++i) {
        TransformInput<kTaps>(s, kernels, piece, first_input + i, output, places[i]);
      }
      const int64_t first = output / panel * panel;
      const int64_t wide = std::min<int64_t>(panel, s.padded - first);
      Factor* to = out + first * parts * s.depth + (at * wide + output - first) * depth;
      for (int place = 0; place < kPlaces; ++place, to += s.kernel_size()) {
        if constexpr (depth == 1) {
          Store(to, places[0][place]);
        } else {
          StorePairs(to, places[0][place], places[1][place]);
        }
      }
    }
  }
}

// Transforms one window of some channels, whose position is given in strides, with a parity.
template <class Vector, class Number, class Factor>
TFVFI_INLINE void TransformChannels(const Shapes& s, const Number* frame, int64_t parity_y,
                                    int64_t parity_x, int64_t top, int64_t left, int64_t channel,
                                    int64_t step, Factor* out) {
  Vector rows[kWindow][kWindow];
  for (int y = 0; y < kWindow; ++y) {
    const int64_t row = (top + y) * s.stride + parity_y;
    const bool inside = row >= 0 && row < s.height;
    Vector line[kWindow];
    for (int x = 0; x < kWindow; ++x) {
      const int64_t column = (left + x) * s.stride + parity_x;
      const bool there = inside && column >= 0 && column < s.width;
      line[x] = there ? Load<Vector>(frame + (row * s.width + column) * s.channels + channel)
                      : Vector{};
    }
    TransformWindow(line, rows[y]);
  }
  for (int x = 0; x < kWindow; ++x) {
    Vector column[kWindow], transformed[kWindow];
    for (int y = 0; y < kWindow; ++y) column[y] = rows[y][x];
    TransformWindow(column, transformed);
    for (int y = 0; y < kWindow; ++y) Store(out + (y * kWindow + x) * step, transformed[y]);
  }
}

template <class Version, class Factor>
TFVFI_INLINE void MultiplyAll(const Shapes& s, const Factor* a, const int64_t* moves,
                              const Factor* b, int64_t rows, float* c) {
  Multiply<Version>(Left<Factor>{a, s.depth}, moves, s.parts * s.parts, s.depth, b, rows, s.padded,
                    false, c);
}

// Writes some channels of one tile.
template <int kTile, class Vector, class Number>
TFVFI_INLINE void FinishChannels(const Shapes& s, const Data& data, const float* products,
                                 int64_t step, int64_t frame, int64_t row, int64_t column,
                                 int64_t channel) {
  Vector halves[kTile][kWindow];
  for (int x = 0; x < kWindow; ++x) {
    Vector values[kWindow], back[kTile];
    for (int y = 0; y < kWindow; ++y) {
      values[y] = Load<Vector>(products + (y * kWindow + x) * step + channel);
    }
    TransformBack<kTile>(values, back);
    for (int y = 0; y < kTile; ++y) halves[y][x] = back[y];
  }
  const Vector bias = Load<Vector>(data.bias + channel), slope = Load<Vector>(data.slope + channel);
  const int64_t rows = std::min<int64_t>(kTile, s.rows - row);
  const int64_t columns = std::min<int64_t>(kTile, s.columns - column);
  for (int64_t y = 0; y < rows; ++y) {
    Vector back[kTile];
    TransformBack<kTile>(halves[y], back);
    const int64_t pixel = (frame * s.rows + row + y) * s.columns + column;
    for (int64_t x = 0; x < columns; ++x) {
      const Vector value = back[x] + bias;
      Store(static_cast<Number*>(data.out) + (pixel + x) * s.outputs + channel,
            value > 0 ? value : slope * value);
    }
  }
}

// Calls work(taps of a part), where the argument is a constant.
template <class Work>
TFVFI_INLINE void WithTaps(int64_t part, const Work& work) {
  switch (part) {
    case 3:
      return work(std::integral_constant<int, 3>());
    case 4:
      return work(std::integral_constant<int, 4>());
    default:
      return work(std::integral_constant<int, 5>());
  }
}

template <class Version, class Factor>
TFVFI_INLINE void TransformAny(const Shapes& s, const float* kernels, void* out, int64_t begin,
                               int64_t end) {
  WithTaps(s.part, [&](auto taps) TFVFI_INLINE_LAMBDA {
    TransformKernels<Version, Factor, taps>(s, kernels, static_cast<Factor*>(out), begin, end);
  });
}

// `kMultiply` is a version of MultiplyAll, which is too long to be part of several functions.
template <class Version, class Number, class Factor, auto kMultiply>
TFVFI_INLINE void ConvolveBlock(const Shapes& s, const Data& data, void* memory, float* products,
                                int64_t at) {
  using Vector = typename Version::Vector;
  Factor* transformed = static_cast<Factor*>(memory);
  const Block block(s, at);
  const int64_t beyond = s.parts - 1, line = block.columns + beyond;
  const int64_t a_step = s.windows() * s.depth, c_step = s.windows() * s.padded;
  const Number* frame = static_cast<const Number*>(data.image) +
                        block.frame * s.height * s.width * s.channels;
  // Even and odd columns of an even number of columns are read as one pixel of twice the channels.
  const int64_t joined = s.width % s.stride == 0 ? s.stride : 1;
  for (int64_t y = 0; y < block.rows + beyond; ++y) {
    for (int64_t x = 0; x < line; ++x) {
      const int64_t top = (block.row + y) * s.tile() - s.before;
      const int64_t left = (block.column + x) * s.tile() - s.before;
      // What the next tile reads beyond the window of this one.
      Prefetch(frame, s.height, s.width, s.channels,
               {top * s.stride, (left + kWindow) * s.stride, kWindow * s.stride,
                s.tile() * s.stride});
      for (int64_t phase = 0; phase < s.phases(); phase += joined) {
        Factor* to = transformed + (y * line + x) * s.depth + phase * s.channels;
        ForChannels<Vector>(
            joined * s.channels, [&](auto vector, int64_t channel) TFVFI_INLINE_LAMBDA {
              TransformChannels<decltype(vector)>(s, frame, phase / s.stride, phase % s.stride, top,
                                                  left, channel, a_step, to + channel);
            });
      }
    }
  }
  int64_t moves[4];
  for (int64_t part = 0; part < s.parts * s.parts; ++part) {
    moves[part] = (part / s.parts * line + part % s.parts) * s.depth;
  }
  // The last windows of a line, which only parts read, are multiplied too, in vain.
  const int64_t rows = (block.rows - 1) * line + block.columns;
  for (int place = 0; place < kPlaces; ++place) {
    kMultiply(s, transformed + place * a_step, moves,
              static_cast<const Factor*>(data.kernels) + place * s.kernel_size(), rows,
              products + place * c_step);
  }
  WithTaps(s.part, [&](auto taps) TFVFI_INLINE_LAMBDA {
    constexpr int tile = kWindow + 1 - taps;
    for (int64_t y = 0; y < block.rows; ++y) {
      for (int64_t x = 0; x < block.columns; ++x) {
        const float* found = products + (y * line + x) * s.padded;
        ForChannels<Vector>(s.outputs, [&](auto vector, int64_t channel) TFVFI_INLINE_LAMBDA {
          FinishChannels<tile, decltype(vector), Number>(s, data, found, c_step, block.frame,
                                                         (block.row + y) * tile,
                                                         (block.column + x) * tile, channel);
        });
      }
    }
  });
}

template <class Version, class Factor>
constexpr Loops LoopsOf(decltype(Loops::transform_kernels) transform_kernels,
                        decltype(Loops::convolve) convolve) {
  return {kLanes<typename Version::Vector>, kDepth<Factor>, sizeof(Factor), transform_kernels,
          convolve};
}

// Factors are float32, except where the processor multiplies bfloat16 twice as fast.
template <class Number>
Loops LoopsFor() {
  switch (ChosenIsa()) {
#ifdef TFVFI_MANY_VERSIONS
    case Isa::kAvx512Bf16:
      if constexpr (!std::is_same_v<Number, float>) {
        constexpr auto multiply = Hot<MultiplyAll<Wide, FastHalf>>::Avx512;
        return LoopsOf<Wide, FastHalf>(
            Hot<TransformAny<Wide, FastHalf>>::Avx512,
            Hot<ConvolveBlock<Wide, FastHalf, FastHalf, multiply>>::Avx512);
      }
      [[fallthrough]];
    case Isa::kAvx512: {
      constexpr auto multiply = Hot<MultiplyAll<Wide, float>>::Avx512;
      return LoopsOf<Wide, float>(Hot<TransformAny<Wide, float>>::Avx512,
                                  Hot<ConvolveBlock<Wide, Number, float, multiply>>::Avx512);
    }
    case Isa::kAvx2: {
      constexpr auto multiply = Hot<MultiplyAll<Middle, float>>::Avx2;
      return LoopsOf<Middle, float>(Hot<TransformAny<Middle, float>>::Avx2,
                                    Hot<ConvolveBlock<Middle, Number, float, multiply>>::Avx2);
    }
#endif
    default: {
      constexpr auto multiply = Hot<MultiplyAll<Narrow, float>>::Baseline;
      return LoopsOf<Narrow, float>(
          Hot<TransformAny<Narrow, float>>::Baseline,
          Hot<ConvolveBlock<Narrow, Number, float, multiply>>::Baseline);
    }
  }
}

}  // namespace

Loops BestLoops(bool bfloat16) { return bfloat16 ? LoopsFor<Half>() : LoopsFor<float>(); }

}  // namespace seven
}  // namespace tfvfi
