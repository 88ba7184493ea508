// 3 x 3 convolution with very few outputs.
//
// Vectors hold channels of the image, not outputs, of which most lanes would be empty. Pixels are
// multiplied as they are: transforms would cost more than the multiplications that they save.

#ifndef TFVFI_OPS_NATIVE_NARROW_CONVOLUTION_H_
#define TFVFI_OPS_NATIVE_NARROW_CONVOLUTION_H_

#include "winograd.h"

namespace tfvfi {

// Convolves an image with kernels that are not transformed. Returns false, and does nothing, unless
// there are few outputs, and enough inputs for a vector, and nothing else to do.
bool ConvolveNarrowly(const Shapes& shapes, bool bfloat16, Data data);

}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_NARROW_CONVOLUTION_H_
