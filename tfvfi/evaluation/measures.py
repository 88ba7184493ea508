"""Measures how far a frame is from the true one.

The definitions matter: published results of one network differ by decibels because their code
differs.

Frames are RGB arrays, H x W x 3, of uint8, uint16 or float in [0, 1]; both frames have one type
and size. Nothing is rounded, converted or cropped unless a definition requires it. Every
definition is in `DEFINITIONS`, which is stored with the results. All computation is in float64.

Published results use these definitions:

- SSIM: `ssim` is that of scikit-image with Gaussian weights, used by Super SloMo and most papers;
  `ssim_uniform` is the default of scikit-image, used by the scripts of SepConv and SoftSplat;
  `ssim_3d` is that of CAIN, RIFE, IFRNet, EMA-VFI and their successors, and is about 0.01 higher.
- Interpolation error: "absolute" is that of IFRNet and of most tables headed IE; "rms" is that of
  the Middlebury benchmark itself; "euclidean" is that of NVIDIA's evaluation of Super SloMo.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tfvfi.errors import InputError
from tfvfi.flow.flo import UNKNOWN

WINDOW, SIGMA = 11, 1.5
RADIUS = WINDOW // 2
UNIFORM_WINDOW = 7
K1, K2 = 0.01, 0.03

DEFINITIONS: Mapping[str, str] = {
    "psnr": (
        "10 log10(range^2 / MSE) in dB; MSE over all pixels and the three RGB channels together; "
        "values as they are, no border removed; infinite for equal frames, which means leave out "
        "and count. Higher is better."
    ),
    "ssim": (
        "2-D structural similarity, per RGB channel: Gaussian window 11 x 11, sigma 1.5; sample "
        "(co)variances, so times 121/120; K1 0.01, K2 0.03; the mean over pixels without the "
        "border of 5, where windows are incomplete, and over channels. Higher is better."
    ),
    "ssim_uniform": (
        "2-D structural similarity, per RGB channel: all values of a window 7 x 7 weigh the same; "
        "sample (co)variances, so times 49/48; K1 0.01, K2 0.03; the mean over pixels without the "
        "border of 3, where windows are incomplete, and over channels. Higher is better."
    ),
    "ssim_3d": (
        "3-D structural similarity as IFRNet reports it: Gaussian window 11 x 11 x 11, sigma 1.5, "
        "with the RGB channels as depth; border values repeated by 5 on all three axes; population "
        "(co)variances; K1 0.01, K2 0.03; the mean of the whole map. Higher is better."
    ),
    "ie_absolute": (
        "mean absolute difference of the 8-bit RGB values, floats rounded to the nearest, "
        "0..255. Lower is better."
    ),
    "ie_rms": (
        "Middlebury's: square root of the mean over pixels of the squared length of the RGB "
        "difference, in 8-bit values, floats rounded to the nearest. Lower is better."
    ),
    "ie_euclidean": (
        "NVIDIA's: mean over pixels of the length of the RGB difference, in 8-bit values, floats "
        "rounded to the nearest. Lower is better."
    ),
    "flicker": (
        "mean absolute change, from each frame to the next, of the error (prediction minus truth), "
        "in 0..255; the sequence includes both given frames, whose error is zero. Lower is better."
    ),
    "lpips": (
        "learned perceptual distance (Zhang et al., CVPR 2018, version 0.1) with the weights that "
        "the user supplied; frames as they are, scaled to -1..1. Lower is better."
    ),
}


def psnr(a: np.ndarray, b: np.ndarray, data_range: float | None = None) -> float:
    """Returns the peak signal-to-noise ratio in dB, which is infinite for equal frames.

    Args:
        a: A frame, or an array of any shape.
        b: The other one, of the same shape and type.
        data_range: The difference between white and black. The default is the range of the type,
            which is 1 for floats.

    Example:
        >>> import numpy as np
        >>> round(psnr(np.zeros((4, 4, 3)), np.full((4, 4, 3), 0.1)), 6)
        20.0
    """
    mse = float(np.mean(np.square(np.subtract(*_unit(a, b, data_range)))))
    return float("inf") if mse == 0 else float(-10 * np.log10(mse))


def ssim(
    a: np.ndarray, b: np.ndarray, data_range: float | None = None, form: str = "gaussian"
) -> float:
    """Returns the structural similarity in one of its 2-D forms.

    Args:
        a: A frame.
        b: The other frame.
        data_range: As for `psnr`.
        form: "gaussian", the form of most papers, see `DEFINITIONS["ssim"]`; "uniform", see
            `DEFINITIONS["ssim_uniform"]`; or "ifrnet", the 2-D form in IFRNet's code: Gaussian,
            with repeated border values and population variances, averaged over the whole map.

    Raises:
        InputError: The form is unknown, or the frames differ in shape or type or are too small.

    Example:
        >>> import numpy as np
        >>> frame = np.random.default_rng(0).random((16, 16, 3))
        >>> ssim(frame, frame)
        1.0
    """
    _check_frames(a, b)
    if form == "ifrnet":
        luminance, contrast = ssim_maps(*_unit(a, b, data_range), blur)
        return float(np.mean(luminance * contrast))
    if form not in WHOLE_WINDOWS:
        raise InputError(f"form is gaussian, uniform or ifrnet. Received: {form!r}")
    window, means = WHOLE_WINDOWS[form]
    if min(a.shape[:2]) < window:
        raise InputError(f"SSIM needs frames of at least {window} x {window}. Received: {a.shape}")
    unbiased = window**2 / (window**2 - 1)
    luminance, contrast = ssim_maps(*_unit(a, b, data_range), means, unbiased)
    inside = slice(window // 2, -(window // 2))
    return float(np.mean((luminance * contrast)[inside, inside]))


def ssim_3d(a: np.ndarray, b: np.ndarray, data_range: float | None = None) -> float:
    """Returns the structural similarity in the 3-D form of IFRNet.

    Args:
        a: A frame.
        b: The other frame.
        data_range: As for `psnr`.

    Returns:
        The value that `DEFINITIONS["ssim_3d"]` defines.

    Example:
        >>> import numpy as np
        >>> frame = np.random.default_rng(0).random((16, 16, 3))
        >>> ssim_3d(frame, frame)
        1.0
    """
    _check_frames(a, b)
    luminance, contrast = ssim_maps(*_unit(a, b, data_range), blur_3d)
    return float(np.mean(luminance * contrast))


def interpolation_error(a: np.ndarray, b: np.ndarray, form: str = "absolute") -> float:
    """Returns the interpolation error in 8-bit values.

    Args:
        a: A frame.
        b: The other frame.
        form: "absolute", "rms" or "euclidean"; see `DEFINITIONS`.

    Example:
        >>> import numpy as np
        >>> black, grey = np.zeros((4, 4, 3), "uint8"), np.full((4, 4, 3), 2, "uint8")
        >>> interpolation_error(black, grey), round(interpolation_error(black, grey, "rms"), 3)
        (2.0, 3.464)
    """
    _check_frames(a, b)
    difference = np.subtract(*(np.rint(255 * frame) for frame in _unit(a, b)))
    squares = np.sum(np.square(difference), axis=-1)
    if form == "absolute":
        return float(np.mean(np.abs(difference)))
    if form == "rms":
        return float(np.sqrt(np.mean(squares)))
    if form == "euclidean":
        return float(np.mean(np.sqrt(squares)))
    raise InputError(f"form is absolute, rms or euclidean. Received: {form!r}")


def endpoint_error(flow: np.ndarray, truth: np.ndarray) -> float:
    """Returns the mean endpoint error in pixels over the pixels whose true flow is known.

    Args:
        flow: The estimated flow, H x W x 2.
        truth: The true flow. Values of `UNKNOWN` or more mark unknown pixels.

    Raises:
        InputError: The shapes are wrong, or the true flow is unknown everywhere.

    Example:
        >>> import numpy as np
        >>> endpoint_error(np.zeros((2, 2, 2)), np.full((2, 2, 2), (3.0, 4.0)))
        5.0
    """
    if flow.shape != truth.shape or flow.shape[-1] != 2:
        raise InputError(
            f"two flows of H x W x 2 are expected. Received: {flow.shape} and {truth.shape}"
        )
    with np.errstate(invalid="ignore"):
        known = (np.abs(truth) < UNKNOWN).all(axis=-1)
    if not known.any():
        raise InputError("the true flow is unknown everywhere")
    gap = flow[known].astype(np.float64) - truth[known]
    return float(np.mean(np.hypot(gap[:, 0], gap[:, 1])))


def flicker(frames: Sequence[np.ndarray], truths: Sequence[np.ndarray]) -> float:
    """Returns how much the error changes from frame to frame; see `DEFINITIONS["flicker"]`.

    A constant tint of the new frames counts twice, at the first and after the last of them, because
    the eye sees both changes between original and new frames.

    Args:
        frames: The new frames of one pair, in order.
        truths: The true frames.

    Example:
        >>> import numpy as np
        >>> black, grey = np.zeros((4, 4, 3), "uint8"), np.full((4, 4, 3), 6, "uint8")
        >>> flicker([grey, grey], [black, black])
        4.0
    """
    if not frames or len(frames) != len(truths):
        raise InputError(
            f"as many frames as truths are expected. Received: {len(frames)} and {len(truths)}"
        )
    errors = [255 * np.subtract(*_unit(*pair)) for pair in zip(frames, truths, strict=True)]
    given = np.zeros_like(errors[0])
    return float(np.mean(np.abs(np.diff([given, *errors, given], axis=0))))


# The metrics of every frame, by their names in result files.
OF_FRAMES: Mapping[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "psnr": psnr,
    "ssim": ssim,
    "ssim_uniform": lambda a, b: ssim(a, b, form="uniform"),
    "ssim_3d": ssim_3d,
    "ie_absolute": interpolation_error,
    "ie_rms": lambda a, b: interpolation_error(a, b, "rms"),
    "ie_euclidean": lambda a, b: interpolation_error(a, b, "euclidean"),
}

HIGHER_IS_BETTER = frozenset({"psnr", "ssim", "ssim_uniform", "ssim_3d"})


def ssim_maps(
    a: np.ndarray, b: np.ndarray, blur: Callable[[np.ndarray], np.ndarray], unbiased: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the two factors of SSIM at every value: luminance, and contrast with structure.

    Args:
        a: A frame, float64 in [0, 1].
        b: The other frame.
        blur: Computes the mean over the window around every value.
        unbiased: The factor that turns population variances of a window into sample variances.
    """
    mean_a, mean_b = blur(a), blur(b)
    variance_a = unbiased * (blur(a * a) - mean_a * mean_a)
    variance_b = unbiased * (blur(b * b) - mean_b * mean_b)
    covariance = unbiased * (blur(a * b) - mean_a * mean_b)
    luminance = (2 * mean_a * mean_b + K1**2) / (mean_a**2 + mean_b**2 + K1**2)
    return luminance, (2 * covariance + K2**2) / (variance_a + variance_b + K2**2)


def gaussian() -> np.ndarray:
    """Returns the Gaussian window of SSIM along one axis."""
    weights = np.exp(-np.square(np.arange(WINDOW) - RADIUS) / (2 * SIGMA**2))
    return weights / weights.sum()


def blur(frame: np.ndarray) -> np.ndarray:
    """Returns Gaussian means over rows and columns, with repeated border values."""
    import cv2

    weights = gaussian()
    return cv2.sepFilter2D(frame, cv2.CV_64F, weights, weights, borderType=cv2.BORDER_REPLICATE)


def blur_3d(frame: np.ndarray) -> np.ndarray:
    """Returns Gaussian means over rows, columns and channels, with repeated border values."""
    channels = frame.shape[-1]
    mix = np.zeros((channels, channels))
    for to in range(channels):
        for offset, weight in enumerate(gaussian(), start=-RADIUS):
            mix[min(max(to + offset, 0), channels - 1), to] += weight
    return blur(frame) @ mix


def box_blur(frame: np.ndarray) -> np.ndarray:
    """Returns means over 7 rows and columns."""
    import cv2

    return cv2.blur(frame, (UNIFORM_WINDOW, UNIFORM_WINDOW), borderType=cv2.BORDER_REPLICATE)


# The forms of SSIM that use complete windows only: the size of a window, and its mean.
WHOLE_WINDOWS = {"gaussian": (WINDOW, blur), "uniform": (UNIFORM_WINDOW, box_blur)}


def _unit(a: np.ndarray, b: np.ndarray, data_range: float | None = None) -> list[np.ndarray]:
    """Returns both frames in float64, scaled so that white is 1."""
    types = [None if frame.dtype.kind == "f" else frame.dtype for frame in (a, b)]
    if a.shape != b.shape or types[0] != types[1] or types[0] not in (None, np.uint8, np.uint16):
        raise InputError(
            "frames are compared in one size and type: uint8, uint16 or float. "
            f"Received: {a.shape} {a.dtype} and {b.shape} {b.dtype}"
        )
    if data_range is None:
        data_range = np.iinfo(a.dtype).max if types[0] else 1
    return [frame.astype(np.float64) / data_range for frame in (a, b)]


def _check_frames(a: np.ndarray, b: np.ndarray) -> None:
    if a.ndim != 3 or a.shape[-1] != 3:
        raise InputError(f"frames of height x width x 3 are expected. Received: {a.shape}")
