// 3 x 3 convolution with zeros around the image, bias, and a slope for negative values (PReLU).
//
// A kernel with fewer inputs than the image has channels is applied to the last ones, and the
// channels before them are copied.
//
// "doubled" computes a transposed 4 x 4 convolution with stride 2. Its kernel is read as one with
// 2 x 2 taps and four outputs for each channel: those of the upper left, the upper right, the lower
// left and the lower right pixel. With zeros all around the image, the kernel takes one position
// more than there are pixels on each axis. The upper pixels leave out the last row of positions and
// the lower ones the first row, and so do those on the left and on the right with columns.
//
// Tiles are processed in blocks that stay in the cache. They are transformed, see `winograd.h`,
// multiplied by the kernels as 36 matrix products, and transformed back, together with bias,
// shortcut and slope. If there are few tiles but large kernels, it is the kernels that are processed
// in panels that stay in the cache, and all tiles are one block. Both orders give the same bits.
// Convolutions with very few outputs are not transformed, see `narrow_convolution.h`.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "convolution_loops.h"
#include "kernel.h"
#include "narrow_convolution.h"
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

int64_t Steps(int64_t count, int64_t step) { return (count + step - 1) / step; }

// Returns whether to process panels of kernels instead of blocks of tiles: whether the transformed
// kernels are much larger than the transformed windows, and every thread gets a panel.
bool InPanels(const Shapes& shapes, const Loops& loops) {
  return shapes.padded >= 3 * shapes.tiles() && shapes.padded >= loops.panel * ThreadCount();
}

class Convolution {
 public:
  explicit Convolution(const Attributes& attributes) : doubled_(attributes.Boolean("doubled")) {}

  void Compute(const Context& context) const {
    const Tensor image = context.Input4(0), kernel = context.Input(1), bias = context.Input(2);
    const Tensor slope = context.Input(3), shortcut = context.Input(4);
    const int64_t side = doubled_ ? 4 : 3, axis = doubled_ ? 3 : 2;
    Require(kernel.rank() == 4 && kernel.dim(0) == side && kernel.dim(1) == side &&
                kernel.dim(axis) <= image.dim(3),
            "kernel must be 3 x 3 x channels of the image x outputs, or if doubled, 4 x 4 x outputs "
            "x channels");
    Shapes shapes{image.dim(0), image.dim(1), image.dim(2), kernel.dim(axis)};
    shapes.taps = doubled_ ? 2 : 3;
    shapes.scale = doubled_ ? 2 : 1;
    shapes.outputs = shapes.scale * shapes.scale * kernel.dim(5 - axis);
    shapes.passed = image.dim(3) - shapes.inputs;
    Require(!doubled_ || shapes.passed == 0, "all channels must be doubled");
    const int64_t channels = shapes.outputs_of_pixel();
    Require(bias.size() == channels && slope.size() == channels,
            "bias and slope must have one number for each channel of the output");
    const std::vector<int64_t> out_shape = {shapes.batch, shapes.scale * shapes.height,
                                            shapes.scale * shapes.width, shapes.channels_out()};
    Require(shortcut.size() == 0 || shortcut.shape() == out_shape,
            "shortcut must have the shape of the output");
    const Tensor out = context.Output(0, out_shape, image.type());
    if (out.size() == 0) return;

    const Loops loops = BestLoops(shapes.taps, image.type() != TF_FLOAT);
    shapes.tile_rows = Steps(shapes.rows_of_positions(), TileOf(shapes.taps));
    shapes.tile_columns = Steps(shapes.columns_of_positions(), TileOf(shapes.taps));
    shapes.depth = Steps(shapes.inputs, loops.depth) * loops.depth;
    shapes.padded = Steps(shapes.outputs, loops.lanes) * loops.lanes;
    Data data{image.data<void>(),
              kernel.data<void>(),
              bias.data(),
              slope.data(),
              shortcut.size() ? shortcut.data<void>() : nullptr,
              out.data<void>()};
    if (ConvolveNarrowly(shapes, image.type() != TF_FLOAT, data)) return;
    if (InPanels(shapes, loops)) {
      ConvolvePanels(shapes, loops, data);
    } else {
      ConvolveBlocks(shapes, loops, data);
    }
  }

 private:
  static void ConvolveBlocks(Shapes shapes, const Loops& loops, Data data) {
    shapes.block = BlockOf(shapes, loops.factor_size);
    const auto kernels = Allocate<char>(kPlaces * loops.factor_size * shapes.depth * shapes.padded);
    ParallelFor(shapes.depth / loops.depth, 10.0 * shapes.padded, [&](int64_t begin, int64_t end) {
      loops.transform_kernels(shapes, static_cast<const float*>(data.kernels), kernels.get(), begin,
                              end);
    });
    data.kernels = kernels.get();
    const int64_t blocks = Steps(shapes.tiles(), shapes.block);
    const double cost = 1.0 * shapes.block * shapes.inputs * shapes.padded;
    ParallelFor(blocks, cost, [&](int64_t begin, int64_t end) {
      const auto windows = WindowsOf(shapes, loops);
      const auto products = Allocate<float>(kPlaces * shapes.rows() * shapes.padded);
      loops.convolve(shapes, data, windows.get(), products.get(), begin * shapes.block,
                     std::min(end * shapes.block, shapes.tiles()));
    });
  }

  static void ConvolvePanels(Shapes shapes, const Loops& loops, const Data& data) {
    shapes.block = shapes.tiles();
    const auto windows = WindowsOf(shapes, loops);
    ParallelFor(shapes.block, 1.0 * kPlaces * shapes.depth, [&](int64_t begin, int64_t end) {
      loops.transform_windows(shapes, data, windows.get(), begin, end);
    });
    // All threads get the same number of panels, or nearly so.
    const int64_t threads = ThreadCount();
    const int64_t wanted = Steps(Steps(shapes.padded, loops.panel), threads) * threads;
    shapes.panel = Steps(Steps(shapes.padded, wanted), loops.lanes) * loops.lanes;
    const double cost = 1.0 * shapes.block * shapes.inputs * shapes.panel;
    ParallelFor(Steps(shapes.padded, shapes.panel), cost, [&](int64_t begin, int64_t end) {
      const auto kernels = Allocate<char>(kPlaces * loops.factor_size * kInputs * shapes.panel);
      const auto products = Allocate<float>(kPlaces * shapes.rows() * shapes.panel);
      loops.convolve_panels(shapes, data, windows.get(), kernels.get(), products.get(), begin, end);
    });
  }

  // Returns memory for the transformed windows of a block.
  static std::unique_ptr<char[], GiveBack> WindowsOf(const Shapes& shapes, const Loops& loops) {
    const int64_t bytes = kPlaces * loops.factor_size * shapes.rows() * shapes.depth;
    auto windows = Allocate<char>(bytes);
    // Inputs that are there only to complete a step must be 0.
    if (shapes.depth > shapes.inputs) std::memset(windows.get(), 0, bytes);
    return windows;
  }

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
