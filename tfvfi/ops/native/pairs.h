// Arithmetic of bfloat16 with the instructions of AVX512-BF16.
//
// The compiler's intrinsics for these instructions can be inlined only into functions that are
// compiled for them, which templates that serve every instruction set are not. Therefore the
// instructions are written in assembly language.

#ifndef TFVFI_OPS_NATIVE_PAIRS_H_
#define TFVFI_OPS_NATIVE_PAIRS_H_

#include <cstdint>
#include <cstring>

#include "simd.h"
#include "vectors.h"

#ifdef TFVFI_MANY_VERSIONS

namespace tfvfi {

// bfloat16 that is rounded by the processor. Unlike `Half`, it flushes denormal numbers to 0.
enum class FastHalf : uint16_t {};

template <class Vector>
TFVFI_INLINE Vector Load(const FastHalf* from) {
  return Load<Vector>(reinterpret_cast<const Half*>(from));
}

TFVFI_INLINE void Store(FastHalf* to, Vector16 values) {
  Vector8 rounded;
  asm("vcvtneps2bf16 %1, %0" : "=v"(rounded) : "v"(values));
  std::memcpy(to, &rounded, sizeof(rounded));
}

TFVFI_INLINE void Store(FastHalf* to, Vector8 values) {
  Vector4 rounded;
  asm("vcvtneps2bf16 %1, %0" : "=v"(rounded) : "v"(values));
  std::memcpy(to, &rounded, sizeof(rounded));
}

TFVFI_INLINE void Store(FastHalf* to, Vector4 values) {
  Vector4 rounded;
  asm("vcvtneps2bf16 %1, %0" : "=v"(rounded) : "v"(values));
  std::memcpy(to, &rounded, 4 * sizeof(FastHalf));
}

TFVFI_INLINE void Store(FastHalf* to, Vector1 value) {
  Vector4 rounded;
  asm("vcvtneps2bf16 %1, %0" : "=v"(rounded) : "v"(Vector4{value[0]}));
  std::memcpy(to, &rounded, sizeof(FastHalf));
}

// Stores first[0], second[0], first[1], second[1], ...
TFVFI_INLINE void StorePairs(FastHalf* to, Vector16 first, Vector16 second) {
  typedef uint16_t Halves __attribute__((vector_size(64)));
  Halves apart, pairs;
  asm("vcvtne2ps2bf16 %1, %2, %0" : "=v"(apart) : "v"(first), "v"(second));
  constexpr Halves order = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                            8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  asm("vpermw %1, %2, %0" : "=v"(pairs) : "v"(apart), "v"(order));
  std::memcpy(to, &pairs, sizeof(pairs));
}

// Returns sums[i] + left[0] * right[2 i] + left[1] * right[2 i + 1], for a vector `right` of 32
// bfloat16.
TFVFI_INLINE Vector16 AddProducts(Vector16 sums, const FastHalf* left, Vector16 right) {
  uint32_t pair;
  std::memcpy(&pair, left, sizeof(pair));
  const auto lefts = Bits<Vector16>::Whole{} + pair;
  asm("vdpbf16ps %2, %1, %0" : "+v"(sums) : "v"(lefts), "v"(right));
  return sums;
}

}  // namespace tfvfi

#endif  // TFVFI_MANY_VERSIONS

#endif  // TFVFI_OPS_NATIVE_PAIRS_H_
