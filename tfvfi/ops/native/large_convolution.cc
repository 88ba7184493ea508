// Convolutions with 5 x 5 or 7 x 7 taps and stride 1 or 2, with zeros around the image, bias, and a
// slope for negative values (PReLU).
//
// At stride 2 the image is read as four images of half the size, one for each parity of row and
// column, whose channels are summed together; of K taps, each of them meets at most K / 2 + 1. A
// kernel of 7 x 7 taps at stride 1 is cut into 2 x 2 parts of 4 x 4. A tile then has as many
// outputs as a part has taps, so that a part reads the windows of a neighboring tile, and every
// window is transformed only once.
//
// Blocks of tiles are transformed, see `seven.h`, multiplied by the kernels as 49 matrix products,
// and transformed back, together with bias and slope.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "isa.h"
#include "kernel.h"
#include "parallel.h"
#include "products.h"
#include "scratch.h"
#include "seven.h"
#include "simd.h"
#include "vectors.h"

namespace tfvfi {
namespace {

using seven::kPlaces;
using seven::kWindow;

struct Shapes {
  int64_t batch, height, width, channels, outputs;
  int64_t taps, stride;  // of the given kernel
  int64_t part;          // Taps of a part on each axis, from which the side of a tile follows.
  int64_t parts;         // On each axis.
  int64_t before;        // Rows of zeros before the image, in strides.
  int64_t rows, columns;  // of the output
  int64_t tile_rows, tile_columns;
  int64_t block_rows, block_columns;  // Tiles in a block, without those that only parts read.
  int64_t padded;                     // Outputs, rounded up to a whole number of vectors.

  int64_t phases() const { return stride * stride; }
  int64_t inputs() const { return phases() * channels; }
  int64_t tile() const { return kWindow + 1 - part; }
  int64_t kernel_size() const { return parts * parts * inputs() * padded; }
  int64_t windows() const {
    return (block_rows + parts - 1) * (block_columns + parts - 1) + parts + kMostRows;
  }
};

template <class Number>
struct Data {
  const Number* image;
  const float *kernels, *bias, *slope;
  Number* out;
};

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

// Transforms kernels, [taps, taps, channels, outputs], to [place][panel][part][input][column of the
// panel], for some inputs.
template <class Version, int kTaps>
TFVFI_INLINE void TransformKernels(const Shapes& s, const float* kernels, float* out, int64_t begin,
                                   int64_t end) {
  using Vector = typename Version::Vector;
  constexpr int lanes = kLanes<Vector>, panel = Version::kVectors * lanes;
  const int64_t parts = s.parts * s.parts, half = s.taps / 2;
  for (int64_t at = begin; at < end; ++at) {
    const int64_t piece = at / s.inputs(), input = at % s.inputs();
    const int64_t phase = input / s.channels, channel = input % s.channels;
    // The position among the given taps of tap i of this part.
    const auto tap = [&](int64_t part, int64_t i, int64_t parity) {
      return s.stride * (part * kTaps + i - s.before) + parity + half;
    };
    for (int64_t output = 0; output < s.padded; output += lanes) {
      const int64_t there = std::min<int64_t>(lanes, s.outputs - output);
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
        seven::TransformKernel<kTaps>(column, columns[x]);
      }
      const int64_t first = output / panel * panel;
      const int64_t wide = std::min<int64_t>(panel, s.padded - first);
      float* place = out + first * parts * s.inputs() + (piece * s.inputs() + input) * wide +
                     output - first;
      for (int y = 0; y < kWindow; ++y) {
        Vector row[kTaps], transformed[kWindow];
        for (int x = 0; x < kTaps; ++x) row[x] = columns[x][y];
        seven::TransformKernel<kTaps>(row, transformed);
        for (int x = 0; x < kWindow; ++x, place += s.kernel_size()) Store(place, transformed[x]);
      }
    }
  }
}

// Transforms one window of some channels, whose position is given in strides, with a parity.
template <class Vector, class Number>
TFVFI_INLINE void TransformChannels(const Shapes& s, const Number* frame, int64_t parity_y,
                                    int64_t parity_x, int64_t top, int64_t left, int64_t channel,
                                    int64_t step, float* out) {
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
    seven::TransformWindow(line, rows[y]);
  }
  for (int x = 0; x < kWindow; ++x) {
    Vector column[kWindow], transformed[kWindow];
    for (int y = 0; y < kWindow; ++y) column[y] = rows[y][x];
    seven::TransformWindow(column, transformed);
    for (int y = 0; y < kWindow; ++y) Store(out + (y * kWindow + x) * step, transformed[y]);
  }
}

template <class Version>
TFVFI_INLINE void MultiplyAll(const Shapes& s, const float* a, const int64_t* moves, const float* b,
                              int64_t rows, float* c) {
  Multiply<Version>(a, moves, s.parts * s.parts, s.inputs(), b, rows, s.padded, c);
}

// Writes some channels of one tile.
template <int kTile, class Vector, class Number>
TFVFI_INLINE void FinishChannels(const Shapes& s, const Data<Number>& data, const float* products,
                                 int64_t step, int64_t frame, int64_t row, int64_t column,
                                 int64_t channel) {
  Vector halves[kTile][kWindow];
  for (int x = 0; x < kWindow; ++x) {
    Vector values[kWindow], back[kTile];
    for (int y = 0; y < kWindow; ++y) {
      values[y] = Load<Vector>(products + (y * kWindow + x) * step + channel);
    }
    seven::TransformBack<kTile>(values, back);
    for (int y = 0; y < kTile; ++y) halves[y][x] = back[y];
  }
  const Vector bias = Load<Vector>(data.bias + channel), slope = Load<Vector>(data.slope + channel);
  const int64_t rows = std::min<int64_t>(kTile, s.rows - row);
  const int64_t columns = std::min<int64_t>(kTile, s.columns - column);
  for (int64_t y = 0; y < rows; ++y) {
    Vector back[kTile];
    seven::TransformBack<kTile>(halves[y], back);
    const int64_t pixel = (frame * s.rows + row + y) * s.columns + column;
    for (int64_t x = 0; x < columns; ++x) {
      const Vector value = back[x] + bias;
      Store(data.out + (pixel + x) * s.outputs + channel, value > 0 ? value : slope * value);
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

template <class Version>
TFVFI_INLINE void TransformAny(const Shapes& s, const float* kernels, float* out, int64_t begin,
                               int64_t end) {
  WithTaps(s.part, [&](auto taps) TFVFI_INLINE_LAMBDA {
    TransformKernels<Version, taps>(s, kernels, out, begin, end);
  });
}

// `kMultiply` is a version of MultiplyAll, which is too long to be part of several functions.
template <class Version, class Number, auto kMultiply>
TFVFI_INLINE void ConvolveBlock(const Shapes& s, const Data<Number>& data, float* transformed,
                                float* products, int64_t at) {
  using Vector = typename Version::Vector;
  const Block block(s, at);
  const int64_t inputs = s.inputs(), beyond = s.parts - 1, line = block.columns + beyond;
  const int64_t a_step = s.windows() * inputs, c_step = s.windows() * s.padded;
  const Number* frame = data.image + block.frame * s.height * s.width * s.channels;
  for (int64_t y = 0; y < block.rows + beyond; ++y) {
    for (int64_t x = 0; x < line; ++x) {
      const int64_t top = (block.row + y) * s.tile() - s.before;
      const int64_t left = (block.column + x) * s.tile() - s.before;
      for (int64_t phase = 0; phase < s.phases(); ++phase) {
        float* to = transformed + (y * line + x) * inputs + phase * s.channels;
        ForChannels<Vector>(s.channels, [&](auto vector, int64_t channel) TFVFI_INLINE_LAMBDA {
          TransformChannels<decltype(vector)>(s, frame, phase / s.stride, phase % s.stride, top,
                                              left, channel, a_step, to + channel);
        });
      }
    }
  }
  int64_t moves[4];
  for (int64_t part = 0; part < s.parts * s.parts; ++part) {
    moves[part] = (part / s.parts * line + part % s.parts) * inputs;
  }
  // The last windows of a line, which only parts read, are multiplied too, in vain.
  const int64_t rows = (block.rows - 1) * line + block.columns;
  for (int place = 0; place < kPlaces; ++place) {
    kMultiply(s, transformed + place * a_step, moves, data.kernels + place * s.kernel_size(), rows,
              products + place * c_step);
  }
  WithTaps(s.part, [&](auto taps) TFVFI_INLINE_LAMBDA {
    constexpr int tile = kWindow + 1 - taps;
    for (int64_t y = 0; y < block.rows; ++y) {
      for (int64_t x = 0; x < block.columns; ++x) {
        const float* found = products + (y * line + x) * s.padded;
        ForChannels<Vector>(s.outputs, [&](auto vector, int64_t channel) TFVFI_INLINE_LAMBDA {
          FinishChannels<tile, decltype(vector)>(s, data, found, c_step, block.frame,
                                                 (block.row + y) * tile, (block.column + x) * tile,
                                                 channel);
        });
      }
    }
  });
}

struct Functions {
  int lanes;
  void (*transform_kernels)(const Shapes&, const float*, float*, int64_t, int64_t);
  void (*floats)(const Shapes&, const Data<float>&, float*, float*, int64_t);
  void (*halves)(const Shapes&, const Data<Half>&, float*, float*, int64_t);
};

Functions Best() {
  switch (ChosenIsa()) {
#ifdef TFVFI_MANY_VERSIONS
    case Isa::kAvx512Bf16:
    case Isa::kAvx512: {
      constexpr auto multiply = Hot<MultiplyAll<Wide>>::Avx512;
      return {kLanes<Wide::Vector>, Hot<TransformAny<Wide>>::Avx512,
              Hot<ConvolveBlock<Wide, float, multiply>>::Avx512,
              Hot<ConvolveBlock<Wide, Half, multiply>>::Avx512};
    }
    case Isa::kAvx2: {
      constexpr auto multiply = Hot<MultiplyAll<Middle>>::Avx2;
      return {kLanes<Middle::Vector>, Hot<TransformAny<Middle>>::Avx2,
              Hot<ConvolveBlock<Middle, float, multiply>>::Avx2,
              Hot<ConvolveBlock<Middle, Half, multiply>>::Avx2};
    }
#endif
    default: {
      constexpr auto multiply = Hot<MultiplyAll<Narrow>>::Baseline;
      return {kLanes<Narrow::Vector>, Hot<TransformAny<Narrow>>::Baseline,
              Hot<ConvolveBlock<Narrow, float, multiply>>::Baseline,
              Hot<ConvolveBlock<Narrow, Half, multiply>>::Baseline};
    }
  }
}

// As many tiles as fit into the cache of a core with their transforms, but few enough that no
// thread waits long for another. Blocks with parts are rather square, because around them lie
// windows that only parts read.
void ChooseBlock(Shapes* s) {
  constexpr int64_t kCache = 1 << 20, kFewest = 48;
  const int64_t fitting = kCache / (kPlaces * sizeof(float) * (s->inputs() + s->padded));
  const int64_t tiles = s->batch * s->tile_rows * s->tile_columns;
  const int64_t shared = tiles / (4 * ThreadCount()) + 1;
  const int64_t wanted = std::max<int64_t>(kFewest, std::min(fitting, shared));
  const int64_t most = s->parts > 1 ? 12 : wanted;
  const int64_t across = (s->tile_columns + most - 1) / most;
  s->block_columns = (s->tile_columns + across - 1) / across;
  s->block_rows = std::min(std::max<int64_t>(1, wanted / s->block_columns), s->tile_rows);
}

class LargeConvolution {
 public:
  explicit LargeConvolution(const Attributes& attributes) : stride_(attributes.Integer("stride")) {
    Require(stride_ == 1 || stride_ == 2, "stride must be 1 or 2");
  }

  void Compute(const Context& context) const {
    const Tensor image = context.Input4(0), kernel = context.Input(1), bias = context.Input(2);
    const Tensor slope = context.Input(3);
    const int64_t taps = kernel.rank() == 4 ? kernel.dim(0) : 0;
    Require((taps == 5 || taps == 7) && kernel.dim(1) == taps && kernel.dim(2) == image.dim(3),
            "kernel must be 5 x 5 or 7 x 7 x channels of the image x outputs");
    Shapes s{};
    s.batch = image.dim(0), s.height = image.dim(1), s.width = image.dim(2);
    s.channels = image.dim(3), s.outputs = kernel.dim(3), s.taps = taps, s.stride = stride_;
    Require(bias.size() == s.outputs && slope.size() == s.outputs,
            "bias and slope must have one number for each output");
    s.parts = taps == 7 && stride_ == 1 ? 2 : 1;
    s.part = stride_ == 2 ? taps / 2 + 1 : taps == 7 ? 4 : taps;
    s.before = (taps / 2 + stride_ - 1) / stride_;
    s.rows = (s.height + stride_ - 1) / stride_, s.columns = (s.width + stride_ - 1) / stride_;
    const Tensor out = context.Output(0, {s.batch, s.rows, s.columns, s.outputs}, image.type());
    if (out.size() == 0) return;

    const Functions best = Best();
    s.tile_rows = (s.rows + s.tile() - 1) / s.tile();
    s.tile_columns = (s.columns + s.tile() - 1) / s.tile();
    s.padded = (s.outputs + best.lanes - 1) / best.lanes * best.lanes;
    ChooseBlock(&s);
    const auto kernels = Allocate<float>(kPlaces * s.kernel_size());
    ParallelFor(s.parts * s.parts * s.inputs(), 10.0 * s.padded, [&](int64_t begin, int64_t end) {
      best.transform_kernels(s, kernel.data(), kernels.get(), begin, end);
    });
    const auto run = [&](auto number, auto function) {
      using Number = decltype(number);
      const Data<Number> data{image.data<Number>(), kernels.get(), bias.data(), slope.data(),
                              out.data<Number>()};
      const int64_t blocks = s.batch * ((s.tile_rows + s.block_rows - 1) / s.block_rows) *
                             ((s.tile_columns + s.block_columns - 1) / s.block_columns);
      const double cost = 1.0 * s.windows() * s.inputs() * s.padded;
      ParallelFor(blocks, cost, [&](int64_t begin, int64_t end) {
        const auto transformed = Allocate<float>(kPlaces * s.windows() * s.inputs());
        const auto products = Allocate<float>(kPlaces * s.windows() * s.padded);
        for (int64_t block = begin; block < end; ++block) {
          function(s, data, transformed.get(), products.get(), block);
        }
      });
    };
    if (image.type() == TF_FLOAT) {
      run(float(), best.floats);
    } else {
      run(Half(), best.halves);
    }
  }

 private:
  const int64_t stride_;
};

const bool registered =
    Register<LargeConvolution>({"TfvfiLargeConvolution",
                                {"image: T", "kernel: float", "bias: float", "slope: float"},
                                {"convolved: T"},
                                {"T: {float, bfloat16}", "stride: int"},
                                ShapeAtRunTime});

}  // namespace
}  // namespace tfvfi
