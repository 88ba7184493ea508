// Bilinear resizing without antialiasing.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernel.h"
#include "parallel.h"
#include "simd.h"
#include "vectors.h"

namespace tfvfi {
namespace {

// The two input pixels that an output pixel blends, on one axis.
struct Blend {
  int64_t low, high;
  float low_weight, high_weight;
};

std::vector<Blend> BlendsOf(int64_t old_size, int64_t new_size, double scale, bool align_corners) {
  std::vector<Blend> blends(new_size);
  const double spacing = (old_size - 1.0) / std::max(new_size - 1.0, 1.0);
  for (int64_t i = 0; i < new_size; ++i) {
    double position = align_corners ? i * spacing : (i + 0.5) / scale - 0.5;
    position = std::min(std::max(position, 0.0), old_size - 1.0);
    const int64_t low = static_cast<int64_t>(position);
    const float fraction = static_cast<float>(position - low);
    blends[i] = {low, std::min(low + 1, old_size - 1), 1 - fraction, fraction};
  }
  return blends;
}

struct Axes {
  int64_t batch, height, width, channels;  // of the input
  std::vector<Blend> rows, columns;        // of the output
};

template <int kChannels, class Number>
TFVFI_INLINE void ResizeRows(const Axes& axes, const Number* image, Number* out, int64_t begin,
                             int64_t end) {
  const int64_t channels = kChannels ? kChannels : axes.channels;
  const int64_t stride = axes.width * channels;
  const int64_t rows = axes.rows.size(), columns = axes.columns.size();
  for (int64_t row = begin; row < end; ++row) {
    const Blend& y = axes.rows[row % rows];
    const Number* frame = image + row / rows * axes.height * stride;
    const Number *low = frame + y.low * stride, *high = frame + y.high * stride;
    Number* written = out + row * columns * channels;
    for (int64_t column = 0; column < columns; ++column, written += channels) {
      const Blend& x = axes.columns[column];
      const int64_t left = x.low * channels, right = x.high * channels;
      ForChannels<Vector8>(channels, [&](auto vector, int64_t c) TFVFI_INLINE_LAMBDA {
        using Vector = decltype(vector);
        const Vector above = x.low_weight * Load<Vector>(low + left + c) +
                             x.high_weight * Load<Vector>(low + right + c);
        const Vector below = x.low_weight * Load<Vector>(high + left + c) +
                             x.high_weight * Load<Vector>(high + right + c);
        Store(written + c, y.low_weight * above + y.high_weight * below);
      });
    }
  }
}

template <class Number>
TFVFI_INLINE void ResizeAny(const Axes& axes, const Number* image, Number* out, int64_t begin,
                            int64_t end) {
  switch (axes.channels) {
    case 1:
      return ResizeRows<1>(axes, image, out, begin, end);
    case 2:
      return ResizeRows<2>(axes, image, out, begin, end);
    case 3:
      return ResizeRows<3>(axes, image, out, begin, end);
    default:
      return ResizeRows<0>(axes, image, out, begin, end);
  }
}

template <int kChannels>
TFVFI_INLINE void AddRow(const Axes& axes, const float* upstream, float weight, float* sums) {
  const int64_t channels = kChannels ? kChannels : axes.channels;
  for (const Blend& x : axes.columns) {
    const float left = weight * x.low_weight, right = weight * x.high_weight;
    float* low = sums + x.low * channels;
    float* high = sums + x.high * channels;
    for (int64_t c = 0; c < channels; ++c) low[c] += left * upstream[c];
    for (int64_t c = 0; c < channels; ++c) high[c] += right * upstream[c];
    upstream += channels;
  }
}

// Each input row sums the contributions of the output rows that read it, which are consecutive.
TFVFI_INLINE void GradientRows(const Axes& axes, const float* upstream, float* out, int64_t begin,
                               int64_t end) {
  const int64_t stride = axes.width * axes.channels;
  const int64_t rows = axes.rows.size(), out_stride = axes.columns.size() * axes.channels;
  for (int64_t row = begin; row < end; ++row) {
    const int64_t frame = row / axes.height, y = row % axes.height;
    float* sums = out + row * stride;
    std::memset(sums, 0, sizeof(float) * stride);
    auto first = std::lower_bound(axes.rows.begin(), axes.rows.end(), y,
                                  [](const Blend& blend, int64_t at) { return blend.high < at; });
    for (auto blend = first; blend != axes.rows.end() && blend->low <= y; ++blend) {
      const float weight = (blend->low == y ? blend->low_weight : 0) +
                           (blend->high == y ? blend->high_weight : 0);
      const float* from = upstream + (frame * rows + (blend - axes.rows.begin())) * out_stride;
      switch (axes.channels) {
        case 1:
          AddRow<1>(axes, from, weight, sums);
          break;
        case 2:
          AddRow<2>(axes, from, weight, sums);
          break;
        case 3:
          AddRow<3>(axes, from, weight, sums);
          break;
        default:
          AddRow<0>(axes, from, weight, sums);
      }
    }
  }
}

Axes AxesOf(const Tensor& image, const Tensor& scale, int64_t height, int64_t width,
            bool align_corners) {
  Require(scale.rank() == 1 && scale.dim(0) == 2, "scale must hold 2 numbers");
  const double scale_y = scale.data<double>()[0], scale_x = scale.data<double>()[1];
  Require(scale_y > 0 && scale_x > 0, "scale must be positive");
  Require(height >= 0 && width >= 0, "size must not be negative");
  Axes axes{image.dim(0), image.dim(1), image.dim(2), image.dim(3), {}, {}};
  Require((axes.height > 0 || height == 0) && (axes.width > 0 || width == 0),
          "an image without pixels cannot be enlarged");
  axes.rows = BlendsOf(axes.height, height, scale_y, align_corners);
  axes.columns = BlendsOf(axes.width, width, scale_x, align_corners);
  return axes;
}

class Resize {
 public:
  explicit Resize(const Attributes& attributes)
      : align_corners_(attributes.Boolean("align_corners")) {}

  void Compute(const Context& context) const {
    const Tensor image = context.Input4(0), size = context.Input(1), scale = context.Input(2);
    Require(size.rank() == 1 && size.dim(0) == 2, "size must hold 2 numbers");
    const int32_t height = size.data<int32_t>()[0], width = size.data<int32_t>()[1];
    const Axes axes = AxesOf(image, scale, height, width, align_corners_);
    const std::vector<int64_t> shape = {axes.batch, height, width, axes.channels};
    const Tensor out = context.Output(0, shape, image.type());
    if (out.size() == 0) return;
    const double cost = width * (2.0 + axes.channels);
    ParallelFor(axes.batch * height, cost, [&](int64_t begin, int64_t end) {
      if (image.type() == TF_FLOAT) {
        Hot<ResizeAny<float>>::Run(axes, image.data(), out.data(), begin, end);
      } else {
        Hot<ResizeAny<Half>>::Run(axes, image.data<Half>(), out.data<Half>(), begin, end);
      }
    });
  }

 private:
  const bool align_corners_;
};

class ResizeGradient {
 public:
  explicit ResizeGradient(const Attributes& attributes)
      : align_corners_(attributes.Boolean("align_corners")) {}

  void Compute(const Context& context) const {
    const Tensor image = context.Input4(0), upstream = context.Input4(1), scale = context.Input(2);
    const Axes axes = AxesOf(image, scale, upstream.dim(1), upstream.dim(2), align_corners_);
    Require(upstream.dim(0) == axes.batch && upstream.dim(3) == axes.channels,
            "upstream must have the batch and channels of the image");
    const Tensor gradient = context.Output(0, image.shape());
    if (gradient.size() == 0) return;
    const double cost = (2.0 + axes.channels) * upstream.dim(1) * upstream.dim(2) / axes.height;
    ParallelFor(axes.batch * axes.height, cost, [&](int64_t begin, int64_t end) {
      Hot<GradientRows>::Run(axes, upstream.data(), gradient.data(), begin, end);
    });
  }

 private:
  const bool align_corners_;
};

const bool registered = Register<Resize>({"TfvfiResize",
                                          {"image: T", "size: int32", "scale: double"},
                                          {"resized: T"},
                                          {"T: {float, bfloat16}", "align_corners: bool"},
                                          ShapeAtRunTime});
const bool gradient_registered =
    Register<ResizeGradient>({"TfvfiResizeGradient",
                              {"image: float", "upstream: float", "scale: double"},
                              {"gradient: float"},
                              {"align_corners: bool"},
                              ShapesOfInputs<0>});

}  // namespace
}  // namespace tfvfi
