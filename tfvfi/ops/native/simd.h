// Hot loops are compiled once for each generation of x86-64, and the best version is selected when
// the library is loaded. On other machines, and for sanitizers (which start after that selection),
// they are compiled once.

#ifndef TFVFI_OPS_NATIVE_SIMD_H_
#define TFVFI_OPS_NATIVE_SIMD_H_

#include <cstdlib>  // Defines whether the C library is glibc, which the selection requires.

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && \
    !defined(TFVFI_ONE_TARGET) && __GNUC__ >= 12
#define TFVFI_HOT __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TFVFI_HOT
#endif

// Functions that hot loops call must be inlined into each of their versions.
#define TFVFI_INLINE inline __attribute__((always_inline))

#define TFVFI_INLINE_LAMBDA __attribute__((always_inline))

#endif  // TFVFI_OPS_NATIVE_SIMD_H_
