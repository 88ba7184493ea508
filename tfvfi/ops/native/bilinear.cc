#include "bilinear.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "parallel.h"
#include "simd.h"
#include "vectors.h"

namespace tfvfi {
namespace {

// The number of pixels whose neighbors are computed at once, on the stack.
constexpr int kTile = 128;

// The two pixels around each position on one axis: their indices, which are inside the frame, their
// weights, and the derivatives of the weights by the flow, right-hand at discontinuities.
struct Neighbors {
  int32_t low[kTile], high[kTile];
  float low_weight[kTile], high_weight[kTile];
  float low_slope[kTile], high_slope[kTile];
};

struct Tile {
  Neighbors x, y;
};

TFVFI_INLINE int32_t Inside(int32_t index, int32_t size) {
  return std::min(std::max(index, 0), size - 1);
}

// `step` is 1 on the axis along which the pixels of the tile advance, and 0 on the other.
TFVFI_INLINE void FindNeighbors(const Grid& grid, int32_t size, const float* flow, int32_t first,
                                int32_t step, bool border, float nan_weight, int count,
                                Neighbors* found) {
  // Two pixels outside is equivalent to infinitely far, and fits into an integer.
  const float least = -2, most = static_cast<float>(size) + 1;
  for (int i = 0; i < count; ++i) {
    const float pixel = static_cast<float>(first + step * i);
    const float asked = pixel * grid.pixel_scale + flow[2 * i] * grid.flow_scale + grid.offset;
    float position = asked > least ? asked : least;
    position = position < most ? position : most;
    int32_t low = static_cast<int32_t>(position);
    low -= static_cast<float>(low) > position;
    const float fraction = position - static_cast<float>(low);
    const int32_t low_inside = Inside(low, size), high_inside = Inside(low + 1, size);
    found->low[i] = low_inside;
    found->high[i] = high_inside;
    if (border) {
      const float slope = low_inside != high_inside ? grid.flow_scale : 0;
      const bool is_nan = asked != asked;
      found->low_weight[i] = is_nan ? nan_weight : 1 - fraction;
      found->high_weight[i] = is_nan ? nan_weight : fraction;
      found->low_slope[i] = -slope;
      found->high_slope[i] = slope;
    } else {
      found->low_weight[i] = low == low_inside ? 1 - fraction : 0;
      found->high_weight[i] = low + 1 == high_inside ? fraction : 0;
      found->low_slope[i] = low == low_inside ? -grid.flow_scale : 0;
      found->high_slope[i] = low + 1 == high_inside ? grid.flow_scale : 0;
    }
  }
}

TFVFI_INLINE float NanWeight(const Field& field) {
  return field.ignore_nan ? 0 : std::numeric_limits<float>::quiet_NaN();
}

// Finds the neighbors on the vertical axis only, without the mask.
TFVFI_INLINE void FindRows(const Field& field, int64_t row, int64_t column, int count,
                           Neighbors* found) {
  const float* flow = field.flow + 2 * (row * field.width + column);
  FindNeighbors(field.y, static_cast<int32_t>(field.height), flow + 1,
                static_cast<int32_t>(row % field.height), 0, field.padding == Padding::kBorder,
                NanWeight(field), count, found);
}

TFVFI_INLINE void FindColumns(const Field& field, int64_t row, int64_t column, int count,
                              Tile* tile) {
  const float* flow = field.flow + 2 * (row * field.width + column);
  FindNeighbors(field.x, static_cast<int32_t>(field.width), flow, static_cast<int32_t>(column), 1,
                field.padding == Padding::kBorder, NanWeight(field), count, &tile->x);
  if (field.padding != Padding::kMasked) return;
  Neighbors &x = tile->x, &y = tile->y;
  for (int i = 0; i < count; ++i) {
    const float inside =
        (x.low_weight[i] + x.high_weight[i]) * (y.low_weight[i] + y.high_weight[i]);
    if (inside > 0.999f) continue;
    x.low_weight[i] = x.high_weight[i] = x.low_slope[i] = x.high_slope[i] = 0;
    y.low_weight[i] = y.high_weight[i] = y.low_slope[i] = y.high_slope[i] = 0;
  }
}

TFVFI_INLINE void FindTile(const Field& field, int64_t row, int64_t column, int count,
                           Tile* tile) {
  FindRows(field, row, column, count, &tile->y);
  FindColumns(field, row, column, count, tile);
}

// Stores the first `kChannels` of four channels.
template <int kChannels, class Number>
TFVFI_INLINE void StoreFirst(Number* to, Vector4 values) {
  Number all[4];
  Store(all, values);
  std::memcpy(to, all, sizeof(Number) * kChannels);
}

// Rows are numbered through the batch. `kChannels` is the number of channels if there is a loop
// compiled for it, or else 0.
template <int kChannels, class Number>
TFVFI_INLINE void GatherRows(const Field& field, const Number* source, Number* out, int64_t begin,
                             int64_t end) {
  const int64_t channels = kChannels ? kChannels : field.channels;
  const int64_t stride = field.width * channels;
  // Three channels are read as four, except for the very last pixel.
  [[maybe_unused]] const int64_t last_four = field.batch * field.height * stride - 4;
  Tile tile;
  for (int64_t row = begin; row < end; ++row) {
    const Number* frame = source + row / field.height * field.height * stride;
    for (int64_t column = 0; column < field.width; column += kTile) {
      const int count = static_cast<int>(std::min<int64_t>(kTile, field.width - column));
      FindTile(field, row, column, count, &tile);
      const Neighbors &x = tile.x, &y = tile.y;
      Number* pixel = out + row * stride + column * channels;
      for (int i = 0; i < count; ++i, pixel += channels) {
        const Number* low_row = frame + y.low[i] * stride;
        const Number* high_row = frame + y.high[i] * stride;
        const int64_t left = x.low[i] * channels, right = x.high[i] * channels;
        const float low_left = y.low_weight[i] * x.low_weight[i];
        const float low_right = y.low_weight[i] * x.high_weight[i];
        const float high_left = y.high_weight[i] * x.low_weight[i];
        const float high_right = y.high_weight[i] * x.high_weight[i];
        const auto blend = [&](auto vector, int64_t c) TFVFI_INLINE_LAMBDA {
          using Vector = decltype(vector);
          return low_left * Load<Vector>(low_row + left + c) +
                 low_right * Load<Vector>(low_row + right + c) +
                 high_left * Load<Vector>(high_row + left + c) +
                 high_right * Load<Vector>(high_row + right + c);
        };
        if constexpr (kChannels == 3 || kChannels == 4) {
          if (high_row + right - source <= last_four) {
            const Vector4 sum = blend(Vector4{}, 0);
            StoreFirst<kChannels>(pixel, sum);
            continue;
          }
        }
        ForChannels<Vector8>(channels, [&](auto vector, int64_t c) TFVFI_INLINE_LAMBDA {
          Store(pixel + c, blend(vector, c));
        });
      }
    }
  }
}

template <class Number>
TFVFI_INLINE void GatherAny(const Field& field, const Number* source, Number* out, int64_t begin,
                            int64_t end) {
  switch (field.channels) {
    case 1:
      return GatherRows<1>(field, source, out, begin, end);
    case 2:
      return GatherRows<2>(field, source, out, begin, end);
    case 3:
      return GatherRows<3>(field, source, out, begin, end);
    case 4:
      return GatherRows<4>(field, source, out, begin, end);
    default:
      return GatherRows<0>(field, source, out, begin, end);
  }
}

// The rows of the frame to which a row of pixels adds; there are none if first > last.
struct Reach {
  int32_t first, last;
};

TFVFI_INLINE void FindReach(const Field& field, Reach* reaches, int64_t begin, int64_t end) {
  Neighbors y;
  for (int64_t row = begin; row < end; ++row) {
    int32_t first = std::numeric_limits<int32_t>::max(), last = -1;
    for (int64_t column = 0; column < field.width; column += kTile) {
      const int count = static_cast<int>(std::min<int64_t>(kTile, field.width - column));
      FindRows(field, row, column, count, &y);
      for (int i = 0; i < count; ++i) {
        const bool none = y.low_weight[i] == 0 && y.high_weight[i] == 0;
        first = std::min(first, none ? first : y.low[i]);
        last = std::max(last, none ? last : y.high[i]);
      }
    }
    reaches[row] = {first, last};
  }
}

// Consecutive rows of one frame of the batch.
struct Band {
  int64_t frame;
  int32_t first, end;
};

template <int kChannels>
TFVFI_INLINE void ScatterBand(const Field& field, const float* values, const Reach* reaches,
                              Band band, float* out) {
  const int64_t channels = kChannels ? kChannels : field.channels;
  const int64_t stride = field.width * channels, first_row = band.frame * field.height;
  float* frame = out + first_row * stride;
  std::memset(frame + band.first * stride, 0, sizeof(float) * (band.end - band.first) * stride);
  Tile tile;
  const Neighbors &x = tile.x, &y = tile.y;
  auto add = [&](int32_t to_row, float row_weight, int i, const float* __restrict value) {
    if (to_row < band.first || to_row >= band.end || row_weight == 0) return;
    float* to = frame + to_row * stride;
    const float left = row_weight * x.low_weight[i], right = row_weight * x.high_weight[i];
    if (left != 0) {
      float* __restrict sum = to + x.low[i] * channels;
      for (int64_t c = 0; c < channels; ++c) sum[c] += left * value[c];
    }
    if (right != 0) {
      float* __restrict sum = to + x.high[i] * channels;
      for (int64_t c = 0; c < channels; ++c) sum[c] += right * value[c];
    }
  };
  for (int64_t row = first_row; row < first_row + field.height; ++row) {
    if (reaches[row].last < band.first || reaches[row].first >= band.end) continue;
    for (int64_t column = 0; column < field.width; column += kTile) {
      const int count = static_cast<int>(std::min<int64_t>(kTile, field.width - column));
      FindTile(field, row, column, count, &tile);
      const float* value = values + row * stride + column * channels;
      for (int i = 0; i < count; ++i, value += channels) {
        add(y.low[i], y.low_weight[i], i, value);
        add(y.high[i], y.high_weight[i], i, value);
      }
    }
  }
}

TFVFI_INLINE void ScatterAny(const Field& field, const float* values, const Reach* reaches,
                             Band band, float* out) {
  switch (field.channels) {
    case 1:
      return ScatterBand<1>(field, values, reaches, band, out);
    case 2:
      return ScatterBand<2>(field, values, reaches, band, out);
    case 3:
      return ScatterBand<3>(field, values, reaches, band, out);
    case 4:
      return ScatterBand<4>(field, values, reaches, band, out);
    default:
      return ScatterBand<0>(field, values, reaches, band, out);
  }
}

template <int kChannels>
TFVFI_INLINE void FlowGradientRows(const Field& field, const float* here, const float* there,
                                   float* out, int64_t begin, int64_t end) {
  const int64_t channels = kChannels ? kChannels : field.channels;
  const int64_t stride = field.width * channels;
  Tile tile;
  for (int64_t row = begin; row < end; ++row) {
    const float* frame = there + row / field.height * field.height * stride;
    for (int64_t column = 0; column < field.width; column += kTile) {
      const int count = static_cast<int>(std::min<int64_t>(kTile, field.width - column));
      FindTile(field, row, column, count, &tile);
      const Neighbors &x = tile.x, &y = tile.y;
      const float* pixel = here + row * stride + column * channels;
      float* gradient = out + 2 * (row * field.width + column);
      for (int i = 0; i < count; ++i, pixel += channels) {
        const float* low_row = frame + y.low[i] * stride;
        const float* high_row = frame + y.high[i] * stride;
        const int64_t left = x.low[i] * channels, right = x.high[i] * channels;
        float low_left = 0, low_right = 0, high_left = 0, high_right = 0;
        for (int64_t c = 0; c < channels; ++c) {
          low_left += pixel[c] * low_row[left + c];
          low_right += pixel[c] * low_row[right + c];
          high_left += pixel[c] * high_row[left + c];
          high_right += pixel[c] * high_row[right + c];
        }
        gradient[2 * i] =
            y.low_weight[i] * (x.low_slope[i] * low_left + x.high_slope[i] * low_right) +
            y.high_weight[i] * (x.low_slope[i] * high_left + x.high_slope[i] * high_right);
        gradient[2 * i + 1] =
            y.low_slope[i] * (x.low_weight[i] * low_left + x.high_weight[i] * low_right) +
            y.high_slope[i] * (x.low_weight[i] * high_left + x.high_weight[i] * high_right);
      }
    }
  }
}

TFVFI_INLINE void FlowGradientAny(const Field& field, const float* here, const float* there,
                                  float* out, int64_t begin, int64_t end) {
  switch (field.channels) {
    case 1:
      return FlowGradientRows<1>(field, here, there, out, begin, end);
    case 2:
      return FlowGradientRows<2>(field, here, there, out, begin, end);
    case 3:
      return FlowGradientRows<3>(field, here, there, out, begin, end);
    case 4:
      return FlowGradientRows<4>(field, here, there, out, begin, end);
    default:
      return FlowGradientRows<0>(field, here, there, out, begin, end);
  }
}

double RowCost(const Field& field) { return field.width * (5.0 + field.channels); }

}  // namespace

template <class Number>
void Gather(const Field& field, const Number* source, Number* out) {
  ParallelFor(field.batch * field.height, RowCost(field), [&](int64_t begin, int64_t end) {
    Hot<GatherAny<Number>>::Run(field, source, out, begin, end);
  });
}

template void Gather(const Field&, const float*, float*);
template void Gather(const Field&, const Half*, Half*);

void Scatter(const Field& field, const float* values, float* out) {
  if (field.height == 0 || field.width == 0) return;
  std::vector<Reach> reaches(field.batch * field.height);
  ParallelFor(field.batch * field.height, 2.0 * field.width, [&](int64_t begin, int64_t end) {
    Hot<FindReach>::Run(field, reaches.data(), begin, end);
  });
  // Each band examines all pixels that may reach it, so there should be few bands.
  const int64_t bands = std::min<int64_t>(field.height, 4 * ThreadCount());
  auto row = [&](int64_t band) { return static_cast<int32_t>(band * field.height / bands); };
  const double cost = RowCost(field) * field.height / bands;
  ParallelFor(field.batch * bands, cost, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; ++at) {
      const Band band{at / bands, row(at % bands), row(at % bands + 1)};
      Hot<ScatterAny>::Run(field, values, reaches.data(), band, out);
    }
  });
}

void FlowGradient(const Field& field, const float* here, const float* there, float* out) {
  ParallelFor(field.batch * field.height, RowCost(field), [&](int64_t begin, int64_t end) {
    Hot<FlowGradientAny>::Run(field, here, there, out, begin, end);
  });
}

}  // namespace tfvfi
