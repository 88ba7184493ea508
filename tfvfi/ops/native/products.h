// Matrix products whose sums stay in registers.

#ifndef TFVFI_OPS_NATIVE_PRODUCTS_H_
#define TFVFI_OPS_NATIVE_PRODUCTS_H_

#include <algorithm>
#include <cstdint>

#include "simd.h"
#include "vectors.h"

namespace tfvfi {

// The largest number of rows that any version sums at once.
constexpr int kMostRows = 12;

// c = a b for some rows of a and one panel of b.
template <class Vector, int kRows, int kVectors>
TFVFI_INLINE void MultiplyRows(const float* a, const float* b, int64_t inputs, float* c,
                               int64_t stride) {
  constexpr int lanes = kLanes<Vector>;
  Vector sums[kRows][kVectors] = {};
  for (int64_t k = 0; k < inputs; ++k, b += kVectors * lanes) {
    Vector right[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) right[v] = Load<Vector>(b + v * lanes);
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) {
      const float left = a[row * inputs + k];
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sums[row][v] += left * right[v];
    }
  }
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) Store(c + row * stride + v * lanes, sums[row][v]);
  }
}

// Multiplies all rows, rounded up to a whole number of steps.
template <class Vector, int kRows, int kVectors>
TFVFI_INLINE void MultiplyPanel(const float* a, const float* b, int64_t rows, int64_t inputs,
                                float* c, int64_t stride) {
  for (int64_t row = 0; row < rows; row += kRows) {
    MultiplyRows<Vector, kRows, kVectors>(a + row * inputs, b, inputs, c + row * stride, stride);
  }
}

template <class Version>
TFVFI_INLINE void Multiply(const float* a, const float* b, int64_t rows, int64_t inputs,
                           int64_t padded, float* c) {
  using Vector = typename Version::Vector;
  constexpr int lanes = kLanes<Vector>;
  for (int64_t column = 0; column < padded;) {
    const int64_t vectors = std::min<int64_t>(Version::kVectors, (padded - column) / lanes);
    const float* panel = b + column * inputs;
    switch (vectors) {
      case 1:
        MultiplyPanel<Vector, Version::Rows(1), 1>(a, panel, rows, inputs, c + column, padded);
        break;
      case 2:
        MultiplyPanel<Vector, Version::Rows(2), 2>(a, panel, rows, inputs, c + column, padded);
        break;
      case 3:
        MultiplyPanel<Vector, Version::Rows(3), std::min(3, Version::kVectors)>(
            a, panel, rows, inputs, c + column, padded);
        break;
      case 4:
        MultiplyPanel<Vector, Version::Rows(4), std::min(4, Version::kVectors)>(
            a, panel, rows, inputs, c + column, padded);
        break;
      default:
        MultiplyPanel<Vector, Version::Rows(5), std::min(5, Version::kVectors)>(
            a, panel, rows, inputs, c + column, padded);
    }
    column += vectors * lanes;
  }
}

}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_PRODUCTS_H_
