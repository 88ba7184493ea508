// Convolutions with 5 x 5 or 7 x 7 taps and stride 1 or 2, with zeros around the image, or with 4 x 4
// taps and none, bias, and a slope for negative values (PReLU).
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

#include "kernel.h"
#include "large_loops.h"
#include "parallel.h"
#include "scratch.h"

namespace tfvfi {
namespace {

using seven::kPlaces;
using seven::Loops;
using seven::Shapes;

// As many tiles as fit into the cache of a core with their transforms, but few enough that no
// thread waits long for another. Blocks with parts are rather square, because around them lie
// windows that only parts read.
void ChooseBlock(Shapes* s, int64_t factor_size) {
  constexpr int64_t kCache = 1 << 20, kFewest = 48;
  const int64_t bytes = factor_size * s->depth + sizeof(float) * s->padded;
  const int64_t fitting = kCache / (kPlaces * bytes);
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
  explicit LargeConvolution(const Attributes& attributes)
      : stride_(attributes.Integer("stride")) {
    Require(stride_ == 1 || stride_ == 2, "stride must be 1 or 2");
  }

  void Compute(const Context& context) const {
    const Tensor image = context.Input4(0), kernel = context.Input(1), bias = context.Input(2);
    const Tensor slope = context.Input(3);
    const int64_t taps = kernel.rank() == 4 ? kernel.dim(0) : 0;
    Require((taps == 5 || taps == 7 || (taps == 4 && stride_ == 1)) && kernel.dim(1) == taps &&
                kernel.dim(2) == image.dim(3),
            "kernel must be 5 x 5 or 7 x 7, or at stride 1 4 x 4, x channels of the image x outputs");
    Shapes s{};
    s.batch = image.dim(0), s.height = image.dim(1), s.width = image.dim(2);
    s.channels = image.dim(3), s.outputs = kernel.dim(3), s.taps = taps, s.stride = stride_;
    Require(bias.size() == s.outputs && slope.size() == s.outputs,
            "bias and slope must have one number for each output");
    s.parts = taps == 7 && stride_ == 1 ? 2 : 1;
    s.part = stride_ == 2 ? taps / 2 + 1 : taps == 7 ? 4 : taps;
    s.center = taps % 2 ? taps / 2 : 0;
    s.before = (s.center + stride_ - 1) / stride_;
    const auto outputs = [&](int64_t pixels) {
      return taps % 2 ? (pixels + stride_ - 1) / stride_ : std::max<int64_t>(0, pixels + 1 - taps);
    };
    s.rows = outputs(s.height), s.columns = outputs(s.width);
    const Tensor out = context.Output(0, {s.batch, s.rows, s.columns, s.outputs}, image.type());
    if (out.size() == 0) return;

    const Loops loops = seven::BestLoops(image.type() != TF_FLOAT);
    const auto rounded_up = [](int64_t count, int64_t step) {
      return (count + step - 1) / step * step;
    };
    s.tile_rows = rounded_up(s.rows, s.tile()) / s.tile();
    s.tile_columns = rounded_up(s.columns, s.tile()) / s.tile();
    s.depth = rounded_up(s.inputs(), loops.depth);
    s.padded = rounded_up(s.outputs, loops.lanes);
    ChooseBlock(&s, loops.factor_size);
    const auto kernels = Allocate<char>(kPlaces * loops.factor_size * s.kernel_size());
    ParallelFor(s.parts * s.parts * s.depth / loops.depth, 10.0 * s.padded,
                [&](int64_t begin, int64_t end) {
                  loops.transform_kernels(s, kernel.data(), kernels.get(), begin, end);
                });
    const seven::Data data{image.data<void>(), kernels.get(), bias.data(), slope.data(),
                           out.data<void>()};
    const double cost = 1.0 * s.windows() * s.inputs() * s.padded;
    ParallelFor(s.blocks(), cost, [&](int64_t begin, int64_t end) {
      const int64_t bytes = kPlaces * loops.factor_size * s.windows() * s.depth;
      const auto transformed = Allocate<char>(bytes);
      // Inputs that are there only to complete a step must be 0.
      if (s.depth > s.inputs()) std::memset(transformed.get(), 0, bytes);
      const auto products = Allocate<float>(kPlaces * s.windows() * s.padded);
      for (int64_t block = begin; block < end; ++block) {
        loops.convolve(s, data, transformed.get(), products.get(), block);
      }
    });
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
