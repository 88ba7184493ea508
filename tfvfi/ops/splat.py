"""Splatting, which adds every pixel to the four pixels around the end of its flow."""

from keras import ops

from tfvfi.errors import InputError
from tfvfi.ops import bilinear, checks, native
from tfvfi.ops.tensor import Tensor

MODES = ("sum", "average", "linear", "softmax")

# Published ways to divide by a sum of weights that is 0 where no pixel is splatted.
NORMALIZERS = {
    "add": lambda total: total + 1e-7,
    "zero": lambda total: ops.where(ops.equal(total, 0.0), 1.0, total),
    "clip": lambda total: ops.maximum(total, 1e-7),
}


def splat(values: Tensor, flow: Tensor) -> Tensor:
    """Adds each pixel, bilinearly weighted, to the four pixels around x + flow_x, y + flow_y.

    Of these four pixels, those outside the frame are ignored. A pixel whose flow is NaN or infinite
    contributes nothing and gets zero gradients. At whole pixels the gradient to the flow is the
    right-hand derivative. Sums are computed in float32.

    Args:
        values: [N, H, W, C], floating point.
        flow: [N, H, W, 2], (x, y) in pixels.

    Returns:
        [N, H, W, C] of the type of `values`.

    Example:
        >>> import numpy as np, tfvfi
        >>> values = np.array([8, 0, 0, 0], "float32").reshape(1, 1, 4, 1)
        >>> flow = np.full((1, 1, 4, 2), (1.25, 0), "float32")
        >>> np.ravel(tfvfi.ops.splat(values, flow))
        array([0., 6., 2., 0.], dtype=float32)
    """
    values = checks.float_tensor(values, "values")
    flow = checks.float_tensor(flow, "flow", channels=2)
    checks.same_frame(values, flow, "`values` and `flow`")
    if native.usable(values, flow):
        return native.splat(values, flow)
    return _splat(values, flow)


def softmax_splat(
    image: Tensor,
    flow: Tensor,
    metric: Tensor | None = None,
    mode: str = "softmax",
    normalizer: str = "add",
) -> Tensor:
    """Splats an image and averages pixels that are splatted to the same place.

    Args:
        image: [N, H, W, C], floating point.
        flow: [N, H, W, 2], (x, y) in pixels.
        metric: [N, H, W, 1], the importance of each pixel, for "linear" and "softmax".
        mode: "sum" adds all pixels without a division; "average" gives them equal weights; "linear"
            weights them by `metric`, and "softmax" by exp(metric). No maximum is subtracted from
            the metric, so keep it within about +-20.
        normalizer: How division by a sum n of weights is made safe: "add" divides by n + 1e-7;
            "zero" by n, or by 1 where n is 0; "clip" by at least 1e-7. Pixels that receive nothing
            are 0.

    Returns:
        [N, H, W, C] of the image's type.

    Example:
        >>> import numpy as np, tfvfi
        >>> image = np.array([8, 2, 0, 0], "float32").reshape(1, 1, 4, 1)
        >>> flow = np.array([[2, 0], [1, 0], [9, 0], [9, 0]], "float32").reshape(1, 1, 4, 2)
        >>> np.ravel(tfvfi.ops.softmax_splat(image, flow, mode="average")).round(3)
        array([0., 0., 5., 0.], dtype=float32)
    """
    image = checks.float_tensor(image, "image")
    checks.one_of(mode, MODES, "mode")
    checks.one_of(normalizer, NORMALIZERS, "normalizer")
    if mode == "sum":
        return splat(image, flow)
    values = ops.cast(image, "float32")
    if mode == "average":
        weight = ops.ones_like(values[..., :1])
    elif metric is None:
        raise InputError(f"`metric` is needed in mode {mode!r}. Received: None.")
    else:
        metric = checks.float_tensor(metric, "metric", channels=1)
        checks.same_frame(image, metric, "`image` and `metric`")
        weight = ops.cast(metric, "float32")
        weight = ops.exp(weight) if mode == "softmax" else weight
    summed = splat(ops.concatenate([values * weight, weight], axis=-1), flow)
    result = summed[..., :-1] / NORMALIZERS[normalizer](summed[..., -1:])
    return ops.cast(result, image.dtype)


def _splat(values, flow):
    batch, height, width, channels = ops.shape(values)
    flow = ops.cast(flow, "float32")
    x = bilinear.columns(width) + flow[..., 0]
    y = bilinear.rows(height) + flow[..., 1]
    left_and_right = bilinear.neighbors(x, width, "nothing")
    upper_and_lower = bilinear.neighbors(y, height, "nothing")

    weighed = ops.cast(values, "float32")
    first = bilinear.first_pixels(batch, height, width)
    summed = 0.0
    for row, row_weight in upper_and_lower:
        for column, column_weight in left_and_right:
            weight = ops.expand_dims(row_weight * column_weight, -1)
            summed = summed + ops.segment_sum(
                ops.reshape(weighed * weight, (-1, channels)),
                ops.reshape(first + row * width + column, (-1,)),
                num_segments=batch * height * width,
            )
    return ops.cast(ops.reshape(summed, (batch, height, width, channels)), values.dtype)
