// How hot loops are compiled: once for each generation of x86-64, the fitting one chosen when the
// library is loaded. Elsewhere, and for sanitizers (they start after that choice), once.

#ifndef TFVFI_OPS_NATIVE_SIMD_H_
#define TFVFI_OPS_NATIVE_SIMD_H_

#include <cstdlib>  // Says whether the C library is glibc, which the choice relies on.

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && \
    !defined(TFVFI_ONE_TARGET) && __GNUC__ >= 12
#define TFVFI_HOT __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TFVFI_HOT
#endif

// What hot loops are made of must become part of each of their versions.
#define TFVFI_INLINE inline __attribute__((always_inline))

#define TFVFI_INLINE_LAMBDA __attribute__((always_inline))

#endif  // TFVFI_OPS_NATIVE_SIMD_H_
