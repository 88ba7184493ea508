// Cost volumes: mean products of the windows around pixels of two maps, for all displacements.

#include <algorithm>
#include <cstring>

#include "kernel.h"
#include "parallel.h"
#include "simd.h"

namespace tfvfi {
namespace {

// The number of channels that are summed at a time, in registers.
constexpr int kBlock = 32;
// The number of rows of a gradient that one thread sums at a time.
constexpr int64_t kBand = 16;

struct Volume {
  int64_t batch, height, width, channels;  // of the maps
  int64_t rows, columns;                   // of the result
  int64_t stride, output_stride;
  int64_t reach;   // Displacements go from -reach to reach strides.
  int64_t window;  // Windows go from -window to window pixels.
  int64_t start;   // The first compared pixel.

  int64_t side() const { return 2 * reach + 1; }
  int64_t displacements() const { return side() * side(); }
  float divisor() const {
    return static_cast<float>(channels * (2 * window + 1) * (2 * window + 1));
  }
};

// The displacements, counted from -reach, that lead from pixel `from` to one in [first, end).
struct Range {
  int64_t begin, end;
};

TFVFI_INLINE Range Between(const Volume& v, int64_t from, int64_t first, int64_t end) {
  // Displacement k leads to origin + k * stride.
  const int64_t origin = from - v.reach * v.stride;
  const int64_t begin = origin >= first ? 0 : (first - origin + v.stride - 1) / v.stride;
  const int64_t beyond = origin >= end ? 0 : (end - 1 - origin) / v.stride + 1;
  return {std::min(begin, v.side()), std::min(beyond, v.side())};
}

TFVFI_INLINE Range Within(const Volume& v, int64_t from, int64_t size) {
  return Between(v, from, 0, size);
}

template <int kChannels>
TFVFI_INLINE float Product(const float* a, const float* b, int64_t channels) {
  if (kChannels) channels = kChannels;
  float sum = 0;
  for (int64_t c = 0; c < channels; ++c) sum += a[c] * b[c];
  return sum;
}

// `kStride` is the step between displacements if a loop is compiled for it, or else 0.
template <int kChannels, int kStride>
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
            const int64_t step = (kStride ? kStride : v.stride) * channels;
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

TFVFI_INLINE void VolumeAny(const Volume& v, const float* a, const float* b, float* out,
                            int64_t begin, int64_t end) {
  switch (v.channels) {
    case 3:
      if (v.stride == 1) return VolumeRows<3, 1>(v, a, b, out, begin, end);
      return VolumeRows<3, 0>(v, a, b, out, begin, end);
    case 32:
      return VolumeRows<32, 0>(v, a, b, out, begin, end);
    default:
      return VolumeRows<0, 0>(v, a, b, out, begin, end);
  }
}

// sums += over displacements weights[k] * there[k], for one pixel.
template <int kChannels>
TFVFI_INLINE void Collect(const float* weights, int64_t displacements, const float* there,
                          int64_t step, int64_t channels, float* sums) {
  for (int64_t first = 0; first < channels; first += kBlock) {
    const int64_t left = std::min<int64_t>(kBlock, channels - first);
    const int64_t count = kChannels ? std::min(kChannels, kBlock) : left;
    float held[kBlock];
    for (int64_t c = 0; c < count; ++c) held[c] = sums[first + c];
    for (int64_t k = 0; k < displacements; ++k) {
      for (int64_t c = 0; c < count; ++c) held[c] += weights[k] * there[k * step + first + c];
    }
    for (int64_t c = 0; c < count; ++c) sums[first + c] = held[c];
  }
}

// sums[k] += weights[k] * here, for all displacements of one pixel.
template <int kChannels>
TFVFI_INLINE void Spread(const float* weights, int64_t displacements, const float* here,
                         int64_t step, int64_t channels, float* sums) {
  if (kChannels) channels = kChannels;
  for (int64_t k = 0; k < displacements; ++k) {
    float* __restrict sum = sums + k * step;
    for (int64_t c = 0; c < channels; ++c) sum[c] += weights[k] * here[c];
  }
}

// Computes rows first to end of one frame of the gradient to a (where `other` is b) or to b (where
// `other` is a). Terms are always added in the order of the result.
template <int kChannels, bool to_a>
TFVFI_INLINE void GradientBand(const Volume& v, const float* other, const float* upstream,
                               float* out, int64_t frame, int64_t first, int64_t end) {
  const int64_t channels = kChannels ? kChannels : v.channels;
  const int64_t line = v.width * channels, step = v.stride * channels;
  const float* others = other + frame * v.height * line;
  float* sums = out + frame * v.height * line;
  std::memset(sums + first * line, 0, sizeof(float) * (end - first) * line);
  for (int64_t row = 0; row < v.rows; ++row) {
    const int64_t center_y = v.start + row * v.output_stride;
    for (int64_t y = center_y - v.window; y <= center_y + v.window; ++y) {
      if (y < 0 || y >= v.height || (to_a && (y < first || y >= end))) continue;
      const Range down = to_a ? Within(v, y, v.height) : Between(v, y, first, end);
      for (int64_t column = 0; column < v.columns; ++column) {
        const int64_t center_x = v.start + column * v.output_stride;
        const float* weights =
            upstream + ((frame * v.rows + row) * v.columns + column) * v.displacements();
        for (int64_t x = center_x - v.window; x <= center_x + v.window; ++x) {
          if (x < 0 || x >= v.width) continue;
          const Range across = Within(v, x, v.width);
          if (across.begin >= across.end) continue;
          const int64_t count = across.end - across.begin;
          const int64_t here = y * line + x * channels;
          for (int64_t dy = down.begin; dy < down.end; ++dy) {
            const int64_t there = (y + (dy - v.reach) * v.stride) * line +
                                  (x + (across.begin - v.reach) * v.stride) * channels;
            const float* used = weights + dy * v.side() + across.begin;
            if (to_a) {
              Collect<kChannels>(used, count, others + there, step, channels, sums + here);
            } else {
              Spread<kChannels>(used, count, others + here, step, channels, sums + there);
            }
          }
        }
      }
    }
  }
  const float factor = 1 / v.divisor();
  for (int64_t e = first * line; e < end * line; ++e) sums[e] *= factor;
}

template <bool to_a>
TFVFI_INLINE void GradientAny(const Volume& v, const float* other, const float* upstream,
                              float* out, int64_t frame, int64_t first, int64_t end) {
  switch (v.channels) {
    case 3:
      return GradientBand<3, to_a>(v, other, upstream, out, frame, first, end);
    case 32:
      return GradientBand<32, to_a>(v, other, upstream, out, frame, first, end);
    default:
      return GradientBand<0, to_a>(v, other, upstream, out, frame, first, end);
  }
}

TFVFI_INLINE void GradientToA(const Volume& v, const float* b, const float* upstream, float* out,
                              int64_t frame, int64_t first, int64_t end) {
  GradientAny<true>(v, b, upstream, out, frame, first, end);
}

TFVFI_INLINE void GradientToB(const Volume& v, const float* a, const float* upstream, float* out,
                              int64_t frame, int64_t first, int64_t end) {
  GradientAny<false>(v, a, upstream, out, frame, first, end);
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
      Hot<VolumeAny>::Run(volume, a.data(), b.data(), out.data(), begin, end);
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
    const int64_t bands = (volume.height + kBand - 1) / kBand;
    const double cost = 2 * kBand * RowCost(volume);
    ParallelFor(volume.batch * bands, cost, [&](int64_t begin, int64_t end) {
      for (int64_t at = begin; at < end; ++at) {
        const int64_t frame = at / bands, first = at % bands * kBand;
        const int64_t last = std::min(first + kBand, volume.height);
        Hot<GradientToA>::Run(volume, b.data(), upstream.data(), a_gradient.data(), frame, first,
                              last);
        Hot<GradientToB>::Run(volume, a.data(), upstream.data(), b_gradient.data(), frame, first,
                              last);
      }
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
