// Cost volumes: mean products of the windows around pixels of two maps, for all displacements.

#include <algorithm>
#include <cstring>

#include "kernel.h"
#include "parallel.h"
#include "simd.h"

namespace tfvfi {
namespace {

// Channels are summed so many at a time, in registers, over so many terms.
constexpr int kBlock = 32;
constexpr int kTerms = 256;

struct Volume {
  int64_t batch, height, width, channels;  // of the maps
  int64_t rows, columns;                   // of the result
  int64_t stride, output_stride;
  int64_t reach;   // Displacements go from -reach to reach strides.
  int64_t window;  // Windows go from -window to window pixels.
  int64_t start;   // The first pixel compared.

  int64_t side() const { return 2 * reach + 1; }
  int64_t displacements() const { return side() * side(); }
  float divisor() const {
    return static_cast<float>(channels * (2 * window + 1) * (2 * window + 1));
  }
};

// The displacements, counted from -reach, that lead from `from` to a pixel below `size`.
struct Range {
  int64_t begin, end;
};

TFVFI_INLINE Range Within(const Volume& v, int64_t from, int64_t size) {
  // Displaced by (k - reach) * stride.
  const int64_t origin = from - v.reach * v.stride;
  const int64_t begin = origin >= 0 ? 0 : (-origin + v.stride - 1) / v.stride;
  const int64_t end = origin >= size ? 0 : (size - 1 - origin) / v.stride + 1;
  return {std::min(begin, v.side()), std::min(end, v.side())};
}

template <int kChannels>
TFVFI_INLINE float Product(const float* a, const float* b, int64_t channels) {
  if (kChannels) channels = kChannels;
  float sum = 0;
  for (int64_t c = 0; c < channels; ++c) sum += a[c] * b[c];
  return sum;
}

template <int kChannels>
TFVFI_INLINE void VolumeRows(const Volume& v, const float* a, const float* b, float* out,
                             int64_t begin, int64_t end) {
  const int64_t channels = kChannels ? kChannels : v.channels;
  const int64_t side = v.side(), displacements = v.displacements();
  const float factor = 1 / v.divisor();
  for (int64_t row = begin; row < end; ++row) {
    const int64_t frame = row / v.rows * v.height;
    const int64_t center_y = v.start + row % v.rows * v.output_stride;
    for (int64_t column = 0; column < v.columns; ++column) {
      float* __restrict sums = out + (row * v.columns + column) * displacements;
      std::memset(sums, 0, sizeof(float) * displacements);
      const int64_t center_x = v.start + column * v.output_stride;
      for (int64_t y = center_y - v.window; y <= center_y + v.window; ++y) {
        if (y < 0 || y >= v.height) continue;
        const Range down = Within(v, y, v.height);
        for (int64_t x = center_x - v.window; x <= center_x + v.window; ++x) {
          if (x < 0 || x >= v.width) continue;
          const float* here = a + ((frame + y) * v.width + x) * channels;
          const Range across = Within(v, x, v.width);
          for (int64_t dy = down.begin; dy < down.end; ++dy) {
            const int64_t other = frame + y + (dy - v.reach) * v.stride;
            const float* there = b + (other * v.width + x - v.reach * v.stride) * channels;
            const int64_t step = v.stride * channels;
            for (int64_t dx = across.begin; dx < across.end; ++dx) {
              sums[dy * side + dx] += Product<kChannels>(here, there + dx * step, channels);
            }
          }
        }
      }
      for (int64_t k = 0; k < displacements; ++k) sums[k] *= factor;
    }
  }
}

TFVFI_HOT void VolumeAny(const Volume& v, const float* a, const float* b, float* out,
                         int64_t begin, int64_t end) {
  switch (v.channels) {
    case 3:
      return VolumeRows<3>(v, a, b, out, begin, end);
    case 32:
      return VolumeRows<32>(v, a, b, out, begin, end);
    default:
      return VolumeRows<0>(v, a, b, out, begin, end);
  }
}

// Sums of weighed pixels, collected before they are added up.
class Terms {
 public:
  TFVFI_INLINE Terms(float* sums, int64_t channels) : sums_(sums), channels_(channels) {}

  TFVFI_INLINE void Add(float weight, const float* pixel) {
    weights_[count_] = weight;
    pixels_[count_] = pixel;
    if (++count_ == kTerms) Flush();
  }

  TFVFI_INLINE void Flush() {
    int64_t c = 0;
    for (; c + kBlock <= channels_; c += kBlock) AddUp<kBlock>(c, kBlock);
    if (c < channels_) AddUp<0>(c, static_cast<int>(channels_ - c));
    count_ = 0;
  }

 private:
  template <int kCount>
  TFVFI_INLINE void AddUp(int64_t first, int count) {
    if (kCount) count = kCount;
    float held[kBlock];
    for (int c = 0; c < count; ++c) held[c] = sums_[first + c];
    for (int term = 0; term < count_; ++term) {
      const float weight = weights_[term];
      const float* pixel = pixels_[term] + first;
      for (int c = 0; c < count; ++c) held[c] += weight * pixel[c];
    }
    for (int c = 0; c < count; ++c) sums_[first + c] = held[c];
  }

  float* sums_;
  int64_t channels_;
  int count_ = 0;
  float weights_[kTerms];
  const float* pixels_[kTerms];
};

// The output whose window has `pixel` at `in_window`, or -1.
TFVFI_INLINE int64_t OutputOf(const Volume& v, int64_t pixel, int64_t in_window, int64_t outputs) {
  const int64_t from_start = pixel - in_window - v.start;
  if (from_start < 0) return -1;
  const int64_t output = v.output_stride == 1 ? from_start : from_start / v.output_stride;
  return output < outputs && output * v.output_stride == from_start ? output : -1;
}

// Rows of the gradient to `a` (sign 1, other is b) or to `b` (sign -1, other is a). Every pixel
// sums up what it takes part in, so that no two threads write to the same one.
template <int sign>
TFVFI_INLINE void GradientRows(const Volume& v, const float* other, const float* upstream,
                               float* out, int64_t begin, int64_t end) {
  const float factor = 1 / v.divisor();
  for (int64_t row = begin; row < end; ++row) {
    const int64_t frame = row / v.height, y = row % v.height;
    for (int64_t x = 0; x < v.width; ++x) {
      float* sums = out + (row * v.width + x) * v.channels;
      std::memset(sums, 0, sizeof(float) * v.channels);
      Terms terms(sums, v.channels);
      for (int64_t dy = 0; dy < v.side(); ++dy) {
        const int64_t there_y = y + sign * (dy - v.reach) * v.stride;
        if (there_y < 0 || there_y >= v.height) continue;
        const float* there = other + (frame * v.height + there_y) * v.width * v.channels;
        for (int64_t j = -v.window; j <= v.window; ++j) {
          const int64_t output_y = OutputOf(v, sign > 0 ? y : there_y, j, v.rows);
          if (output_y < 0) continue;
          const float* weights =
              upstream + (frame * v.rows + output_y) * v.columns * v.displacements() + dy * v.side();
          for (int64_t dx = 0; dx < v.side(); ++dx) {
            const int64_t there_x = x + sign * (dx - v.reach) * v.stride;
            if (there_x < 0 || there_x >= v.width) continue;
            for (int64_t i = -v.window; i <= v.window; ++i) {
              const int64_t output_x = OutputOf(v, sign > 0 ? x : there_x, i, v.columns);
              if (output_x < 0) continue;
              const float weight = weights[output_x * v.displacements() + dx];
              terms.Add(weight * factor, there + there_x * v.channels);
            }
          }
        }
      }
      terms.Flush();
    }
  }
}

TFVFI_HOT void GradientToFirst(const Volume& v, const float* b, const float* upstream, float* out,
                               int64_t begin, int64_t end) {
  GradientRows<1>(v, b, upstream, out, begin, end);
}

TFVFI_HOT void GradientToSecond(const Volume& v, const float* a, const float* upstream, float* out,
                                int64_t begin, int64_t end) {
  GradientRows<-1>(v, a, upstream, out, begin, end);
}

class Correlation {
 public:
  explicit Correlation(const Attributes& attributes)
      : max_displacement_(attributes.Integer("max_displacement")),
        stride_(attributes.Integer("stride")),
        kernel_size_(attributes.Integer("kernel_size")),
        output_stride_(attributes.Integer("output_stride")),
        padding_(attributes.Integer("padding")) {
    Require(stride_ > 0 && output_stride_ > 0, "strides must be positive");
    Require(kernel_size_ > 0 && kernel_size_ % 2 == 1, "kernel_size must be odd");
    Require(max_displacement_ >= 0 && padding_ >= -1, "sizes must not be negative");
    Require(std::max({max_displacement_, kernel_size_, padding_}) < (1 << 12), "sizes are absurd");
  }

  void Compute(const Context& context) const {
    const Tensor a = context.Input4(0), b = context.Input4(1);
    const Volume volume = VolumeOf(a, b);
    const Tensor out = context.Output(0, ShapeOf(volume));
    ParallelFor(volume.batch * volume.rows, RowCost(volume), [&](int64_t begin, int64_t end) {
      VolumeAny(volume, a.data(), b.data(), out.data(), begin, end);
    });
  }

 protected:
  Volume VolumeOf(const Tensor& a, const Tensor& b) const {
    Require(a.shape() == b.shape(), "both maps must agree in shape");
    Volume v{};
    v.batch = a.dim(0), v.height = a.dim(1), v.width = a.dim(2), v.channels = a.dim(3);
    v.stride = stride_, v.output_stride = output_stride_;
    v.reach = max_displacement_ / stride_;
    v.window = kernel_size_ / 2;
    int64_t lost = 0;
    if (padding_ >= 0) {
      v.start = max_displacement_ - padding_;
      lost = 2 * (v.start + v.window);
    }
    Require(padding_ < 0 || (v.height > lost && v.width > lost), "the maps are too small");
    v.rows = (v.height - lost + output_stride_ - 1) / output_stride_;
    v.columns = (v.width - lost + output_stride_ - 1) / output_stride_;
    return v;
  }

  static std::vector<int64_t> ShapeOf(const Volume& v) {
    return {v.batch, v.rows, v.columns, v.displacements()};
  }

  static double RowCost(const Volume& v) {
    return 0.1 * v.columns * v.displacements() * (v.channels + 4);
  }

 private:
  const int32_t max_displacement_, stride_, kernel_size_, output_stride_, padding_;
};

class CorrelationGradient : public Correlation {
 public:
  using Correlation::Correlation;

  void Compute(const Context& context) const {
    const Tensor a = context.Input4(0), b = context.Input4(1), upstream = context.Input4(2);
    const Volume volume = VolumeOf(a, b);
    Require(upstream.shape() == ShapeOf(volume), "upstream must have the shape of the result");
    const Tensor a_gradient = context.Output(0, a.shape());
    const Tensor b_gradient = context.Output(1, b.shape());
    ParallelFor(volume.batch * volume.height, RowCost(volume), [&](int64_t begin, int64_t end) {
      GradientToFirst(volume, b.data(), upstream.data(), a_gradient.data(), begin, end);
      GradientToSecond(volume, a.data(), upstream.data(), b_gradient.data(), begin, end);
    });
  }
};

const std::vector<const char*> kAttributes = {"max_displacement: int", "stride: int",
                                              "kernel_size: int", "output_stride: int",
                                              "padding: int"};
const bool registered = Register<Correlation>({"TfvfiCorrelation",
                                               {"a: float", "b: float"},
                                               {"volume: float"},
                                               kAttributes,
                                               ShapeAtRunTime});
const bool gradient_registered =
    Register<CorrelationGradient>({"TfvfiCorrelationGradient",
                                   {"a: float", "b: float", "upstream: float"},
                                   {"a_gradient: float", "b_gradient: float"},
                                   kAttributes,
                                   ShapesOfInputs<0, 1>});

}  // namespace
}  // namespace tfvfi
