// Splatting.

#include "bilinear.h"
#include "kernel.h"

namespace tfvfi {
namespace {

Field FieldOf(const Tensor& values, const Tensor& flow) {
  for (int axis = 0; axis < 3; ++axis) {
    Require(values.dim(axis) == flow.dim(axis), "values and flow must agree in size");
  }
  Require(flow.dim(3) == 2, "flow must have 2 channels");
  return {flow.data(), values.dim(0), values.dim(1), values.dim(2), values.dim(3)};
}

class Splat {
 public:
  explicit Splat(const Attributes&) {}

  void Compute(const Context& context) const {
    const Tensor values = context.Input4(0), flow = context.Input4(1);
    const Field field = FieldOf(values, flow);
    const Tensor out = context.Output(0, values.shape());
    Scatter(field, values.data(), out.data());
  }
};

class SplatGradient {
 public:
  explicit SplatGradient(const Attributes&) {}

  void Compute(const Context& context) const {
    const Tensor values = context.Input4(0), flow = context.Input4(1);
    const Tensor upstream = context.Input4(2);
    const Field field = FieldOf(values, flow);
    Require(upstream.shape() == values.shape(), "upstream and values must agree in shape");
    const Tensor values_gradient = context.Output(0, values.shape());
    const Tensor flow_gradient = context.Output(1, flow.shape());
    Gather(field, upstream.data(), values_gradient.data());
    FlowGradient(field, values.data(), upstream.data(), flow_gradient.data());
  }
};

const bool registered = Register<Splat>(
    {"TfvfiSplat", {"values: float", "flow: float"}, {"summed: float"}, {}, ShapesOfInputs<0>});
const bool gradient_registered =
    Register<SplatGradient>({"TfvfiSplatGradient",
                             {"values: float", "flow: float", "upstream: float"},
                             {"values_gradient: float", "flow_gradient: float"},
                             {},
                             ShapesOfInputs<0, 1>});

}  // namespace
}  // namespace tfvfi
