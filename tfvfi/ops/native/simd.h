// Hot loops are compiled once for each of several instruction sets of x86-64, and `ChosenIsa()`
// selects the version that runs. On other machines they are compiled once.
//
//   TFVFI_INLINE void Add(const float* a, float* sums, int64_t count) { ... }
//   Hot<Add>::Run(a, sums, count);

#ifndef TFVFI_OPS_NATIVE_SIMD_H_
#define TFVFI_OPS_NATIVE_SIMD_H_

#include "isa.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define TFVFI_MANY_VERSIONS
#define TFVFI_AVX2 __attribute__((target("avx2,fma,bmi,bmi2")))
#define TFVFI_AVX512 \
  __attribute__((target("avx2,fma,bmi,bmi2,avx512f,avx512bw,avx512cd,avx512dq,avx512vl")))
#else
#define TFVFI_AVX2
#define TFVFI_AVX512
#endif

// Functions that hot loops call must be inlined into each of their versions.
#define TFVFI_INLINE inline __attribute__((always_inline))

#define TFVFI_INLINE_LAMBDA __attribute__((always_inline))

namespace tfvfi {

// The versions of a function, which must be TFVFI_INLINE.
template <auto kFunction>
struct Hot;

template <class... Arguments, void (*kFunction)(Arguments...)>
struct Hot<kFunction> {
  TFVFI_AVX512 static void Avx512(Arguments... arguments) { kFunction(arguments...); }
  TFVFI_AVX2 static void Avx2(Arguments... arguments) { kFunction(arguments...); }
  static void Baseline(Arguments... arguments) { kFunction(arguments...); }

  // Returns the version for an instruction set.
  template <Isa kIsa>
  static constexpr auto For() {
    if constexpr (kIsa == Isa::kBaseline) {
      return Baseline;
    } else if constexpr (kIsa == Isa::kAvx2) {
      return Avx2;
    } else {
      return Avx512;
    }
  }

  // Calls the best version.
  static void Run(Arguments... arguments) {
    switch (ChosenIsa()) {
      case Isa::kAvx512Bf16:
      case Isa::kAvx512:
        return Avx512(arguments...);
      case Isa::kAvx2:
        return Avx2(arguments...);
      case Isa::kBaseline:
        return Baseline(arguments...);
    }
  }
};

}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_SIMD_H_
