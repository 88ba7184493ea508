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
#include <cstring>
#include <vector>

#include "convolution_loops.h"
#include "kernel.h"
#include "parallel.h"
#include "scratch.h"
#include "winograd.h"

namespace tfvfi {
namespace {

// The number of tiles in a block: as many as fit into the cache of a core with their transforms,
// but few enough that no thread waits long for another.
int64_t BlockOf(const Shapes& shapes, int64_t factor_size) {
  constexpr int64_t kCache = 1 << 20, kFewest = 24;
  const int64_t bytes = factor_size * shapes.depth + sizeof(float) * shapes.padded;
  const int64_t fitting = kCache / (kPlaces * bytes);
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

    const Loops loops = BestLoops(image.type() != TF_FLOAT);
    const auto rounded_up = [](int64_t count, int64_t step) {
      return (count + step - 1) / step * step;
    };
    shapes.tile_rows = rounded_up(shapes.height, kTile) / kTile;
    shapes.tile_columns = rounded_up(shapes.width, kTile) / kTile;
    shapes.depth = rounded_up(shapes.inputs, loops.depth);
    shapes.padded = rounded_up(shapes.outputs, loops.lanes);
    shapes.block = BlockOf(shapes, loops.factor_size);
    const auto kernels = Allocate<char>(kPlaces * loops.factor_size * shapes.depth * shapes.padded);
    ParallelFor(shapes.depth / loops.depth, 10.0 * shapes.padded, [&](int64_t begin, int64_t end) {
      loops.transform_kernels(shapes, kernel.data(), kernels.get(), begin, end);
    });
    const Data data{image.data<void>(),
                    kernels.get(),
                    bias.data(),
                    slope.data(),
                    shortcut.size() ? shortcut.data<void>() : nullptr,
                    out.data<void>()};
    const int64_t blocks = (shapes.tiles() + shapes.block - 1) / shapes.block;
    const double cost = 1.0 * shapes.block * shapes.inputs * shapes.padded;
    ParallelFor(blocks, cost, [&](int64_t begin, int64_t end) {
      const int64_t bytes = kPlaces * loops.factor_size * shapes.rows() * shapes.depth;
      const auto transformed = Allocate<char>(bytes);
      // Inputs that are there only to complete a step must be 0.
      if (shapes.depth > shapes.inputs) std::memset(transformed.get(), 0, bytes);
      const auto products = Allocate<float>(kPlaces * shapes.rows() * shapes.padded);
      loops.convolve(shapes, data, transformed.get(), products.get(), begin * shapes.block,
                     std::min(end * shapes.block, shapes.tiles()));
    });
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
