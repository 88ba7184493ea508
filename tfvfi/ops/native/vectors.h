// Vectors of floats that hold channels of a pixel.

#ifndef TFVFI_OPS_NATIVE_VECTORS_H_
#define TFVFI_OPS_NATIVE_VECTORS_H_

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "simd.h"

namespace tfvfi {

typedef float Vector16 __attribute__((vector_size(64)));
typedef float Vector8 __attribute__((vector_size(32)));
typedef float Vector4 __attribute__((vector_size(16)));
typedef float Vector1 __attribute__((vector_size(4)));

template <class Vector>
constexpr int kLanes = sizeof(Vector) / sizeof(float);

template <class Vector>
TFVFI_INLINE Vector Load(const float* from) {
  Vector values;
  std::memcpy(&values, from, sizeof(Vector));
  return values;
}

template <class Vector>
TFVFI_INLINE void Store(float* to, Vector values) {
  std::memcpy(to, &values, sizeof(Vector));
}

// bfloat16 is the upper half of a float, rounded to nearest with ties to even.
typedef uint16_t Half;

template <class Vector>
struct Bits {
  typedef uint32_t Whole __attribute__((vector_size(sizeof(Vector))));
  typedef uint16_t Upper __attribute__((vector_size(sizeof(Vector) / 2)));
};

template <class Vector>
TFVFI_INLINE Vector Load(const Half* from) {
  using Whole = typename Bits<Vector>::Whole;
  typename Bits<Vector>::Upper upper;
  std::memcpy(&upper, from, sizeof(upper));
  return reinterpret_cast<Vector>(__builtin_convertvector(upper, Whole) << 16);
}

// Returns values as bfloat16 in the lower halves of integers.
template <class Vector>
TFVFI_INLINE typename Bits<Vector>::Whole Round(Vector values) {
  using Whole = typename Bits<Vector>::Whole;
  const Whole bits = reinterpret_cast<Whole>(values);
  const Whole rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const Whole quiet = (bits >> 16) | 64;
  return values == values ? rounded : quiet;
}

template <class Vector>
TFVFI_INLINE void Store(Half* to, Vector values) {
  const auto upper = __builtin_convertvector(Round(values), typename Bits<Vector>::Upper);
  std::memcpy(to, &upper, sizeof(upper));
}

// Calls work(vector, channel), where `vector` only carries its type, until all channels are
// covered. The last channels may be covered twice.
template <class Vector, class Work>
TFVFI_INLINE void ForChannels(int64_t channels, const Work& work) {
  constexpr int lanes = kLanes<Vector>;
  if (channels >= lanes) {
    for (int64_t channel = 0; channel + lanes <= channels; channel += lanes) {
      work(Vector{}, channel);
    }
    if (channels % lanes) work(Vector{}, channels - lanes);
  } else if constexpr (lanes > 4) {
    ForChannels<std::conditional_t<lanes == 16, Vector8, Vector4>>(channels, work);
  } else {
    for (int64_t channel = 0; channel < channels; ++channel) work(Vector1{}, channel);
  }
}

}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_VECTORS_H_
