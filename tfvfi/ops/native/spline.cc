// Frames as cubic splines: their coefficients, and their values along a flow.

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernel.h"
#include "parallel.h"
#include "simd.h"
#include "spline.h"
#include "vectors.h"

namespace tfvfi {
namespace {

// Returns the index of a pixel in a frame that is mirrored at its borders as often as needed.
int64_t Mirrored(int64_t index, int64_t size) {
  const int64_t period = 2 * size;
  index = ((index % period) + period) % period;
  return std::min(index, period - 1 - index);
}

// sums[i] += tap * (a[i] + b[i])
TFVFI_INLINE void AddPairs(float tap, const float* a, const float* b, int64_t count,
                           float* __restrict sums) {
  for (int64_t i = 0; i < count; ++i) sums[i] += tap * (a[i] + b[i]);
}

TFVFI_INLINE void Scale(float tap, const float* from, int64_t count, float* __restrict to) {
  for (int64_t i = 0; i < count; ++i) to[i] = tap * from[i];
}

struct Frames {
  int64_t batch, height, width, channels;
};

// Filters rows `begin` to `end`, numbered through the batch, along both axes. `taps` holds the
// weights of a pixel and of its neighbors at the distances 1 to `reach`.
TFVFI_INLINE void Sharpen(const Frames& size, const float* taps, int64_t reach, const float* source,
                          float* out, int64_t begin, int64_t end) {
  const int64_t channels = size.channels, stride = size.width * channels;
  const int64_t margin = reach * channels;
  std::vector<float> sums(stride + 2 * margin);
  float* row_sums = sums.data() + margin;
  for (int64_t row = begin; row < end; ++row) {
    const int64_t y = row % size.height;
    const float* frame = source + (row - y) * stride;
    Scale(taps[0], frame + y * stride, stride, row_sums);
    for (int64_t by = 1; by <= reach; ++by) {
      AddPairs(taps[by], frame + Mirrored(y - by, size.height) * stride,
               frame + Mirrored(y + by, size.height) * stride, stride, row_sums);
    }
    for (int64_t by = 1; by <= reach; ++by) {
      const size_t pixel = sizeof(float) * channels;
      std::memcpy(row_sums - by * channels, row_sums + Mirrored(-by, size.width) * channels, pixel);
      const int64_t beyond = size.width - 1 + by;
      std::memcpy(row_sums + beyond * channels, row_sums + Mirrored(beyond, size.width) * channels,
                  pixel);
    }
    float* out_row = out + row * stride;
    Scale(taps[0], row_sums, stride, out_row);
    for (int64_t by = 1; by <= reach; ++by) {
      AddPairs(taps[by], row_sums - by * channels, row_sums + by * channels, stride, out_row);
    }
  }
}

// Samples rows `begin` to `end`, numbered through the batch, of the splines and of the frames.
TFVFI_INLINE void Read(const Frames& size, const float* spline, const float* frame,
                       const float* flow, float* sharp, float* soft, int64_t begin, int64_t end) {
  const int64_t channels = size.channels, stride = size.width * channels;
  const int32_t height = static_cast<int32_t>(size.height);
  const int32_t width = static_cast<int32_t>(size.width);
  // Three channels are read as four, except for the very last pixel.
  const int64_t last_four = size.batch * size.height * stride - 4;
  Taps x, y;
  for (int64_t row = begin; row < end; ++row) {
    const int64_t start = row / height * height * stride;
    for (int32_t column = 0; column < width; column += kTile) {
      const int count = std::min(kTile, width - column);
      const float* arrows = flow + 2 * (row * width + column);
      FindTaps(width, arrows, 1, column, 1, count, &x);
      FindTaps(height, arrows + 1, 1, static_cast<int32_t>(row % height), 0, count, &y);
      for (int i = 0; i < count; ++i) {
        const int64_t pixel = row * stride + (column + i) * channels;
        int64_t rows[4], columns[4];
        for (int tap = 0; tap < 4; ++tap) {
          rows[tap] = start + y.index[tap][i] * stride;
          columns[tap] = x.index[tap][i] * channels;
        }
        if (channels == 3 && rows[3] + columns[3] <= last_four) {
          const auto found = ReadAt<Vector4>(spline, frame, rows, columns, y, x, i);
          std::memcpy(sharp + pixel, &found.first, 3 * sizeof(float));
          std::memcpy(soft + pixel, &found.second, 3 * sizeof(float));
          continue;
        }
        for (int64_t channel = 0; channel < channels; ++channel) {
          const auto found =
              ReadAt<Vector1>(spline + channel, frame + channel, rows, columns, y, x, i);
          sharp[pixel + channel] = found.first[0];
          soft[pixel + channel] = found.second[0];
        }
      }
    }
  }
}

class SplineCoefficients {
 public:
  explicit SplineCoefficients(const Attributes&) {}

  void Compute(const Context& context) const {
    const Tensor image = context.Input4(0), taps = context.Input(1);
    Require(taps.rank() == 1 && taps.dim(0) > 0, "taps must be a list of weights");
    const Frames size{image.dim(0), image.dim(1), image.dim(2), image.dim(3)};
    const Tensor out = context.Output(0, image.shape());
    const double cost = 1.0 * taps.dim(0) * size.width * size.channels;
    ParallelFor(size.batch * size.height, cost, [&](int64_t begin, int64_t end) {
      Hot<Sharpen>::Run(size, taps.data(), taps.dim(0) - 1, image.data(), out.data(), begin, end);
    });
  }
};

class SplineRead {
 public:
  explicit SplineRead(const Attributes&) {}

  void Compute(const Context& context) const {
    const Tensor spline = context.Input4(0), frame = context.Input4(1), flow = context.Input4(2);
    Require(spline.shape() == frame.shape(), "spline and frame must agree in shape");
    for (int axis = 0; axis < 3; ++axis) {
      Require(frame.dim(axis) == flow.dim(axis), "frame and flow must agree in size");
    }
    Require(flow.dim(3) == 2, "flow must have 2 channels");
    const Frames size{frame.dim(0), frame.dim(1), frame.dim(2), frame.dim(3)};
    const Tensor sharp = context.Output(0, frame.shape()), soft = context.Output(1, frame.shape());
    const double cost = size.width * (10.0 + 5 * size.channels);
    ParallelFor(size.batch * size.height, cost, [&](int64_t begin, int64_t end) {
      Hot<Read>::Run(size, spline.data(), frame.data(), flow.data(), sharp.data(), soft.data(),
                     begin, end);
    });
  }
};

const bool coefficients_registered = Register<SplineCoefficients>({"TfvfiSplineCoefficients",
                                                                   {"image: float", "taps: float"},
                                                                   {"spline: float"},
                                                                   {},
                                                                   ShapesOfInputs<0>});
const bool read_registered =
    Register<SplineRead>({"TfvfiSplineRead",
                          {"spline: float", "frame: float", "flow: float"},
                          {"sharp: float", "soft: float"},
                          {},
                          ShapesOfInputs<1, 1>});

}  // namespace
}  // namespace tfvfi
