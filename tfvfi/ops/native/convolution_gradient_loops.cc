#include "convolution_gradient_loops.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "isa.h"
#include "prefetch.h"
#include "products.h"
#include "simd.h"
#include "vectors.h"
#include "winograd.h"

namespace tfvfi {
namespace {

// One axis of the transform of the upstream gradient: the transpose of `TransformBack`.
template <class Vector>
TFVFI_INLINE void TransformUpstream(const Vector in[kTile], Vector out[kWindow]) {
  const Vector even_a = in[0] + kA2 * in[2], odd_a = kA * (in[1] + kA2 * in[3]);
  const Vector even_b = in[0] + kB2 * in[2], odd_b = kB * (in[1] + kB2 * in[3]);
  out[0] = in[0];
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
  out[5] = in[3];
}

// One axis of the transform of products to the gradient: the transpose of `TransformKernel`.
template <class Vector>
TFVFI_INLINE void TransformProducts(const Vector in[kWindow], Vector out[3]) {
  constexpr float scale_a = 1 / (2 * kA2 * (kA2 - kB2)), scale_b = 1 / (2 * kB2 * (kB2 - kA2));
  const Vector sum_a = scale_a * (in[1] + in[2]), difference_a = scale_a * (in[1] - in[2]);
  const Vector sum_b = scale_b * (in[3] + in[4]), difference_b = scale_b * (in[3] - in[4]);
  out[0] = in[0] * (1 / kProduct) + sum_a + sum_b;
  out[1] = kA * difference_a + kB * difference_b;
  out[2] = kA2 * sum_a + kB2 * sum_b + in[5];
}

// Transforms some channels of a tile of the upstream gradient, which is 0 outside the frame.
template <class Vector, class Number>
TFVFI_INLINE void TransformTile(const Shapes& shapes, const Number* upstream, const Place& place,
                                int64_t step, float* out) {
  Vector rows[kTile][kWindow];
  for (int y = 0; y < kTile; ++y) {
    Vector line[kTile];
    for (int x = 0; x < kTile; ++x) {
      const int64_t pixel = (place.row + y) * shapes.width + place.column + x;
      const bool inside = y < place.rows && x < place.columns;
      line[x] = inside ? Load<Vector>(upstream + pixel * shapes.channels_out()) : Vector{};
    }
    TransformUpstream(line, rows[y]);
  }
  for (int x = 0; x < kWindow; ++x) {
    Vector column[kTile], transformed[kWindow];
    for (int y = 0; y < kTile; ++y) column[y] = rows[y][x];
    TransformUpstream(column, transformed);
    for (int y = 0; y < kWindow; ++y) Store(out + (y * kWindow + x) * step, transformed[y]);
  }
}

template <class Version, class Number>
TFVFI_INLINE void TransformTiles(const Shapes& shapes, const void* image, const void* upstream,
                                 const Transforms& to, int64_t first, int64_t begin, int64_t end) {
  using Vector = typename Version::Vector;
  const int64_t pixels = shapes.height * shapes.width;
  for (int64_t tile = begin; tile < end; ++tile) {
    const Place place(shapes, first + tile, kTile);
    const Number* frame = static_cast<const Number*>(image) + shapes.passed +
                          place.frame * pixels * shapes.channels_in();
    Prefetch(frame, shapes.height, shapes.width, shapes.channels_in(),
             {place.row - 1, place.column - 1 + kWindow, kWindow, kTile});
    ForChannels<Vector>(shapes.inputs, [&](auto vector, int64_t channel) TFVFI_INLINE_LAMBDA {
      TransformChannels<decltype(vector)>(shapes, frame, place.row - 1, place.column - 1, channel,
                                          shapes.block * shapes.inputs,
                                          to.windows + tile * shapes.inputs);
    });
    const Number* above = static_cast<const Number*>(upstream) + shapes.passed +
                          place.frame * pixels * shapes.channels_out();
    Prefetch(above, shapes.height, shapes.width, shapes.channels_out(),
             {place.row, place.column + kTile, kTile, kTile});
    ForChannels<Vector>(shapes.outputs, [&](auto vector, int64_t channel) TFVFI_INLINE_LAMBDA {
      TransformTile<decltype(vector)>(shapes, above + channel, place, shapes.block * shapes.padded,
                                      to.upstream + tile * shapes.padded + channel);
    });
  }
}

// c = or += the sum over k of a[k, row] b[k, column], for some rows and columns of c.
template <class Vector, int kRows, int kVectors>
TFVFI_INLINE void SumProducts(const float* a, int64_t a_step, const float* b, int64_t b_step,
                              int64_t count, bool add, float* c) {
  constexpr int lanes = kLanes<Vector>;
  Vector sums[kRows][kVectors] = {};
  for (int64_t k = 0; k < count; ++k, a += a_step, b += b_step) {
    Vector right[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) right[v] = Load<Vector>(b + v * lanes);
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sums[row][v] = AddProducts(sums[row][v], a + row, right[v]);
    }
  }
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      float* const to = c + row * b_step + v * lanes;
      if (add) sums[row][v] += Load<Vector>(to);
      Store(to, sums[row][v]);
    }
  }
}

// Adds the products of a place, from a column on, in panels of the most vectors that are left. Rows
// are rounded up to whole steps; those beyond the inputs are not used.
template <class Version, int kVectors = Version::kVectors>
TFVFI_INLINE void MultiplyPlace(const Shapes& shapes, const float* windows, const float* upstream,
                                int64_t count, bool add, float* products, int64_t column = 0) {
  using Vector = typename Version::Vector;
  constexpr int wide = kVectors * kLanes<Vector>, step = Version::Rows(kVectors);
  for (; column + wide <= shapes.padded; column += wide) {
    for (int64_t row = 0; row < shapes.inputs; row += step) {
      SumProducts<Vector, step, kVectors>(windows + row, shapes.inputs, upstream + column,
                                          shapes.padded, count, add,
                                          products + row * shapes.padded + column);
    }
  }
  if constexpr (kVectors > 1) {
    MultiplyPlace<Version, kVectors - 1>(shapes, windows, upstream, count, add, products, column);
  }
}

template <class Version>
TFVFI_INLINE void MultiplyPlaces(const Shapes& shapes, const Transforms& all, int64_t count,
                                 bool add, int64_t begin, int64_t end) {
  const int64_t rows = shapes.inputs + kMostRows - 1;
  for (int64_t place = begin; place < end; ++place) {
    MultiplyPlace<Version>(shapes, all.windows + place * shapes.block * shapes.inputs,
                           all.upstream + place * shapes.block * shapes.padded, count, add,
                           all.products + place * rows * shapes.padded);
  }
}

template <class Version>
TFVFI_INLINE void TransformInputs(const Shapes& shapes, const float* products, float* gradient,
                                  int64_t begin, int64_t end) {
  using Vector = typename Version::Vector;
  const int64_t step = (shapes.inputs + kMostRows - 1) * shapes.padded;
  for (int64_t input = begin; input < end; ++input) {
    ForChannels<Vector>(shapes.outputs, [&](auto vector, int64_t output) TFVFI_INLINE_LAMBDA {
      using Part = decltype(vector);
      const float* from = products + input * shapes.padded + output;
      Part columns[3][kWindow];
      for (int x = 0; x < kWindow; ++x) {
        Part column[kWindow], sums[3];
        for (int y = 0; y < kWindow; ++y) column[y] = Load<Part>(from + (y * kWindow + x) * step);
        TransformProducts(column, sums);
        for (int y = 0; y < 3; ++y) columns[y][x] = sums[y];
      }
      for (int y = 0; y < 3; ++y) {
        Part row[3];
        TransformProducts(columns[y], row);
        for (int x = 0; x < 3; ++x) {
          Store(gradient + ((y * 3 + x) * shapes.inputs + input) * shapes.outputs + output, row[x]);
        }
      }
    });
  }
}

template <class Number>
GradientLoops LoopsFor() {
  switch (ChosenIsa()) {
#ifdef TFVFI_MANY_VERSIONS
    case Isa::kAvx512Bf16:
    case Isa::kAvx512:
      return {kLanes<Wide::Vector>, Hot<TransformTiles<Wide, Number>>::Avx512,
              Hot<MultiplyPlaces<Wide>>::Avx512, Hot<TransformInputs<Wide>>::Avx512};
    case Isa::kAvx2:
      return {kLanes<Middle::Vector>, Hot<TransformTiles<Middle, Number>>::Avx2,
              Hot<MultiplyPlaces<Middle>>::Avx2, Hot<TransformInputs<Middle>>::Avx2};
#endif
    default:
      return {kLanes<Narrow::Vector>, Hot<TransformTiles<Narrow, Number>>::Baseline,
              Hot<MultiplyPlaces<Narrow>>::Baseline, Hot<TransformInputs<Narrow>>::Baseline};
  }
}

}  // namespace

GradientLoops BestGradientLoops(bool bfloat16) {
  return bfloat16 ? LoopsFor<Half>() : LoopsFor<float>();
}

}  // namespace tfvfi
