// Reads from, and additions to, the four pixels around the positions that a flow points to.
//
// Backward warping reads, and its gradient to the image adds; splatting adds, and its gradient
// reads. Both have the same gradient to the flow, with the roles of the two maps exchanged.

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

// The flow of a batch of maps, and how it is converted to positions.
struct Field {
  const float* flow;  // [batch, height, width, 2]
  int64_t batch, height, width, channels;
  Padding padding = Padding::kZeros;
  Grid x = {}, y = {};
  // Whether NaN positions count as outside the frame; otherwise their weights are NaN.
  bool ignore_nan = true;
};

// Sets out[pixel] to the source, interpolated at the position of the pixel. `Number` is float, or
// the integer that holds a bfloat16.
template <class Number>
void Gather(const Field& field, const Number* source, Number* out);

// Sets out to 0 and adds values[pixel] around the position of every pixel, in the order of the
// pixels whatever the number of threads is.
void Scatter(const Field& field, const float* values, float* out);

// Computes the gradient to the flow of the sum over pixels of here[pixel] * (there, interpolated at
// the position of the pixel).
void FlowGradient(const Field& field, const float* here, const float* there, float* out);

}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_BILINEAR_H_
