// The loops of 3 x 3 convolutions with very few outputs, compiled for each instruction set.
//
// Vectors hold channels of the image, not outputs, of which most lanes would be empty. Pixels are
// multiplied as they are: transforms would cost more than the multiplications that they save.

#ifndef TFVFI_OPS_NATIVE_NARROW_LOOPS_H_
#define TFVFI_OPS_NATIVE_NARROW_LOOPS_H_

#include <cstdint>

#include "winograd.h"

namespace tfvfi {
namespace narrow {

constexpr int64_t kMostOutputs = 4;

// The loops for one type of image and number of outputs.
struct Loops {
  int64_t lanes;  // The image must have at least so many channels.
  // Computes some rows of all frames, with packed kernels.
  void (*convolve)(const Shapes&, const Data&, int64_t begin, int64_t end);
};

Loops BestLoops(int64_t outputs, bool bfloat16);

// The first channel of each vector. The last vector also holds channels of the one before it if the
// channels do not fill all vectors.
inline int64_t FirstChannel(int64_t vector, int64_t lanes, int64_t channels) {
  return (vector + 1) * lanes <= channels ? vector * lanes : channels - lanes;
}

}  // namespace narrow
}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_NARROW_LOOPS_H_
