"""PSNR, SSIM and endpoint error as Keras metrics, as `tfvfi.evaluation.measures` defines them.

`model.compile(metrics="auto")` adds those that suit a network. Frames are RGB in [0, 1]; values
outside that range are clipped before they are measured.
"""

import keras
import numpy as np
from keras import ops

from tfvfi.errors import InputError
from tfvfi.ops.tensor import Tensor

# The Gaussian window of SSIM and its constants, for values from 0 to 1.
WINDOW, SIGMA = 11, 1.5
LUMINANCE, CONTRAST = 0.01**2, 0.03**2
# The PSNR, in dB, that is counted for equal frames, whose true PSNR is infinite.
EQUAL = 100.0

registered = keras.saving.register_keras_serializable("tfvfi")


def psnr(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Returns the peak signal-to-noise ratio of each example in dB, (B,), 100 at most."""
    error = ops.mean(ops.square(_unit(y_pred) - _unit(y_true)), axis=(1, 2, 3))
    return -10 * ops.log10(ops.maximum(error, 10 ** (-EQUAL / 10)))


def ssim(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Returns the structural similarity of each example, (B,), over complete windows only."""
    if min(side or WINDOW for side in y_pred.shape[1:3]) < WINDOW:
        raise InputError(
            f"SSIM needs frames of at least {WINDOW} x {WINDOW} pixels. "
            f"Received: shape {tuple(y_pred.shape)}"
        )
    true, pred = _unit(y_true), _unit(y_pred)
    mean_true, mean_pred = _blur(true), _blur(pred)
    # Values centered on 0 have smaller squares, which lose fewer digits.
    true, pred = true - 0.5, pred - 0.5
    around_true, around_pred = mean_true - 0.5, mean_pred - 0.5
    # Sample variances, as in scikit-image.
    unbiased = WINDOW**2 / (WINDOW**2 - 1)
    variances = unbiased * (
        _blur(ops.square(true) + ops.square(pred))
        - ops.square(around_true)
        - ops.square(around_pred)
    )
    covariance = unbiased * (_blur(true * pred) - around_true * around_pred)
    squares = ops.square(mean_true) + ops.square(mean_pred)
    luminance = (2 * mean_true * mean_pred + LUMINANCE) / (squares + LUMINANCE)
    contrast = (2 * covariance + CONTRAST) / (variances + CONTRAST)
    return ops.mean(luminance * contrast, axis=(1, 2, 3))


def endpoint_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Returns the mean endpoint error of each example in pixels, (B,)."""
    gap = ops.square(ops.cast(y_pred, "float32") - ops.cast(y_true, "float32"))
    return ops.mean(ops.sqrt(ops.sum(gap, axis=-1)), axis=(1, 2))


class _Measure(keras.metrics.MeanMetricWrapper):
    """The mean of a measure over all examples."""

    def get_config(self) -> dict[str, str]:
        """Returns the arguments from which this metric can be recreated."""
        return {"name": self.name, "dtype": self.dtype}


@registered
class PSNR(_Measure):
    """Peak signal-to-noise ratio in dB, the mean over all examples.

    Example:
        >>> import numpy as np
        >>> metric = PSNR()
        >>> metric.update_state(np.zeros((1, 16, 16, 3)), np.full((1, 16, 16, 3), 0.1))
        >>> round(float(metric.result()), 3)
        20.0
    """

    def __init__(self, name: str = "psnr", dtype: str | None = None):
        super().__init__(psnr, name=name, dtype=dtype)
        # Keras callbacks without an explicit mode read it from this attribute.
        self._direction = "up"


@registered
class SSIM(_Measure):
    """Structural similarity with a Gaussian window, the mean over all examples.

    Example:
        >>> import numpy as np
        >>> frames = np.random.default_rng(0).uniform(size=(2, 16, 16, 3))
        >>> metric = SSIM()
        >>> metric.update_state(frames, frames)
        >>> round(float(metric.result()), 6)
        1.0
    """

    def __init__(self, name: str = "ssim", dtype: str | None = None):
        super().__init__(ssim, name=name, dtype=dtype)
        self._direction = "up"


@registered
class EndpointError(_Measure):
    """The endpoint error of flow in pixels, the mean over all pixels and examples.

    Example:
        >>> import numpy as np
        >>> metric = EndpointError()
        >>> metric.update_state(np.zeros((1, 8, 8, 2)), np.full((1, 8, 8, 2), (3, 4)))
        >>> float(metric.result())
        5.0
    """

    def __init__(self, name: str = "endpoint_error", dtype: str | None = None):
        super().__init__(endpoint_error, name=name, dtype=dtype)
        self._direction = "down"


def _unit(frames: Tensor) -> Tensor:
    return ops.clip(ops.cast(frames, "float32"), 0.0, 1.0)


def _blur(frames: Tensor) -> Tensor:
    """Returns Gaussian means of RGB frames over the windows that lie inside them."""
    weights = np.exp(-np.square(np.arange(WINDOW) - WINDOW // 2) / (2 * SIGMA**2))
    weights = np.repeat((weights / weights.sum())[:, None], 3, axis=1).astype("float32")
    rows = ops.convert_to_tensor(weights.reshape(WINDOW, 1, 3, 1))
    columns = ops.convert_to_tensor(weights.reshape(1, WINDOW, 3, 1))
    blurred = ops.depthwise_conv(frames, rows, data_format="channels_last")
    return ops.depthwise_conv(blurred, columns, data_format="channels_last")
