// PReLU in one pass: negative values are multiplied by a slope per channel.

#include "kernel.h"
#include "parallel.h"
#include "simd.h"
#include "vectors.h"

namespace tfvfi {
namespace {

template <class Number>
TFVFI_INLINE void ApplyRows(const Number* values, const float* slope, int64_t channels, Number* out,
                            int64_t begin, int64_t end) {
  for (int64_t pixel = begin; pixel < end; ++pixel) {
    const int64_t first = pixel * channels;
    ForChannels<Vector8>(channels, [&](auto vector, int64_t channel) TFVFI_INLINE_LAMBDA {
      using Vector = decltype(vector);
      const Vector value = Load<Vector>(values + first + channel);
      const Vector scaled = Load<Vector>(slope + channel) * value;
      Store(out + first + channel, value > 0 ? value : scaled);
    });
  }
}

class Prelu {
 public:
  explicit Prelu(const Attributes&) {}

  void Compute(const Context& context) const {
    const Tensor values = context.Input4(0), slope = context.Input(1);
    const int64_t channels = values.dim(3);
    Require(slope.size() == channels, "there must be one slope for each channel");
    const Tensor out = context.Output(0, values.shape(), values.type());
    if (out.size() == 0) return;
    ParallelFor(out.size() / channels, 0.5 * channels, [&](int64_t begin, int64_t end) {
      if (values.type() == TF_FLOAT) {
        Hot<ApplyRows<float>>::Run(values.data(), slope.data(), channels, out.data(), begin, end);
      } else {
        Hot<ApplyRows<Half>>::Run(values.data<Half>(), slope.data(), channels, out.data<Half>(),
                                  begin, end);
      }
    });
  }
};

const bool registered = Register<Prelu>({"TfvfiPrelu",
                                         {"values: T", "slope: float"},
                                         {"activated: T"},
                                         {"T: {float, bfloat16}"},
                                         ShapesOfInputs<0>});

}  // namespace
}  // namespace tfvfi
