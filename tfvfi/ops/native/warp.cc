// Backward warping.

#include "bilinear.h"
#include "kernel.h"
#include "vectors.h"

namespace tfvfi {
namespace {

// `grid` holds pixel scale, flow scale and offset, first of the x axis and then of the y axis.
Field FieldOf(const Tensor& image, const Tensor& flow, const Tensor& grid, Padding padding) {
  for (int axis = 0; axis < 3; ++axis) {
    Require(image.dim(axis) == flow.dim(axis), "image and flow must agree in size");
  }
  Require(flow.dim(3) == 2, "flow must have 2 channels");
  Require(grid.rank() == 1 && grid.dim(0) == 6, "grid must hold 6 numbers");
  const float* numbers = grid.data();
  Field field{flow.data(), image.dim(0), image.dim(1), image.dim(2), image.dim(3)};
  field.padding = padding;
  field.x = {numbers[0], numbers[1], numbers[2]};
  field.y = {numbers[3], numbers[4], numbers[5]};
  return field;
}

Padding PaddingOf(const Attributes& attributes) {
  const int32_t padding = attributes.Integer("padding");
  Require(padding >= 0 && padding <= 2, "padding must be 0, 1 or 2");
  return static_cast<Padding>(padding);
}

class BackwardWarp {
 public:
  explicit BackwardWarp(const Attributes& attributes) : padding_(PaddingOf(attributes)) {}

  void Compute(const Context& context) const {
    const Tensor image = context.Input4(0), flow = context.Input4(1), grid = context.Input(2);
    Field field = FieldOf(image, flow, grid, padding_);
    field.ignore_nan = false;
    const Tensor out = context.Output(0, image.shape(), image.type());
    if (image.type() == TF_FLOAT) {
      Gather(field, image.data(), out.data());
    } else {
      Gather(field, image.data<Half>(), out.data<Half>());
    }
  }

 private:
  const Padding padding_;
};

class BackwardWarpGradient {
 public:
  explicit BackwardWarpGradient(const Attributes& attributes) : padding_(PaddingOf(attributes)) {}

  void Compute(const Context& context) const {
    const Tensor image = context.Input4(0), flow = context.Input4(1), grid = context.Input(2);
    const Tensor upstream = context.Input4(3);
    const Field field = FieldOf(image, flow, grid, padding_);
    Require(upstream.shape() == image.shape(), "upstream and image must agree in shape");
    const Tensor image_gradient = context.Output(0, image.shape());
    const Tensor flow_gradient = context.Output(1, flow.shape());
    Scatter(field, upstream.data(), image_gradient.data());
    FlowGradient(field, upstream.data(), image.data(), flow_gradient.data());
  }

 private:
  const Padding padding_;
};

const bool registered = Register<BackwardWarp>({"TfvfiBackwardWarp",
                                                {"image: T", "flow: float", "grid: float"},
                                                {"warped: T"},
                                                {"T: {float, bfloat16}", "padding: int"},
                                                ShapesOfInputs<0>});
const bool gradient_registered = Register<BackwardWarpGradient>(
    {"TfvfiBackwardWarpGradient",
     {"image: float", "flow: float", "grid: float", "upstream: float"},
     {"image_gradient: float", "flow_gradient: float"},
     {"padding: int"},
     ShapesOfInputs<0, 1>});

}  // namespace
}  // namespace tfvfi
