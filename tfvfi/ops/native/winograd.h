// Winograd's minimal filtering (Lavin and Gray, 2016): 6 x 6 pixels and a kernel are transformed and
// multiplied, and their products are transformed to a tile of outputs. This takes 36 multiplications
// for 4 x 4 outputs of a 3 x 3 kernel instead of 144, or for 5 x 5 outputs of a 2 x 2 kernel instead
// of 100.
//
// The transforms evaluate polynomials at 0, +-3/4, +-3/2 and infinity. With the usual points, 0,
// +-1, +-2 and infinity, there is more cancellation in sums, and errors are five times as large.

#ifndef TFVFI_OPS_NATIVE_WINOGRAD_H_
#define TFVFI_OPS_NATIVE_WINOGRAD_H_

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "products.h"
#include "simd.h"
#include "vectors.h"

namespace tfvfi {

constexpr int kWindow = 6;                  // Side of the window that a tile reads.
constexpr int kPlaces = kWindow * kWindow;  // The number of values in a window.

// Side of the outputs of a tile.
constexpr int TileOf(int taps) { return kWindow + 1 - taps; }

// The points A and B, which are used with both signs, and the coefficients of the polynomials.
constexpr float kA = 0.75f, kB = 1.5f, kA2 = kA * kA, kB2 = kB * kB;
constexpr float kProduct = kA2 * kB2, kSum = kA2 + kB2;

struct Shapes {
  int64_t batch, height, width, inputs, outputs;
  int64_t taps;    // on each axis
  int64_t passed;  // Channels before those that the kernel is applied to.
  int64_t scale;   // Output pixels for each position of the kernel on each axis, 1 or 2.
  int64_t tile_rows, tile_columns;
  int64_t depth;   // Inputs, rounded up to a whole number of steps of the products.
  int64_t padded;  // Outputs, rounded up to a whole number of vectors.
  int64_t block;   // Tiles in a block; its matrices have more rows, whose results are not used.
  int64_t panel;   // Outputs in a panel, if panels are processed instead of blocks.

  int64_t channels_in() const { return passed + inputs; }
  int64_t outputs_of_pixel() const { return outputs / (scale * scale); }
  int64_t channels_out() const { return passed + outputs_of_pixel(); }

  // The number of positions of the kernel, which reads one row and one column before the first.
  int64_t rows_of_positions() const { return height + 3 - taps; }
  int64_t columns_of_positions() const { return width + 3 - taps; }

  int64_t tiles() const { return batch * tile_rows * tile_columns; }
  int64_t rows() const { return block + kMostRows - 1; }
};

// Images are float32 or bfloat16, and so are the kernels, which are transformed.
struct Data {
  const void *image, *kernels;
  const float *bias, *slope;  // For each channel of an output pixel.
  const void* shortcut;       // May be null.
  void* out;
};

// One axis of the transform of a window.
template <class Vector>
TFVFI_INLINE void TransformWindow(const Vector in[kWindow], Vector out[kWindow]) {
  const Vector even_a = in[4] - kB2 * in[2], odd_a = kA * (in[3] - kB2 * in[1]);
  const Vector even_b = in[4] - kA2 * in[2], odd_b = kB * (in[3] - kA2 * in[1]);
  out[0] = kProduct * in[0] - kSum * in[2] + in[4];
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
  out[5] = kProduct * in[1] - kSum * in[3] + in[5];
}

// One axis of the inverse transform.
template <int kTile, class Vector>
TFVFI_INLINE void TransformBack(const Vector in[kWindow], Vector out[kTile]) {
  const Vector sum_a = in[1] + in[2], difference_a = kA * (in[1] - in[2]);
  const Vector sum_b = in[3] + in[4], difference_b = kB * (in[3] - in[4]);
  out[0] = in[0] + sum_a + sum_b;
  out[1] = difference_a + difference_b;
  out[2] = kA2 * sum_a + kB2 * sum_b;
  out[3] = kA2 * difference_a + kB2 * difference_b;
  if constexpr (kTile == 5) out[4] = kA2 * kA2 * sum_a + kB2 * kB2 * sum_b;
  out[kTile - 1] += in[5];
}

// One axis of the transform of a kernel.
template <int kTaps, class Vector>
TFVFI_INLINE void TransformKernel(const Vector in[kTaps], Vector out[kWindow]) {
  constexpr float scale_a = 1 / (2 * kA2 * (kA2 - kB2)), scale_b = 1 / (2 * kB2 * (kB2 - kA2));
  Vector ends_a = in[0], ends_b = in[0];
  if constexpr (kTaps == 3) ends_a += kA2 * in[2], ends_b += kB2 * in[2];
  out[0] = in[0] * (1 / kProduct);
  out[1] = (ends_a + kA * in[1]) * scale_a;
  out[2] = (ends_a - kA * in[1]) * scale_a;
  out[3] = (ends_b + kB * in[1]) * scale_b;
  out[4] = (ends_b - kB * in[1]) * scale_b;
  out[5] = in[kTaps - 1];
}

// Transforms the windows of a block of tiles, at some channels, to [place][tile][input].
template <class Vector, class Number, class Factor>
TFVFI_INLINE void TransformChannels(const Shapes& shapes, const Number* frame, int64_t top,
                                    int64_t left, int64_t channel, int64_t step, Factor* out) {
  Vector rows[kWindow][kWindow];
  for (int y = 0; y < kWindow; ++y) {
    const bool inside = top + y >= 0 && top + y < shapes.height;
    Vector line[kWindow];
    for (int x = 0; x < kWindow; ++x) {
      const bool there = inside && left + x >= 0 && left + x < shapes.width;
      const int64_t pixel = (top + y) * shapes.width + left + x;
      line[x] = there ? Load<Vector>(frame + pixel * shapes.channels_in() + channel) : Vector{};
    }
    TransformWindow(line, rows[y]);
  }
  for (int x = 0; x < kWindow; ++x) {
    Vector column[kWindow], transformed[kWindow];
    for (int y = 0; y < kWindow; ++y) column[y] = rows[y][x];
    TransformWindow(column, transformed);
    for (int y = 0; y < kWindow; ++y) {
      Store(out + (y * kWindow + x) * step + channel, transformed[y]);
    }
  }
}

// The place of a tile.
struct Place {
  int64_t frame, row, column;  // Of the first position.
  int64_t rows, columns;       // Of its positions that the kernel takes.

  Place(const Shapes& shapes, int64_t tile, int64_t side)
      : frame(tile / shapes.tile_columns / shapes.tile_rows),
        row(tile / shapes.tile_columns % shapes.tile_rows * side),
        column(tile % shapes.tile_columns * side),
        rows(std::min<int64_t>(side, shapes.rows_of_positions() - row)),
        columns(std::min<int64_t>(side, shapes.columns_of_positions() - column)) {}
};

// Writes some channels of one output pixel of every position of a tile. If there are four, the
// lower ones belong to the pixel above the position, and those on the right to the one before it.
template <int kTile, class Vector, class Number>
TFVFI_INLINE void FinishChannels(const Shapes& shapes, const Data& data, const float* products,
                                 int64_t step, const Place& place, int64_t pixel, int64_t channel) {
  Vector halves[kTile][kWindow];
  for (int x = 0; x < kWindow; ++x) {
    Vector column[kWindow], back[kTile];
    for (int y = 0; y < kWindow; ++y) column[y] = Load<Vector>(products + (y * kWindow + x) * step);
    TransformBack<kTile>(column, back);
    for (int y = 0; y < kTile; ++y) halves[y][x] = back[y];
  }
  const Vector bias = Load<Vector>(data.bias + channel), slope = Load<Vector>(data.slope + channel);
  const int64_t scale = shapes.scale, low = pixel / scale, right = pixel % scale;
  const int64_t height = scale * shapes.height, width = scale * shapes.width;
  for (int64_t y = 0; y < place.rows; ++y) {
    const int64_t out_row = scale * (place.row + y - low) + low;
    if (out_row < 0 || out_row >= height) continue;
    Vector back[kTile];
    TransformBack<kTile>(halves[y], back);
    const int64_t line = (place.frame * height + out_row) * width;
    for (int64_t x = 0; x < place.columns; ++x) {
      const int64_t out_column = scale * (place.column + x - right) + right;
      if (out_column < 0 || out_column >= width) continue;
      const int64_t at = (line + out_column) * shapes.channels_out() + shapes.passed + channel;
      Vector value = back[x] + bias;
      if (data.shortcut) value += Load<Vector>(static_cast<const Number*>(data.shortcut) + at);
      Store(static_cast<Number*>(data.out) + at, value > 0 ? value : slope * value);
    }
  }
}

// Copies the channels of a tile that the kernel is not applied to.
template <class Number>
TFVFI_INLINE void PassChannels(const Shapes& shapes, const Data& data, const Place& place) {
  for (int64_t y = 0; y < place.rows; ++y) {
    const int64_t row = place.frame * shapes.height + place.row + y;
    for (int64_t x = 0; x < place.columns; ++x) {
      const int64_t pixel = row * shapes.width + place.column + x;
      std::memcpy(static_cast<Number*>(data.out) + pixel * shapes.channels_out(),
                  static_cast<const Number*>(data.image) + pixel * shapes.channels_in(),
                  shapes.passed * sizeof(Number));
    }
  }
}

}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_WINOGRAD_H_
