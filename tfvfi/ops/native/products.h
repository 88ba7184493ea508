// Matrix products whose sums stay in registers.

#ifndef TFVFI_OPS_NATIVE_PRODUCTS_H_
#define TFVFI_OPS_NATIVE_PRODUCTS_H_

#include <algorithm>
#include <cstdint>

#include "pairs.h"
#include "simd.h"
#include "vectors.h"

namespace tfvfi {

// The largest number of rows that any version sums at once.
constexpr int kMostRows = 12;

// Versions define the vectors, how many of them a panel has, and how many rows are summed at once,
// so that all sums stay in registers.
struct Wide {
  using Vector = Vector16;
  static constexpr int kVectors = 5;
  static constexpr int Rows(int vectors) {
    constexpr int rows[] = {12, 12, 8, 6, 5};
    return rows[vectors - 1];
  }
};

struct Middle {
  using Vector = Vector8;
  static constexpr int kVectors = 2;
  static constexpr int Rows(int vectors) { return vectors == 1 ? 10 : 6; }
};

struct Narrow {
  using Vector = Vector4;
  static constexpr int kVectors = 2;
  static constexpr int Rows(int vectors) { return vectors == 1 ? 10 : 6; }
};

// The number of adjacent factors whose products one lane of a vector sums in one step.
template <class Factor>
constexpr int kDepth = sizeof(float) / sizeof(Factor);

template <class Vector>
TFVFI_INLINE Vector AddProducts(Vector sums, const float* left, Vector right) {
  return sums + *left * right;
}

// c = a b for some rows of a and one panel of b, which holds kDepth rows of b side by side.
template <class Vector, int kRows, int kVectors, class Factor>
TFVFI_INLINE void MultiplyRows(const Factor* a, const Factor* b, int64_t inputs, float* c,
                               int64_t stride) {
  constexpr int depth = kDepth<Factor>, lanes = kLanes<Vector>;
  Vector sums[kRows][kVectors] = {};
  for (int64_t k = 0; k < inputs; k += depth, b += kVectors * lanes * depth) {
    Vector right[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      std::memcpy(&right[v], b + v * lanes * depth, sizeof(Vector));
    }
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) {
        sums[row][v] = AddProducts(sums[row][v], a + row * inputs + k, right[v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) Store(c + row * stride + v * lanes, sums[row][v]);
  }
}

// Multiplies all rows, rounded up to a whole number of steps.
template <class Vector, int kRows, int kVectors, class Factor>
TFVFI_INLINE void MultiplyPanel(const Factor* a, const Factor* b, int64_t rows, int64_t inputs,
                                float* c, int64_t stride) {
  for (int64_t row = 0; row < rows; row += kRows) {
    MultiplyRows<Vector, kRows, kVectors>(a + row * inputs, b, inputs, c + row * stride, stride);
  }
}

// c = a b. `inputs` must be divisible by kDepth.
template <class Version, class Factor>
TFVFI_INLINE void Multiply(const Factor* a, const Factor* b, int64_t rows, int64_t inputs,
                           int64_t padded, float* c) {
  using Vector = typename Version::Vector;
  constexpr int lanes = kLanes<Vector>;
  for (int64_t column = 0; column < padded;) {
    const int64_t vectors = std::min<int64_t>(Version::kVectors, (padded - column) / lanes);
    const Factor* panel = b + column * inputs;
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
