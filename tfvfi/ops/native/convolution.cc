// 3 x 3 convolution with zeros around the image, bias, and a slope for negative values (PReLU).
//
// A kernel with fewer inputs than the image has channels is applied to the last ones, and the
// channels before them are copied.
//
// "doubled" computes a transposed 4 x 4 convolution with stride 2. Its kernel has 2 x 2 taps and
// four outputs for each channel: those of the upper left, the upper right, the lower left and the
// lower right pixel. With zeros all around the image, the kernel takes one position more than there
// are pixels on each axis. The upper pixels leave out the last row of positions and the lower ones
// the first row, and so do those on the left and on the right with columns.
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
  explicit Convolution(const Attributes& attributes) : doubled_(attributes.Boolean("doubled")) {}

  void Compute(const Context& context) const {
    const Tensor image = context.Input4(0), kernel = context.Input(1), bias = context.Input(2);
    const Tensor slope = context.Input(3), shortcut = context.Input(4);
    const int64_t taps = doubled_ ? 2 : 3;
    Require(kernel.rank() == 4 && kernel.dim(0) == taps && kernel.dim(1) == taps &&
                kernel.dim(2) <= image.dim(3),
            "kernel must be 3 x 3, or 2 x 2 if doubled, x channels of the image x outputs");
    Shapes shapes{image.dim(0), image.dim(1), image.dim(2), kernel.dim(2), kernel.dim(3), taps};
    shapes.passed = image.dim(3) - shapes.inputs;
    shapes.scale = doubled_ ? 2 : 1;
    Require(!doubled_ || (shapes.passed == 0 && shapes.outputs % 4 == 0),
            "what is doubled needs four outputs for each channel, and all channels of the image");
    const int64_t channels = shapes.outputs_of_pixel();
    Require(bias.size() == channels && slope.size() == channels,
            "bias and slope must have one number for each channel of the output");
    const std::vector<int64_t> out_shape = {shapes.batch, shapes.scale * shapes.height,
                                            shapes.scale * shapes.width, shapes.channels_out()};
    Require(shortcut.size() == 0 || shortcut.shape() == out_shape,
            "shortcut must have the shape of the output");
    const Tensor out = context.Output(0, out_shape, image.type());
    if (out.size() == 0) return;

    const Loops loops = BestLoops(taps, image.type() != TF_FLOAT);
    const auto rounded_up = [](int64_t count, int64_t step) {
      return (count + step - 1) / step * step;
    };
    const int64_t side = TileOf(taps);
    shapes.tile_rows = rounded_up(shapes.rows_of_positions(), side) / side;
    shapes.tile_columns = rounded_up(shapes.columns_of_positions(), side) / side;
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
  const bool doubled_;
};

const bool registered = Register<Convolution>(
    {"TfvfiConvolution",
     {"image: T", "kernel: float", "bias: float", "slope: float", "shortcut: T"},
     {"convolved: T"},
     {"T: {float, bfloat16}", "doubled: bool"},
     ShapeAtRunTime});

}  // namespace
}  // namespace tfvfi
