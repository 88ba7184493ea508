// 3 x 3 convolution with zeros around the image, bias, and a slope for negative values (PReLU).
//
// A kernel with fewer inputs than the image has channels sees the last ones; those before pass
// through. "doubled" makes four pixels of one: outputs are those of the upper left one, the upper
// right, the lower left, the lower right. That is how a transposed convolution at stride 2 is done.
//
// By Winograd's minimal filtering (Lavin and Gray, 2016): of 6 x 6 pixels and a kernel, both
// transformed, the products make 4 x 4 outputs, with a quarter of the multiplications. Tiles are
// taken in blocks that stay in the cache: transformed, multiplied by the kernels as 36 products of
// matrices, and transformed back, where bias, shortcut and slope cost no pass of their own.
//
// The transforms are those of polynomials known at 0, +-3/4, +-3/2 and infinity. At the usual
// points, 0, +-1, +-2 and infinity, sums cancel more, and errors are five times as large.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "kernel.h"
#include "parallel.h"
#include "simd.h"

namespace tfvfi {
namespace {

constexpr int kTile = 4;             // Side of what a tile gives,
constexpr int kWindow = kTile + 2;   // of what it reads,
constexpr int kPlaces = kWindow * kWindow;  // and the values of that.
constexpr int kMostRows = 12;               // That any version sums at once.

// The points, A and B with both signs, and what their polynomials are made of.
constexpr float kA = 0.75f, kB = 1.5f, kA2 = kA * kA, kB2 = kB * kB;
constexpr float kProduct = kA2 * kB2, kSum = kA2 + kB2;

typedef float Vector16 __attribute__((vector_size(64)));
typedef float Vector8 __attribute__((vector_size(32)));
typedef float Vector4 __attribute__((vector_size(16)));
typedef float Vector1 __attribute__((vector_size(4)));

template <class Vector>
constexpr int kLanes = sizeof(Vector) / sizeof(float);

template <class Vector>
TFVFI_INLINE Vector Load(const float* from) {
  Vector values;
  std::memcpy(&values, from, sizeof(Vector));
  return values;
}

template <class Vector>
TFVFI_INLINE void Store(float* to, Vector values) {
  std::memcpy(to, &values, sizeof(Vector));
}

// bfloat16 is the upper half of a float; it is rounded to the nearest, ties to even.
typedef uint16_t Half;

template <class Vector>
struct Bits {
  typedef uint32_t Whole __attribute__((vector_size(sizeof(Vector))));
  typedef uint16_t Upper __attribute__((vector_size(sizeof(Vector) / 2)));
};

template <class Vector>
TFVFI_INLINE Vector Load(const Half* from) {
  using Whole = typename Bits<Vector>::Whole;
  typename Bits<Vector>::Upper upper;
  std::memcpy(&upper, from, sizeof(upper));
  return reinterpret_cast<Vector>(__builtin_convertvector(upper, Whole) << 16);
}

template <class Vector>
TFVFI_INLINE void Store(Half* to, Vector values) {
  using Whole = typename Bits<Vector>::Whole;
  const Whole bits = reinterpret_cast<Whole>(values);
  const Whole rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const Whole quiet = (bits >> 16) | 64;
  const auto chosen = values == values ? rounded : quiet;
  const auto upper = __builtin_convertvector(chosen, typename Bits<Vector>::Upper);
  std::memcpy(to, &upper, sizeof(upper));
}

struct Shapes {
  int64_t batch, height, width, inputs, outputs;
  int64_t passed;  // Channels before those that the kernel sees.
  int64_t scale;   // Pixels that become of one, on each axis: 1 or 2.
  int64_t tile_rows, tile_columns;
  int64_t padded;  // Outputs up to a whole number of vectors.
  int64_t block;   // Tiles in a block; its matrices have more rows, which are computed for nothing.

  int64_t channels_in() const { return passed + inputs; }
  int64_t outputs_of_pixel() const { return outputs / (scale * scale); }
  int64_t channels_out() const { return passed + outputs_of_pixel(); }

  int64_t tiles() const { return batch * tile_rows * tile_columns; }
  int64_t rows() const { return block + kMostRows - 1; }
};

template <class Number>
struct Data {
  const Number* image;
  const float *kernels, *bias, *slope;
  const Number* shortcut;  // Or null.
  Number* out;
};

// One axis of the transform of a window.
template <class Vector>
TFVFI_INLINE void TransformWindow(const Vector in[kWindow], Vector out[kWindow]) {
  const Vector even_a = in[4] - kB2 * in[2], odd_a = kA * (in[3] - kB2 * in[1]);
  const Vector even_b = in[4] - kA2 * in[2], odd_b = kB * (in[3] - kA2 * in[1]);
  out[0] = kProduct * in[0] - kSum * in[2] + in[4];
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
  out[5] = kProduct * in[1] - kSum * in[3] + in[5];
}

// One axis of the transform back.
template <class Vector>
TFVFI_INLINE void TransformBack(const Vector in[kWindow], Vector out[kTile]) {
  const Vector sum_a = in[1] + in[2], difference_a = kA * (in[1] - in[2]);
  const Vector sum_b = in[3] + in[4], difference_b = kB * (in[3] - in[4]);
  out[0] = in[0] + sum_a + sum_b;
  out[1] = difference_a + difference_b;
  out[2] = kA2 * sum_a + kB2 * sum_b;
  out[3] = kA2 * difference_a + kB2 * difference_b + in[5];
}

// One axis of the transform of a kernel.
template <class Vector>
TFVFI_INLINE void TransformKernel(const Vector in[3], Vector out[kWindow]) {
  constexpr float scale_a = 1 / (2 * kA2 * (kA2 - kB2)), scale_b = 1 / (2 * kB2 * (kB2 - kA2));
  const Vector ends_a = in[0] + kA2 * in[2], ends_b = in[0] + kB2 * in[2];
  out[0] = in[0] * (1 / kProduct);
  out[1] = (ends_a + kA * in[1]) * scale_a;
  out[2] = (ends_a - kA * in[1]) * scale_a;
  out[3] = (ends_b + kB * in[1]) * scale_b;
  out[4] = (ends_b - kB * in[1]) * scale_b;
  out[5] = in[2];
}

// Kernels, [3, 3, inputs, outputs], as matrices: [place][panel][input][column of the panel].
template <class Version>
TFVFI_INLINE void TransformKernels(const Shapes& shapes, const float* kernels, float* out,
                                   int64_t begin, int64_t end) {
  using Vector = typename Version::Vector;
  constexpr int lanes = kLanes<Vector>, panel = Version::kVectors * lanes;
  for (int64_t input = begin; input < end; ++input) {
    for (int64_t output = 0; output < shapes.padded; output += lanes) {
      const int64_t there = std::min<int64_t>(lanes, shapes.outputs - output);
      Vector columns[3][kWindow];
      for (int x = 0; x < 3; ++x) {
        Vector column[3] = {};
        for (int y = 0; y < 3; ++y) {
          const int64_t at = ((y * 3 + x) * shapes.inputs + input) * shapes.outputs + output;
          std::memcpy(&column[y], kernels + at, there * sizeof(float));
        }
        TransformKernel(column, columns[x]);
      }
      const int64_t first = output / panel * panel;
      const int64_t wide = std::min<int64_t>(panel, shapes.padded - first);
      float* place = out + first * shapes.inputs + input * wide + output - first;
      for (int y = 0; y < kWindow; ++y) {
        Vector row[3], transformed[kWindow];
        for (int x = 0; x < 3; ++x) row[x] = columns[x][y];
        TransformKernel(row, transformed);
        for (int x = 0; x < kWindow; ++x, place += shapes.inputs * shapes.padded) {
          Store(place, transformed[x]);
        }
      }
    }
  }
}

// The windows of a block of tiles, at some channels, transformed: [place][tile][input].
template <class Vector, class Number>
TFVFI_INLINE void TransformChannels(const Shapes& shapes, const Number* frame, int64_t top,
                                    int64_t left, int64_t channel, int64_t step, float* out) {
  Vector rows[kWindow][kWindow];
  for (int y = 0; y < kWindow; ++y) {
    const bool inside = top + y >= 0 && top + y < shapes.height;
    Vector line[kWindow];
    for (int x = 0; x < kWindow; ++x) {
      const bool there = inside && left + x >= 0 && left + x < shapes.width;
      const int64_t pixel = (top + y) * shapes.width + left + x;
      line[x] = there ? Load<Vector>(frame + pixel * shapes.channels_in() + channel) : Vector{};
    }
    TransformWindow(line, rows[y]);
  }
  for (int x = 0; x < kWindow; ++x) {
    Vector column[kWindow], transformed[kWindow];
    for (int y = 0; y < kWindow; ++y) column[y] = rows[y][x];
    TransformWindow(column, transformed);
    for (int y = 0; y < kWindow; ++y) {
      Store(out + (y * kWindow + x) * step + channel, transformed[y]);
    }
  }
}

// c = a b for some rows of a and one panel of b.
template <class Vector, int kRows, int kVectors>
TFVFI_INLINE void MultiplyRows(const float* a, const float* b, int64_t inputs, float* c,
                               int64_t stride) {
  constexpr int lanes = kLanes<Vector>;
  Vector sums[kRows][kVectors] = {};
  for (int64_t k = 0; k < inputs; ++k, b += kVectors * lanes) {
    Vector right[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) right[v] = Load<Vector>(b + v * lanes);
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) {
      const float left = a[row * inputs + k];
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sums[row][v] += left * right[v];
    }
  }
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) Store(c + row * stride + v * lanes, sums[row][v]);
  }
}

// All rows, and some more up to a whole number of steps.
template <class Vector, int kRows, int kVectors>
TFVFI_INLINE void MultiplyPanel(const float* a, const float* b, int64_t rows, int64_t inputs,
                                float* c, int64_t stride) {
  for (int64_t row = 0; row < rows; row += kRows) {
    MultiplyRows<Vector, kRows, kVectors>(a + row * inputs, b, inputs, c + row * stride, stride);
  }
}

template <class Version>
TFVFI_INLINE void Multiply(const float* a, const float* b, int64_t rows, int64_t inputs,
                           int64_t padded, float* c) {
  using Vector = typename Version::Vector;
  constexpr int lanes = kLanes<Vector>;
  for (int64_t column = 0; column < padded;) {
    const int64_t vectors = std::min<int64_t>(Version::kVectors, (padded - column) / lanes);
    const float* panel = b + column * inputs;
    switch (vectors) {
      case 1:
        MultiplyPanel<Vector, Version::Rows(1), 1>(a, panel, rows, inputs, c + column, padded);
        break;
      case 2:
        MultiplyPanel<Vector, Version::Rows(2), 2>(a, panel, rows, inputs, c + column, padded);
        break;
      case 3:
        MultiplyPanel<Vector, Version::Rows(3), std::min(3, Version::kVectors)>(
            a, panel, rows, inputs, c + column, padded);
        break;
      case 4:
        MultiplyPanel<Vector, Version::Rows(4), std::min(4, Version::kVectors)>(
            a, panel, rows, inputs, c + column, padded);
        break;
      default:
        MultiplyPanel<Vector, Version::Rows(5), std::min(5, Version::kVectors)>(
            a, panel, rows, inputs, c + column, padded);
    }
    column += vectors * lanes;
  }
}

// Where a tile lies.
struct Place {
  int64_t frame, row, column;    // The first pixel.
  int64_t rows, columns;         // How many of its outputs there are.

  Place(const Shapes& shapes, int64_t tile)
      : frame(tile / shapes.tile_columns / shapes.tile_rows),
        row(tile / shapes.tile_columns % shapes.tile_rows * kTile),
        column(tile % shapes.tile_columns * kTile),
        rows(std::min<int64_t>(kTile, shapes.height - row)),
        columns(std::min<int64_t>(kTile, shapes.width - column)) {}
};

// A tile of the output, at some outputs, whose first is at `first` in the output.
template <class Vector, class Number>
TFVFI_INLINE void FinishChannels(const Shapes& shapes, const Data<Number>& data,
                                 const float* products, int64_t step, const Place& place,
                                 int64_t first, int64_t channel) {
  Vector halves[kTile][kWindow];
  for (int x = 0; x < kWindow; ++x) {
    Vector column[kWindow], back[kTile];
    for (int y = 0; y < kWindow; ++y) {
      column[y] = Load<Vector>(products + (y * kWindow + x) * step + channel);
    }
    TransformBack(column, back);
    for (int y = 0; y < kTile; ++y) halves[y][x] = back[y];
  }
  const Vector bias = Load<Vector>(data.bias + channel), slope = Load<Vector>(data.slope + channel);
  const int64_t pixel = shapes.scale * shapes.channels_out();
  for (int y = 0; y < place.rows; ++y) {
    Vector back[kTile];
    TransformBack(halves[y], back);
    for (int x = 0; x < place.columns; ++x) {
      const int64_t at = first + (y * shapes.scale * shapes.width + x) * pixel;
      Vector value = back[x] + bias;
      if (data.shortcut) value += Load<Vector>(data.shortcut + at);
      Store(data.out + at, value > 0 ? value : slope * value);
    }
  }
}

// The channels of a tile that the kernel does not see.
template <class Number>
TFVFI_INLINE void PassChannels(const Shapes& shapes, const Data<Number>& data, const Place& place) {
  for (int64_t y = 0; y < place.rows; ++y) {
    const int64_t row = place.frame * shapes.height + place.row + y;
    for (int64_t x = 0; x < place.columns; ++x) {
      const int64_t pixel = row * shapes.width + place.column + x;
      std::memcpy(data.out + pixel * shapes.channels_out(),
                  data.image + pixel * shapes.channels_in(), shapes.passed * sizeof(Number));
    }
  }
}

// Calls work(vector type as a value, channel) until all channels are covered; the last ones may
// be covered twice.
template <class Vector, class Work>
TFVFI_INLINE void ForChannels(int64_t channels, const Work& work) {
  constexpr int lanes = kLanes<Vector>;
  if (channels >= lanes) {
    for (int64_t channel = 0; channel + lanes <= channels; channel += lanes) {
      work(Vector{}, channel);
    }
    if (channels % lanes) work(Vector{}, channels - lanes);
  } else if constexpr (lanes > 4) {
    ForChannels<std::conditional_t<lanes == 16, Vector8, Vector4>>(channels, work);
  } else {
    for (int64_t channel = 0; channel < channels; ++channel) work(Vector1{}, channel);
  }
}

template <class Version, class Number>
TFVFI_INLINE void ConvolveTiles(const Shapes& shapes, const Data<Number>& data, float* transformed,
                                float* products, int64_t begin, int64_t end) {
  using Vector = typename Version::Vector;
  const int64_t per_pixel = shapes.outputs_of_pixel(), wide = shapes.scale * shapes.width;
  const int64_t a_step = shapes.rows() * shapes.inputs, c_step = shapes.rows() * shapes.padded;
  for (int64_t first = begin; first < end; first += shapes.block) {
    const int64_t count = std::min<int64_t>(shapes.block, end - first);
    for (int64_t tile = 0; tile < count; ++tile) {
      const Place place(shapes, first + tile);
      const Number* frame = data.image + shapes.passed +
                            place.frame * shapes.height * shapes.width * shapes.channels_in();
      ForChannels<Vector>(shapes.inputs, [&](auto vector, int64_t channel) TFVFI_INLINE_LAMBDA {
        TransformChannels<decltype(vector)>(shapes, frame, place.row - 1, place.column - 1, channel,
                                            a_step, transformed + tile * shapes.inputs);
      });
    }
    for (int place = 0; place < kPlaces; ++place) {
      Multiply<Version>(transformed + place * a_step,
                        data.kernels + place * shapes.inputs * shapes.padded, count, shapes.inputs,
                        shapes.padded, products + place * c_step);
    }
    for (int64_t tile = 0; tile < count; ++tile) {
      const Place place(shapes, first + tile);
      for (int64_t part = 0; part < shapes.scale * shapes.scale; ++part) {
        const int64_t row = shapes.scale * (place.frame * shapes.height + place.row) +
                            part / shapes.scale;
        const int64_t pixel = row * wide + shapes.scale * place.column + part % shapes.scale;
        const int64_t start = pixel * shapes.channels_out() + shapes.passed;
        ForChannels<Vector>(per_pixel, [&](auto vector, int64_t channel) TFVFI_INLINE_LAMBDA {
          FinishChannels<decltype(vector)>(shapes, data, products + tile * shapes.padded, c_step,
                                           place, start + channel, part * per_pixel + channel);
        });
      }
      if (shapes.passed) PassChannels(shapes, data, place);
    }
  }
}

// Versions: vectors, how many of them a panel has, and how many rows are summed at once, so that all
// sums stay in registers.
struct Wide {
  using Vector = Vector16;
  static constexpr int kVectors = 5;
  static constexpr int Rows(int vectors) {
    constexpr int rows[] = {12, 12, 8, 6, 5};
    return rows[vectors - 1];
  }
};

struct Middle {
  using Vector = Vector8;
  static constexpr int kVectors = 2;
  static constexpr int Rows(int vectors) { return vectors == 1 ? 10 : 6; }
};

struct Narrow {
  using Vector = Vector4;
  static constexpr int kVectors = 2;
  static constexpr int Rows(int vectors) { return vectors == 1 ? 10 : 6; }
};

struct Functions {
  int lanes;
  void (*transform_kernels)(const Shapes&, const float*, float*, int64_t, int64_t);
  void (*floats)(const Shapes&, const Data<float>&, float*, float*, int64_t, int64_t);
  void (*halves)(const Shapes&, const Data<Half>&, float*, float*, int64_t, int64_t);
};

#define TFVFI_VERSION(Version, attributes)                                                         \
  attributes void Transform##Version(const Shapes& shapes, const float* kernels, float* out,       \
                                     int64_t begin, int64_t end) {                                 \
    TransformKernels<Version>(shapes, kernels, out, begin, end);                                   \
  }                                                                                                \
  attributes void Floats##Version(const Shapes& shapes, const Data<float>& data,                   \
                                  float* transformed, float* products, int64_t begin,              \
                                  int64_t end) {                                                   \
    ConvolveTiles<Version>(shapes, data, transformed, products, begin, end);                       \
  }                                                                                                \
  attributes void Halves##Version(const Shapes& shapes, const Data<Half>& data,                    \
                                  float* transformed, float* products, int64_t begin,              \
                                  int64_t end) {                                                   \
    ConvolveTiles<Version>(shapes, data, transformed, products, begin, end);                       \
  }                                                                                                \
  constexpr Functions k##Version = {kLanes<Version::Vector>, Transform##Version, Floats##Version,  \
                                    Halves##Version};

#if defined(__x86_64__) && defined(__GNUC__) && !defined(TFVFI_ONE_TARGET)
#define TFVFI_MANY_VERSIONS
TFVFI_VERSION(Wide, __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"))))
TFVFI_VERSION(Middle, __attribute__((target("avx2,fma"))))
#endif
TFVFI_VERSION(Narrow, )

const Functions& Best() {
#ifdef TFVFI_MANY_VERSIONS
  if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq")) {
    return kWide;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return kMiddle;
#endif
  return kNarrow;
}

struct Free {
  void operator()(float* memory) const { ::operator delete[](memory, std::align_val_t(64)); }
};

std::unique_ptr<float[], Free> Allocate(int64_t count) {
  return std::unique_ptr<float[], Free>(
      static_cast<float*>(::operator new[](sizeof(float) * count, std::align_val_t(64))));
}

// Tiles in a block: as many as fit in a core's own cache with their transforms, but enough blocks
// that no thread waits long for another.
int64_t BlockOf(const Shapes& shapes) {
  constexpr int64_t kCache = 1 << 20, kFewest = 24;
  const int64_t fitting = kCache / (kPlaces * sizeof(float) * (shapes.inputs + shapes.padded));
  const int64_t shared = shapes.tiles() / (4 * ThreadCount()) + 1;
  return std::max<int64_t>(kFewest, std::min(fitting, shared));
}

class Convolution {
 public:
  explicit Convolution(const Attributes& attributes)
      : scale_(attributes.Boolean("doubled") ? 2 : 1) {}

  void Compute(const Context& context) const {
    const Tensor image = context.Input4(0), kernel = context.Input(1), bias = context.Input(2);
    const Tensor slope = context.Input(3), shortcut = context.Input(4);
    Require(kernel.rank() == 4 && kernel.dim(0) == 3 && kernel.dim(1) == 3 &&
                kernel.dim(2) <= image.dim(3),
            "kernel must be 3 x 3 x channels of the image x outputs");
    Shapes shapes{image.dim(0), image.dim(1), image.dim(2), kernel.dim(2), kernel.dim(3)};
    shapes.passed = image.dim(3) - shapes.inputs;
    shapes.scale = scale_;
    Require(scale_ == 1 || (shapes.passed == 0 && shapes.outputs % 4 == 0),
            "what is doubled needs four outputs for each channel, and all channels of the image");
    Require(bias.size() == shapes.outputs && slope.size() == shapes.outputs,
            "bias and slope must have one number for each output");
    const std::vector<int64_t> out_shape = {shapes.batch, scale_ * shapes.height,
                                            scale_ * shapes.width, shapes.channels_out()};
    Require(shortcut.size() == 0 || shortcut.shape() == out_shape,
            "shortcut must have the shape of the output");
    const Tensor out = context.Output(0, out_shape, image.type());
    if (out.size() == 0) return;

    const Functions& best = Best();
    shapes.tile_rows = (shapes.height + kTile - 1) / kTile;
    shapes.tile_columns = (shapes.width + kTile - 1) / kTile;
    shapes.padded = (shapes.outputs + best.lanes - 1) / best.lanes * best.lanes;
    shapes.block = BlockOf(shapes);
    const auto kernels = Allocate(kPlaces * shapes.inputs * shapes.padded);
    ParallelFor(shapes.inputs, 10.0 * shapes.padded, [&](int64_t begin, int64_t end) {
      best.transform_kernels(shapes, kernel.data(), kernels.get(), begin, end);
    });
    const auto run = [&](auto number, auto function) {
      using Number = decltype(number);
      const Data<Number> data{image.data<Number>(), kernels.get(), bias.data(), slope.data(),
                              shortcut.size() ? shortcut.data<Number>() : nullptr,
                              out.data<Number>()};
      const int64_t blocks = (shapes.tiles() + shapes.block - 1) / shapes.block;
      const double cost = 1.0 * shapes.block * shapes.inputs * shapes.padded;
      ParallelFor(blocks, cost, [&](int64_t begin, int64_t end) {
        const auto transformed = Allocate(kPlaces * shapes.rows() * shapes.inputs);
        const auto products = Allocate(kPlaces * shapes.rows() * shapes.padded);
        function(shapes, data, transformed.get(), products.get(), begin * shapes.block,
                 std::min(end * shapes.block, shapes.tiles()));
      });
    };
    if (image.type() == TF_FLOAT) {
      run(float(), best.floats);
    } else {
      run(Half(), best.halves);
    }
  }

 private:
  const int64_t scale_;
};

const bool registered = Register<Convolution>(
    {"TfvfiConvolution",
     {"image: T", "kernel: float", "bias: float", "slope: float", "shortcut: T"},
     {"convolved: T"},
     {"T: {float, bfloat16}", "doubled: bool"},
     ShapeAtRunTime});

}  // namespace
}  // namespace tfvfi
