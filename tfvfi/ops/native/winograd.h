// Winograd's minimal filtering (Lavin and Gray, 2016): 6 x 6 pixels and a 3 x 3 kernel are
// transformed and multiplied, and their products are transformed to 4 x 4 outputs. This takes a
// quarter of the multiplications.
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

constexpr int kTile = 4;                    // Side of the outputs of a tile.
constexpr int kWindow = kTile + 2;          // Side of the window that it reads.
constexpr int kPlaces = kWindow * kWindow;  // The number of values in a window.

// The points A and B, which are used with both signs, and the coefficients of the polynomials.
constexpr float kA = 0.75f, kB = 1.5f, kA2 = kA * kA, kB2 = kB * kB;
constexpr float kProduct = kA2 * kB2, kSum = kA2 + kB2;

struct Shapes {
  int64_t batch, height, width, inputs, outputs;
  int64_t passed;  // Channels before those that the kernel is applied to.
  int64_t scale;   // Output pixels per input pixel on each axis, 1 or 2.
  int64_t tile_rows, tile_columns;
  int64_t depth;   // Inputs, rounded up to a whole number of steps of the products.
  int64_t padded;  // Outputs, rounded up to a whole number of vectors.
  int64_t block;   // Tiles in a block; its matrices have more rows, whose results are not used.

  int64_t channels_in() const { return passed + inputs; }
  int64_t outputs_of_pixel() const { return outputs / (scale * scale); }
  int64_t channels_out() const { return passed + outputs_of_pixel(); }

  int64_t tiles() const { return batch * tile_rows * tile_columns; }
  int64_t rows() const { return block + kMostRows - 1; }
};

// Images are float32 or bfloat16, and so are the kernels, which are transformed.
struct Data {
  const void *image, *kernels;
  const float *bias, *slope;
  const void* shortcut;  // May be null.
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
template <class Vector>
TFVFI_INLINE void TransformBack(const Vector in[kWindow], Vector out[kTile]) {
  const Vector sum_a = in[1] + in[2], difference_a = kA * (in[1] - in[2]);
  const Vector sum_b = in[3] + in[4], difference_b = kB * (in[3] - in[4]);
  out[0] = in[0] + sum_a + sum_b;
  out[1] = difference_a + difference_b;
  out[2] = kA2 * sum_a + kB2 * sum_b;
  out[3] = kA2 * difference_a + kB2 * difference_b + in[5];
}

// One axis of the transform of a kernel.
template <class Vector>
TFVFI_INLINE void TransformKernel(const Vector in[3], Vector out[kWindow]) {
  constexpr float scale_a = 1 / (2 * kA2 * (kA2 - kB2)), scale_b = 1 / (2 * kB2 * (kB2 - kA2));
  const Vector ends_a = in[0] + kA2 * in[2], ends_b = in[0] + kB2 * in[2];
  out[0] = in[0] * (1 / kProduct);
  out[1] = (ends_a + kA * in[1]) * scale_a;
  out[2] = (ends_a - kA * in[1]) * scale_a;
  out[3] = (ends_b + kB * in[1]) * scale_b;
  out[4] = (ends_b - kB * in[1]) * scale_b;
  out[5] = in[2];
}

// Transforms the kernels of one input, [3, 3, inputs, outputs], for a vector of outputs.
template <class Vector>
TFVFI_INLINE void TransformInput(const Shapes& shapes, const float* kernels, int64_t input,
                                 int64_t output, Vector out[kPlaces]) {
  const int64_t there = std::min<int64_t>(kLanes<Vector>, shapes.outputs - output);
  Vector columns[3][kWindow];
  for (int x = 0; x < 3; ++x) {
    Vector column[3] = {};
    for (int y = 0; y < 3; ++y) {
      const int64_t at = ((y * 3 + x) * shapes.inputs + input) * shapes.outputs + output;
      std::memcpy(&column[y], kernels + at, there * sizeof(float));
    }
    TransformKernel(column, columns[x]);
  }
  for (int y = 0; y < kWindow; ++y) {
    Vector row[3];
    for (int x = 0; x < 3; ++x) row[x] = columns[x][y];
    TransformKernel(row, out + y * kWindow);
  }
}

// Transforms kernels to [place][panel][step of the products][column of the panel][input of the
// step].
template <class Version, class Factor>
TFVFI_INLINE void TransformKernels(const Shapes& shapes, const float* kernels, Factor* out,
                                   int64_t begin, int64_t end) {
  using Vector = typename Version::Vector;
  constexpr int depth = kDepth<Factor>, lanes = kLanes<Vector>, panel = Version::kVectors * lanes;
  for (int64_t step = begin; step < end; ++step) {
    for (int64_t output = 0; output < shapes.padded; output += lanes) {
      Vector places[depth][kPlaces] = {};
      for (int64_t input = step * depth; input < std::min((step + 1) * depth, shapes.inputs);
           ++input) {
        TransformInput(shapes, kernels, input, output, places[input - step * depth]);
      }
      const int64_t first = output / panel * panel;
      const int64_t wide = std::min<int64_t>(panel, shapes.padded - first);
      Factor* to = out + first * shapes.depth + (step * wide + output - first) * depth;
      for (int place = 0; place < kPlaces; ++place, to += shapes.depth * shapes.padded) {
        if constexpr (depth == 1) {
          Store(to, places[0][place]);
        } else {
          StorePairs(to, places[0][place], places[1][place]);
        }
      }
    }
  }
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

// The position of a tile.
struct Place {
  int64_t frame, row, column;  // Of the first pixel.
  int64_t rows, columns;       // Of its outputs that lie inside the frame.

  Place(const Shapes& shapes, int64_t tile)
      : frame(tile / shapes.tile_columns / shapes.tile_rows),
        row(tile / shapes.tile_columns % shapes.tile_rows * kTile),
        column(tile % shapes.tile_columns * kTile),
        rows(std::min<int64_t>(kTile, shapes.height - row)),
        columns(std::min<int64_t>(kTile, shapes.width - column)) {}
};

// Writes some channels of a tile of the output, the first value of which has the index `first`.
template <class Vector, class Number>
TFVFI_INLINE void FinishChannels(const Shapes& shapes, const Data& data,
                                 const float* products, int64_t step, const Place& place,
                                 int64_t first, int64_t channel) {
  Vector halves[kTile][kWindow];
  for (int x = 0; x < kWindow; ++x) {
    Vector column[kWindow], back[kTile];
    for (int y = 0; y < kWindow; ++y) {
      column[y] = Load<Vector>(products + (y * kWindow + x) * step + channel);
    }
    TransformBack(column, back);
    for (int y = 0; y < kTile; ++y) halves[y][x] = back[y];
  }
  const Vector bias = Load<Vector>(data.bias + channel), slope = Load<Vector>(data.slope + channel);
  const int64_t pixel = shapes.scale * shapes.channels_out();
  for (int y = 0; y < place.rows; ++y) {
    Vector back[kTile];
    TransformBack(halves[y], back);
    for (int x = 0; x < place.columns; ++x) {
      const int64_t at = first + (y * shapes.scale * shapes.width + x) * pixel;
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
