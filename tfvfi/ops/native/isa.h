// The instruction sets for which hot loops are compiled, and the one that this process uses.

#ifndef TFVFI_OPS_NATIVE_ISA_H_
#define TFVFI_OPS_NATIVE_ISA_H_

namespace tfvfi {

// In ascending order: each includes those before it. "Baseline" is what every processor has that
// the library was compiled for; only x86-64 has others.
enum class Isa { kBaseline, kAvx2, kAvx512, kAvx512Bf16 };

// Returns the best instruction set of this processor, or the one that TFVFI_NATIVE_ISA names if
// that is lower.
Isa ChosenIsa();

}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_ISA_H_
