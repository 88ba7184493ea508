// Winograd's minimal filtering (Lavin and Gray, 2016) with windows of 7 x 7 pixels: a kernel of
// r x r taps gives tiles of (8 - r) x (8 - r) outputs. `winograd.h` does the same for 6 x 6.
//
// The transforms evaluate polynomials at +-1/4, +-7/8, +-7/4 and infinity. Of the points tried,
// these have the smallest errors for all sizes of kernels, about twice those of a plain sum.

#ifndef TFVFI_OPS_NATIVE_SEVEN_H_
#define TFVFI_OPS_NATIVE_SEVEN_H_

#include <cstdint>

#include "simd.h"
#include "vectors.h"

namespace tfvfi {
namespace seven {

constexpr int kWindow = 7;
constexpr int kPlaces = kWindow * kWindow;
constexpr int kMostTaps = 5;

// The points, each of which is used with both signs, and their squares.
constexpr float kA = 0.25f, kB = 0.875f, kC = 1.75f;
constexpr float kA2 = kA * kA, kB2 = kB * kB, kC2 = kC * kC;

// One axis of the transform of a window.
template <class Vector>
TFVFI_INLINE void TransformWindow(const Vector in[kWindow], Vector out[kWindow]) {
  const Vector even_a = in[4] - (kB2 + kC2) * in[2] + kB2 * kC2 * in[0];
  const Vector even_b = in[4] - (kA2 + kC2) * in[2] + kA2 * kC2 * in[0];
  const Vector even_c = in[4] - (kA2 + kB2) * in[2] + kA2 * kB2 * in[0];
  const Vector odd_a = in[5] - (kB2 + kC2) * in[3] + kB2 * kC2 * in[1];
  const Vector odd_b = in[5] - (kA2 + kC2) * in[3] + kA2 * kC2 * in[1];
  const Vector odd_c = in[5] - (kA2 + kB2) * in[3] + kA2 * kB2 * in[1];
  out[0] = odd_a + kA * even_a;
  out[1] = odd_a - kA * even_a;
  out[2] = odd_b + kB * even_b;
  out[3] = odd_b - kB * even_b;
  out[4] = odd_c + kC * even_c;
  out[5] = odd_c - kC * even_c;
  out[6] = in[6] - (kA2 + kB2 + kC2) * in[4] + (kA2 * kB2 + kA2 * kC2 + kB2 * kC2) * in[2] -
           kA2 * kB2 * kC2 * in[0];
}

// One axis of the inverse transform.
template <int kTile, class Vector>
TFVFI_INLINE void TransformBack(const Vector in[kWindow], Vector out[kTile]) {
  const Vector sums[3] = {in[0] + in[1], in[2] + in[3], in[4] + in[5]};
  const Vector differences[3] = {kA * (in[0] - in[1]), kB * (in[2] - in[3]), kC * (in[4] - in[5])};
  float a = 1, b = 1, c = 1;
#pragma GCC unroll 8
  for (int i = 0; i < kTile; ++i) {
    const Vector* terms = i % 2 ? differences : sums;
    out[i] = a * terms[0] + b * terms[1] + c * terms[2];
    if (i % 2) a *= kA2, b *= kB2, c *= kC2;
  }
  out[kTile - 1] += in[6];
}

// One axis of the transform of a kernel.
template <int kTaps, class Vector>
TFVFI_INLINE void TransformKernel(const Vector in[kTaps], Vector out[kWindow]) {
  constexpr float points[3] = {kA, kB, kC};
  constexpr float scales[3] = {1 / (2 * kA * (kA2 - kB2) * (kA2 - kC2)),
                               1 / (2 * kB * (kB2 - kA2) * (kB2 - kC2)),
                               1 / (2 * kC * (kC2 - kA2) * (kC2 - kB2))};
  for (int point = 0; point < 3; ++point) {
    Vector even{}, odd{};
    float power = scales[point];
    for (int i = 0; i < kTaps; ++i, power *= points[point]) (i % 2 ? odd : even) += power * in[i];
    out[2 * point] = even + odd;
    out[2 * point + 1] = odd - even;
  }
  out[6] = in[kTaps - 1];
}

}  // namespace seven
}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_SEVEN_H_
