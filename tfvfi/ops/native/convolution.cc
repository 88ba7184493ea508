// 3 x 3 convolution with zeros around the image, bias, and a slope for negative values (PReLU).
//
// A kernel with fewer inputs than the image has channels is applied to the last ones, and the
// channels before them are copied. "doubled" computes four output pixels for each input pixel: the
// outputs of the kernel are those of the upper left pixel, the upper right, the lower left and the
// lower right one. This implements a transposed convolution with stride 2.
//
// Tiles are processed in blocks that stay in the cache. They are transformed, see `winograd.h`,
// multiplied by the kernels as 36 matrix products, and transformed back, together with bias,
// shortcut and slope.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "kernel.h"
#include "parallel.h"
#include "products.h"
#include "simd.h"
#include "vectors.h"
#include "winograd.h"

namespace tfvfi {
namespace {

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

// Versions define the vectors, how many of them a panel has, and how many rows are summed at once,
// so that all sums stay in registers.
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

// The number of tiles in a block: as many as fit into the cache of a core with their transforms,
// but few enough that no thread waits long for another.
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
