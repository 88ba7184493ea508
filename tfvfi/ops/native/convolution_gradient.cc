// The gradient of a 3 x 3 convolution with zeros around the image to its kernel.
//
// As in `convolution.cc`, the kernel may be applied to the last channels of the image only. The
// upstream gradient then has as many channels before those of the kernel's outputs.
//
// Winograd's minimal filtering is linear in the kernel, so its transpose computes the gradient: the
// windows of the image are transformed as before, tiles of the upstream gradient by the transpose of
// the inverse transform. Their products are summed over all tiles at each place, and the sums are
// transformed by the transpose of the kernels' transform.
//
// The sums are over blocks of tiles, one after the other. Threads share the tiles of a block and
// then its places, so that the order of every sum depends on the shapes alone.

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "convolution_gradient_loops.h"
#include "kernel.h"
#include "parallel.h"
#include "scratch.h"
#include "winograd.h"

namespace tfvfi {
namespace {

// The number of tiles in a block: many, because every block reads and writes all sums, but few
// enough that their transforms stay in the cache that cores share.
int64_t BlockOf(const Shapes& shapes) {
  constexpr int64_t kCache = 4 << 20, kFewest = 64;
  const int64_t bytes = kPlaces * sizeof(float) * (shapes.inputs + shapes.padded);
  return std::min(shapes.tiles(), std::max(kFewest, kCache / bytes));
}

class ConvolutionKernelGradient {
 public:
  explicit ConvolutionKernelGradient(const Attributes& attributes)
      : inputs_(attributes.Integer("inputs")), outputs_(attributes.Integer("outputs")) {}

  void Compute(const Context& context) const {
    const Tensor image = context.Input4(0), upstream = context.Input4(1);
    Shapes shapes{image.dim(0), image.dim(1), image.dim(2), inputs_, outputs_, kTaps};
    shapes.passed = image.dim(3) - inputs_;
    shapes.scale = 1;
    Require(inputs_ > 0 && outputs_ > 0 && shapes.passed >= 0,
            "inputs must be channels of the image");
    Require(upstream.shape() == std::vector<int64_t>{shapes.batch, shapes.height, shapes.width,
                                                     shapes.channels_out()},
            "upstream must have the shape of the result");
    const Tensor gradient = context.Output(0, {3, 3, inputs_, outputs_});
    if (image.size() == 0) {
      std::memset(gradient.data(), 0, sizeof(float) * gradient.size());
      return;
    }
    const GradientLoops loops = BestGradientLoops(image.type() != TF_FLOAT);
    const auto rounded_up = [](int64_t count, int64_t step) {
      return (count + step - 1) / step * step;
    };
    shapes.tile_rows = rounded_up(shapes.height, kTile) / kTile;
    shapes.tile_columns = rounded_up(shapes.width, kTile) / kTile;
    shapes.padded = rounded_up(shapes.outputs, loops.lanes);
    shapes.block = BlockOf(shapes);

    const auto windows = Allocate<float>(kPlaces * shapes.block * inputs_ + kMostRows - 1);
    const int64_t upstream_size = kPlaces * shapes.block * shapes.padded;
    const auto above = Allocate<float>(upstream_size);
    // Outputs that are there only to complete a vector are not used, but must not be slow.
    if (shapes.padded > outputs_) std::memset(above.get(), 0, sizeof(float) * upstream_size);
    const auto products =
        Allocate<float>(kPlaces * (inputs_ + kMostRows - 1) * shapes.padded);
    const Transforms all{windows.get(), above.get(), products.get()};
    for (int64_t first = 0; first < shapes.tiles(); first += shapes.block) {
      const int64_t count = std::min(shapes.block, shapes.tiles() - first);
      const double transform = 5.0 * (inputs_ + outputs_);
      ParallelFor(count, transform, [&](int64_t begin, int64_t end) {
        loops.transform(shapes, image.data<void>(), upstream.data<void>(), all, first, begin, end);
      });
      const double multiply = 0.03 * count * inputs_ * shapes.padded;
      ParallelFor(kPlaces, multiply, [&](int64_t begin, int64_t end) {
        loops.multiply(shapes, all, count, first > 0, begin, end);
      });
    }
    ParallelFor(inputs_, 5.0 * shapes.padded, [&](int64_t begin, int64_t end) {
      loops.transform_back(shapes, products.get(), gradient.data(), begin, end);
    });
  }

 private:
  const int64_t inputs_, outputs_;
};

const bool registered =
    Register<ConvolutionKernelGradient>({"TfvfiConvolutionKernelGradient",
                                         {"image: T", "upstream: T"},
                                         {"gradient: float"},
                                         {"T: {float, bfloat16}", "inputs: int", "outputs: int"},
                                         ShapeAtRunTime});

}  // namespace
}  // namespace tfvfi
