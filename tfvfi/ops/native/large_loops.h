// The loops of convolutions with windows of 7 x 7 pixels, compiled for each instruction set.

#ifndef TFVFI_OPS_NATIVE_LARGE_LOOPS_H_
#define TFVFI_OPS_NATIVE_LARGE_LOOPS_H_

#include <algorithm>
#include <cstdint>

#include "products.h"
#include "seven.h"

namespace tfvfi {
namespace seven {

struct Shapes {
  int64_t batch, height, width, channels, outputs;
  int64_t taps, stride;   // of the given kernel
  int64_t center;         // The tap that reads the pixel of the output.
  int64_t part;           // Taps of a part on each axis, from which the side of a tile follows.
  int64_t parts;          // On each axis.
  int64_t before;         // Rows of zeros before the image, in strides.
  int64_t rows, columns;  // of the output
  int64_t tile_rows, tile_columns;
  int64_t block_rows, block_columns;  // Tiles in a block, without those that only parts read.
  int64_t depth;   // Inputs, rounded up to a whole number of steps of the products.
  int64_t padded;  // Outputs, rounded up to a whole number of vectors.

  int64_t phases() const { return stride * stride; }
  int64_t inputs() const { return phases() * channels; }
  int64_t tile() const { return kWindow + 1 - part; }
  int64_t kernel_size() const { return parts * parts * depth * padded; }
  int64_t windows() const {
    return (block_rows + parts - 1) * (block_columns + parts - 1) + parts + kMostRows;
  }
  int64_t blocks() const {
    return batch * ((tile_rows + block_rows - 1) / block_rows) *
           ((tile_columns + block_columns - 1) / block_columns);
  }
};

// Images are float32 or bfloat16, and so are the kernels, which are transformed.
struct Data {
  const void *image, *kernels;
  const float *bias, *slope;
  void* out;
};

// The loops for one type of image, with types erased. Kernels and windows are transformed to factors
// of `factor_size` bytes, of which the products take `depth` adjacent ones in each step.
struct Loops {
  int64_t lanes, depth, factor_size;
  void (*transform_kernels)(const Shapes&, const float* kernels, void* out, int64_t begin,
                            int64_t end);
  void (*convolve)(const Shapes&, const Data&, void* transformed, float* products, int64_t block);
};

// Returns the best loops for images of bfloat16 or float32.
Loops BestLoops(bool bfloat16);

}  // namespace seven
}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_LARGE_LOOPS_H_
