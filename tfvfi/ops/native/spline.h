// Positions between the pixels of cubic splines, and the values of splines and frames there.

#ifndef TFVFI_OPS_NATIVE_SPLINE_H_
#define TFVFI_OPS_NATIVE_SPLINE_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "simd.h"
#include "vectors.h"

namespace tfvfi {

// The number of pixels whose weights are computed at once, on the stack.
constexpr int kTile = 128;

// The four coefficients around each position on one axis, and their weights. The middle two are
// also the pixels of bilinear sampling, with the weights 1 - part and part.
struct Taps {
  int32_t index[4][kTile];
  float weight[4][kTile];
  float part[kTile];
};

// `step` is 1 on the axis along which the pixels of the tile advance, and 0 on the other. Flow is
// multiplied by `share`.
TFVFI_INLINE void FindTaps(int32_t size, const float* flow, float share, int32_t first,
                           int32_t step, int count, Taps* taps) {
  const float last = static_cast<float>(size - 1);
  for (int i = 0; i < count; ++i) {
    const float asked = static_cast<float>(first + step * i) + share * flow[2 * i];
    float position = asked > 0 ? asked : 0;
    position = position < last ? position : last;
    const int32_t whole = static_cast<int32_t>(position);
    float part = position - static_cast<float>(whole);
    // NaN in the flow gives NaN in the result.
    part = asked == asked ? part : std::numeric_limits<float>::quiet_NaN();
    const float rest = 1 - part, square = part * part, cube = square * part;
    taps->weight[0][i] = rest * rest * rest / 6;
    taps->weight[1][i] = (4 - 6 * square + 3 * cube) / 6;
    taps->weight[2][i] = (1 + 3 * part + 3 * square - 3 * cube) / 6;
    taps->weight[3][i] = cube / 6;
    taps->part[i] = part;
    for (int tap = 0; tap < 4; ++tap) {
      taps->index[tap][i] = std::min(std::max(whole - 1 + tap, 0), size - 1);
    }
  }
}

// Returns the value of the spline and that of the frame at one position, for the channels of a
// vector that begin at `spline` and `frame`.
//
// `rows` and `columns` are the offsets of the four coefficients on each axis, and `y` and `x` their
// weights for pixel `i` of the tile.
template <class Vector>
TFVFI_INLINE std::pair<Vector, Vector> ReadAt(const float* spline, const float* frame,
                                              const int64_t* rows, const int64_t* columns,
                                              const Taps& y, const Taps& x, int i) {
  Vector sharp{};
  for (int at = 0; at < 4; ++at) {
    const float* from = spline + rows[at];
    const Vector line = x.weight[0][i] * Load<Vector>(from + columns[0]) +
                        x.weight[1][i] * Load<Vector>(from + columns[1]) +
                        x.weight[2][i] * Load<Vector>(from + columns[2]) +
                        x.weight[3][i] * Load<Vector>(from + columns[3]);
    sharp += y.weight[at][i] * line;
  }
  const float *upper = frame + rows[1], *lower = frame + rows[2];
  const float left = 1 - x.part[i], right = x.part[i];
  const Vector soft = (1 - y.part[i]) * (left * Load<Vector>(upper + columns[1]) +
                                         right * Load<Vector>(upper + columns[2])) +
                      y.part[i] * (left * Load<Vector>(lower + columns[1]) +
                                   right * Load<Vector>(lower + columns[2]));
  return {sharp, soft};
}

}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_SPLINE_H_
