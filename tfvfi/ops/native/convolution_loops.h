// The loops of convolutions with windows of 6 x 6 pixels, compiled for each instruction set.

#ifndef TFVFI_OPS_NATIVE_CONVOLUTION_LOOPS_H_
#define TFVFI_OPS_NATIVE_CONVOLUTION_LOOPS_H_

#include <cstdint>

#include "winograd.h"

namespace tfvfi {

// The loops for one type of image, with types erased. Kernels and windows are transformed to factors
// of `factor_size` bytes, of which the products take `depth` adjacent ones in each step. A panel has
// at most `panel` outputs.
struct Loops {
  int64_t lanes, panel, depth, factor_size;
  // Transforms the kernels of some steps of inputs.
  void (*transform_kernels)(const Shapes&, const float* kernels, void* out, int64_t begin,
                            int64_t end);
  // Convolves some tiles, block by block, with transformed kernels.
  void (*convolve)(const Shapes&, const Data&, void* windows, float* products, int64_t begin,
                   int64_t end);
  // Transforms the windows of some tiles of the only block.
  void (*transform_windows)(const Shapes&, const Data&, void* windows, int64_t begin, int64_t end);
  // Convolves the only block with some panels of kernels, which are not transformed yet.
  void (*convolve_panels)(const Shapes&, const Data&, const void* windows, void* kernels,
                          float* products, int64_t begin, int64_t end);
};

// Inputs whose kernels `convolve_panels` transforms at a time. For a panel, they stay in the cache.
constexpr int64_t kInputs = 64;

// Returns the best loops for kernels of 2 x 2 or 3 x 3 taps and images of bfloat16 or float32.
Loops BestLoops(int64_t taps, bool bfloat16);

}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_CONVOLUTION_LOOPS_H_
