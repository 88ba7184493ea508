// Reading from, and adding to, the four pixels around positions that a flow names.
//
// Backward warping reads and its image gradient adds; splatting adds and its gradient reads. Both
// have the same gradient to the flow with the roles of the two maps exchanged.

#ifndef TFVFI_OPS_NATIVE_BILINEAR_H_
#define TFVFI_OPS_NATIVE_BILINEAR_H_

#include <cstdint>

namespace tfvfi {

enum class Padding : int { kBorder = 0, kZeros = 1, kMasked = 2 };

// position = pixel_scale * pixel + flow_scale * flow + offset.
struct Grid {
  float pixel_scale = 1;
  float flow_scale = 1;
  float offset = 0;
};

// Where each pixel of a batch of maps points.
struct Field {
  const float* flow;  // [batch, height, width, 2]
  int64_t batch, height, width, channels;
  Padding padding = Padding::kZeros;
  Grid x = {}, y = {};
  // Whether positions that are NaN count as beyond the frame; otherwise their weights are NaN.
  bool ignore_nan = true;
};

// out[pixel] = source around where the pixel points.
void Gather(const Field& field, const float* source, float* out);

// out = 0, then out around where the pixel points += values[pixel]; in the order of the pixels,
// however many threads there are.
void Scatter(const Field& field, const float* values, float* out);

// The gradient to the flow of the sum over pixels of here[pixel] * (there around where it points).
void FlowGradient(const Field& field, const float* here, const float* there, float* out);

}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_BILINEAR_H_
