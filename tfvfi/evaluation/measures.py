"""How far a frame is from the truth. Published numbers differ by decibels because this code does.

Frames are RGB arrays, H x W x 3: uint8, uint16, or float in [0, 1]; both of one type and size.
Nothing is rounded, converted or cropped unless the definition says so, and every definition is in
`DEFINITIONS`, which goes into each result file. Everything is computed in float64.

Which of them a published number means:

- SSIM: `ssim` is that of scikit-image with Gaussian weights, used by Super SloMo and most papers;
  `ssim_uniform` is what scikit-image gives unless it is asked for Gaussian weights, as in the
  scripts of SepConv and SoftSplat; `ssim_3d` is that of CAIN, RIFE, IFRNet, EMA-VFI and their
  successors, about 0.01 higher.
- Interpolation error: "absolute" is that of IFRNet and of most tables headed IE; "rms" is that of
  the Middlebury benchmark itself; "euclidean" is that of Super SloMo's evaluation by NVIDIA.
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
    """Peak signal-to-noise ratio in dB, of arrays of any one shape; infinite where they are equal.

    Args:
        a: A frame.
        b: The other.
        data_range: What separates black from white; left out, that of the type: 1 for floats.

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
    """Structural similarity in a 2-D form.

    Args:
        a: A frame.
        b: The other.
        data_range: As for `psnr`.
        form: "gaussian", that of most papers, see `DEFINITIONS["ssim"]`; "uniform", see
            `DEFINITIONS["ssim_uniform"]`; or "ifrnet", the one in IFRNet's code: Gaussian, border
            values repeated, population variances, the whole map.

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
    """Structural similarity in the 3-D form of IFRNet; see `DEFINITIONS["ssim_3d"]`.

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
    """Interpolation error in 8-bit values: "absolute", "rms" or "euclidean", see `DEFINITIONS`.

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
    """Mean distance in pixels between the ends of two flows, where the truth is known.

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
    """How much the error changes from frame to frame; see `DEFINITIONS["flicker"]`.

    A constant tint of the new frames counts once on entering and once on leaving them: that is what
    the eye sees between original and new frames.

    Args:
        frames: The new frames of one pair, in order.
        truths: What they should be.

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


# What every frame is measured by, under the names of result files.
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
    """The two factors of SSIM at every value: luminance, and contrast with structure.

    Args:
        a: A frame, float64 in [0, 1].
        b: The other.
        blur: Means over the window around every value.
        unbiased: What turns variances of the window into those of a sample.
    """
    mean_a, mean_b = blur(a), blur(b)
    variance_a = unbiased * (blur(a * a) - mean_a * mean_a)
    variance_b = unbiased * (blur(b * b) - mean_b * mean_b)
    covariance = unbiased * (blur(a * b) - mean_a * mean_b)
    luminance = (2 * mean_a * mean_b + K1**2) / (mean_a**2 + mean_b**2 + K1**2)
    return luminance, (2 * covariance + K2**2) / (variance_a + variance_b + K2**2)


def gaussian() -> np.ndarray:
    """The window of SSIM along one axis."""
    weights = np.exp(-np.square(np.arange(WINDOW) - RADIUS) / (2 * SIGMA**2))
    return weights / weights.sum()


def blur(frame: np.ndarray) -> np.ndarray:
    """Gaussian means over rows and columns, border values repeated."""
    import cv2

    weights = gaussian()
    return cv2.sepFilter2D(frame, cv2.CV_64F, weights, weights, borderType=cv2.BORDER_REPLICATE)


def blur_3d(frame: np.ndarray) -> np.ndarray:
    """Gaussian means over rows, columns and channels, border values repeated."""
    channels = frame.shape[-1]
    mix = np.zeros((channels, channels))
    for to in range(channels):
        for offset, weight in enumerate(gaussian(), start=-RADIUS):
            mix[min(max(to + offset, 0), channels - 1), to] += weight
    return blur(frame) @ mix


def box_blur(frame: np.ndarray) -> np.ndarray:
    """Means over 7 rows and columns."""
    import cv2

    return cv2.blur(frame, (UNIFORM_WINDOW, UNIFORM_WINDOW), borderType=cv2.BORDER_REPLICATE)


# The forms of SSIM that look at whole windows only: how large those are, and their means.
WHOLE_WINDOWS = {"gaussian": (WINDOW, blur), "uniform": (UNIFORM_WINDOW, box_blur)}


def _unit(a: np.ndarray, b: np.ndarray, data_range: float | None = None) -> list[np.ndarray]:
    """Both in float64, with white at 1."""
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
