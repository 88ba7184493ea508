// Matrix products whose sums stay in registers.

#ifndef TFVFI_OPS_NATIVE_PRODUCTS_H_
#define TFVFI_OPS_NATIVE_PRODUCTS_H_

#include <cstdint>
#include <cstring>

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

// The left factors of a product: some columns of the rows of a matrix.
template <class Factor>
struct Left {
  const Factor* first;
  int64_t step;  // from one row to the next
};

// c = or += the sum over parts of a b, for some rows of a and one panel of b, which holds kDepth
// rows of b side by side. The rows of a part are those of the first one, moved by `moves`.
template <class Vector, int kRows, int kVectors, class Factor>
TFVFI_INLINE void MultiplyRows(const Left<Factor>& a, const int64_t* moves, int64_t parts,
                               int64_t inputs, const Factor* b, bool add, float* c,
                               int64_t stride) {
  constexpr int depth = kDepth<Factor>, lanes = kLanes<Vector>;
  Vector sums[kRows][kVectors] = {};
  if (add) {
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sums[row][v] = Load<Vector>(c + row * stride + v * lanes);
    }
  }
  for (int64_t part = 0; part < parts; ++part) {
    const Factor* rows = a.first + moves[part];
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
          sums[row][v] = AddProducts(sums[row][v], rows + row * a.step + k, right[v]);
        }
      }
    }
  }
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) Store(c + row * stride + v * lanes, sums[row][v]);
  }
}

// Multiplies all rows, rounded up to a whole number of steps, by the panels of b from a column on,
// each of which has the most vectors that are left. `inputs` must be divisible by kDepth.
template <class Version, class Factor, int kVectors = Version::kVectors>
TFVFI_INLINE void Multiply(const Left<Factor>& a, const int64_t* moves, int64_t parts,
                           int64_t inputs, const Factor* b, int64_t rows, int64_t padded, bool add,
                           float* c, int64_t column = 0) {
  using Vector = typename Version::Vector;
  constexpr int wide = kVectors * kLanes<Vector>, step = Version::Rows(kVectors);
  for (; column + wide <= padded; column += wide) {
    for (int64_t row = 0; row < rows; row += step) {
      MultiplyRows<Vector, step, kVectors>(
          Left<Factor>{a.first + row * a.step, a.step}, moves, parts, inputs,
          b + column * parts * inputs, add, c + row * padded + column, padded);
    }
  }
  if constexpr (kVectors > 1) {
    Multiply<Version, Factor, kVectors - 1>(a, moves, parts, inputs, b, rows, padded, add, c,
                                            column);
  }
}

}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_PRODUCTS_H_
