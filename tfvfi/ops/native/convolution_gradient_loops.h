// The loops of the gradient of a 3 x 3 convolution to its kernel, compiled for each instruction set.

#ifndef TFVFI_OPS_NATIVE_CONVOLUTION_GRADIENT_LOOPS_H_
#define TFVFI_OPS_NATIVE_CONVOLUTION_GRADIENT_LOOPS_H_

#include <cstdint>

#include "winograd.h"

namespace tfvfi {

constexpr int kTaps = 3, kTile = TileOf(kTaps);

// The transforms of a block of tiles, [place][tile][channel], and the sums of their products,
// [place][input][output].
struct Transforms {
  float *windows, *upstream, *products;
};

struct GradientLoops {
  int64_t lanes;

  // Transforms some tiles of a block that starts with tile `first`. `begin` and `end` count from
  // there.
  void (*transform)(const Shapes&, const void* image, const void* upstream, const Transforms&,
                    int64_t first, int64_t begin, int64_t end);

  // Adds the products of `count` tiles at some places, or stores them for the first block.
  void (*multiply)(const Shapes&, const Transforms&, int64_t count, bool add, int64_t begin,
                   int64_t end);

  // Writes the gradient, [3, 3, inputs, outputs], for some inputs.
  void (*transform_back)(const Shapes&, const float* products, float* gradient, int64_t begin,
                         int64_t end);
};

// Returns the best loops for images of bfloat16 or float32.
GradientLoops BestGradientLoops(bool bfloat16);

}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_CONVOLUTION_GRADIENT_LOOPS_H_
