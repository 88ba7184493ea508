// The loops of convolutions with windows of 6 x 6 pixels, compiled for each instruction set.

#ifndef TFVFI_OPS_NATIVE_CONVOLUTION_LOOPS_H_
#define TFVFI_OPS_NATIVE_CONVOLUTION_LOOPS_H_

#include <cstdint>

#include "winograd.h"

namespace tfvfi {

// The loops for one type of image, with types erased. Kernels and windows are transformed to factors
// of `factor_size` bytes, of which the products take `depth` adjacent ones in each step.
struct Loops {
  int64_t lanes, depth, factor_size;
  void (*transform_kernels)(const Shapes&, const float* kernels, void* out, int64_t begin,
                            int64_t end);
  void (*convolve)(const Shapes&, const Data&, void* transformed, float* products,
                   int64_t begin, int64_t end);
};

// Returns the best loops for kernels of 2 x 2 or 3 x 3 taps and images of bfloat16 or float32.
Loops BestLoops(int64_t taps, bool bfloat16);

}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_CONVOLUTION_LOOPS_H_
