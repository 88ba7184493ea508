// Memory for the intermediate results of an operation, aligned to 64 bytes.
//
// The system hands out large blocks page by page and clears every page first. For convolutions of
// small images by large kernels, this takes longer than the arithmetic. Large blocks are therefore
// kept for the next operation.

#ifndef TFVFI_OPS_NATIVE_SCRATCH_H_
#define TFVFI_OPS_NATIVE_SCRATCH_H_

#include <cstdint>
#include <memory>

namespace tfvfi {

char* TakeScratch(int64_t bytes);
void GiveScratchBack(char* memory);

struct GiveBack {
  template <class Number>
  void operator()(Number* memory) const {
    GiveScratchBack(reinterpret_cast<char*>(memory));
  }
};

// Returns memory whose content is arbitrary.
template <class Number>
std::unique_ptr<Number[], GiveBack> Allocate(int64_t count) {
  char* const memory = TakeScratch(sizeof(Number) * count);
  return std::unique_ptr<Number[], GiveBack>(reinterpret_cast<Number*>(memory));
}

}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_SCRATCH_H_
