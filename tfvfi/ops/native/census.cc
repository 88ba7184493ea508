// The census distance of two images together with its gradients.
//
// The distance compares, for every pixel whose patch lies inside the image, the differences of the
// patch's pixels from it: see `ops/census.py`. Stored for all pixels of a patch, the intermediate
// values would take far longer to write and read than to compute. They are computed once, in one
// pass that yields the distance and the gradients of the distance, which the gradient of the
// operation only has to scale.
//
// Every pair of pixels is visited from both sides, so that each row of the gradients is computed by
// one thread.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "kernel.h"
#include "parallel.h"
#include "simd.h"

namespace tfvfi {
namespace {

struct Sizes {
  int64_t batch, height, width, channels, border;

  int64_t stride() const { return width * channels; }
  bool Inside(int64_t row) const { return row >= border && row < height - border; }
};

// Images, their gradients, and the sum of every row's distances. `inside` is 1 at the columns whose
// patch lies inside the image and 0 elsewhere.
struct Data {
  const float *x, *y, *inside;
  float *x_gradient, *y_gradient;
  double* sums;
  float scale;
};

// Adds the pairs of a row with one row of their patches, at one horizontal offset. Pointers are those
// of the first pixel that has a partner, and `shift` leads from there to the partner's row.
TFVFI_INLINE float AddPairs(const float* x, const float* y, const float* inside, int64_t shift,
                            int64_t beside, int64_t count, float own, float other,
                            float* __restrict x_gradient, float* __restrict y_gradient) {
  float sum = 0;
  for (int64_t e = 0; e < count; ++e) {
    const float of_x = x[e + shift] - x[e], of_y = y[e + shift] - y[e];
    const float root_x = 1 / std::sqrt(0.81f + of_x * of_x);
    const float root_y = 1 / std::sqrt(0.81f + of_y * of_y);
    const float difference = of_x * root_x - of_y * root_y, square = difference * difference;
    const float inverse = 1 / (0.1f + square), weight = own * inside[e];
    sum += weight * square * inverse;
    // The derivatives of square / (0.1 + square) and of value / sqrt(0.81 + value^2), without the
    // powers of the roots.
    const float slope = 2 * 0.1f * 0.81f * difference * inverse * inverse *
                        (weight + other * inside[e + beside]);
    x_gradient[e] -= slope * root_x * root_x * root_x;
    y_gradient[e] += slope * root_y * root_y * root_y;
  }
  return sum;
}

TFVFI_INLINE void CompareRows(const Sizes& s, const Data& data, int64_t begin, int64_t end) {
  const int64_t stride = s.stride();
  for (int64_t row = begin; row < end; ++row) {
    const int64_t middle = row % s.height;
    float* const x_gradient = data.x_gradient + row * stride;
    float* const y_gradient = data.y_gradient + row * stride;
    std::fill_n(x_gradient, stride, 0.0f);
    std::fill_n(y_gradient, stride, 0.0f);
    double sum = 0;
    for (int64_t down = -s.border; down <= s.border; ++down) {
      const int64_t partner = middle + down;
      const float own = s.Inside(middle), other = s.Inside(partner);
      if (partner < 0 || partner >= s.height || own + other == 0) continue;
      for (int64_t across = -s.border; across <= s.border; ++across) {
        const int64_t beside = across * s.channels;
        const int64_t first = std::max<int64_t>(0, -beside);
        const int64_t last = std::min(stride, stride - beside);
        if ((down == 0 && across == 0) || first >= last) continue;
        const int64_t at = row * stride + first;
        sum += AddPairs(data.x + at, data.y + at, data.inside + first, down * stride + beside,
                        beside, last - first, own, other, x_gradient + first, y_gradient + first);
      }
    }
    for (int64_t e = 0; e < stride; ++e) {
      x_gradient[e] *= data.scale;
      y_gradient[e] *= data.scale;
    }
    data.sums[row] = sum;
  }
}

class Census {
 public:
  explicit Census(const Attributes& attributes) : patch_(attributes.Integer("patch")) {}

  void Compute(const Context& context) const {
    const Tensor x = context.Input4(0), y = context.Input4(1);
    Require(x.shape() == y.shape(), "both images must have the same shape");
    Require(patch_ > 0 && patch_ % 2 == 1, "patch must be odd");
    const Sizes s{x.dim(0), x.dim(1), x.dim(2), x.dim(3), patch_ / 2};
    const Tensor distance = context.Output(0, {});
    const Tensor x_gradient = context.Output(1, x.shape()), y_gradient = context.Output(2, y.shape());
    std::vector<float> inside(s.stride());
    for (int64_t column = s.border; column < s.width - s.border; ++column) {
      std::fill_n(inside.begin() + column * s.channels, s.channels, 1.0f);
    }
    const int64_t rows = s.batch * s.height;
    std::vector<double> sums(rows);
    const double scale = 1.0 / (static_cast<double>(x.size()) * patch_ * patch_);
    const Data data{x.data(),          y.data(),    inside.data(),          x_gradient.data(),
                    y_gradient.data(), sums.data(), static_cast<float>(scale)};
    ParallelFor(rows, 2.0 * s.stride() * patch_ * patch_, [&](int64_t begin, int64_t end) {
      Hot<CompareRows>::Run(s, data, begin, end);
    });
    double total = 0;
    for (const double sum : sums) total += sum;
    *distance.data() = static_cast<float>(total * scale);
  }

 private:
  const int64_t patch_;
};

void Shapes(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeHandle* shape = TF_ShapeInferenceContextScalar(context);
  TF_ShapeInferenceContextSetOutput(context, 0, shape, status);
  for (int input : {0, 1}) {
    if (TF_GetCode(status) != TF_OK) break;
    TF_ShapeInferenceContextGetInput(context, input, shape, status);
    if (TF_GetCode(status) != TF_OK) break;
    TF_ShapeInferenceContextSetOutput(context, input + 1, shape, status);
  }
  TF_DeleteShapeHandle(shape);
}

const bool registered =
    Register<Census>({"TfvfiCensus",
                      {"x: float", "y: float"},
                      {"distance: float", "x_gradient: float", "y_gradient: float"},
                      {"patch: int"},
                      Shapes});

}  // namespace
}  // namespace tfvfi
