"""Frames through a network: decoding runs ahead, and what is painted is encoded behind."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tfvfi import registry
from tfvfi.errors import InputError
from tfvfi.video.ahead import ahead
from tfvfi.video.cuts import CutDetector
from tfvfi.video.sink import Encoding, PictureFolder, VideoFile, check_output
from tfvfi.video.source import Pictures, Video, open_source
from tfvfi.video.timeline import Factor, Rate, Shown, Span, spans

# Decoded frames, and spans of painted ones, that may wait: memory for speed.
DECODED_AHEAD, PAINTED_AHEAD = 4, 2


def interpolate_video(
    input: str | Path | Sequence[str | Path],
    output: str | Path,
    model: Any = registry.DEFAULT_MODEL,
    factor: int | None = None,
    fps: Fraction | str | float | None = None,
    slowmo: bool = False,
    scene_cuts: bool = True,
    encoding: Encoding | None = None,
    overwrite: bool = False,
    progress: bool = True,
    weights: str | Path = "default",
) -> int:
    """Writes a smoother video; the output appears when it is complete.

    Sound and subtitles are copied unchanged. When frames are shown is told in
    `tfvfi.video.timeline`.

    Args:
        input: A video, a folder or numbered pattern of pictures, or several pictures.
        output: A video by its ending (.mp4, .mkv, .mov, .webm), or a folder of pictures.
        model: A name, or a loaded network (anything with `interpolate(a, b, times)`).
        factor: How many frames for one; 2 if `fps` is not given either.
        fps: The rate that is to come out, as a number or an exact fraction ("60000/1001").
        slowmo: Same frames, slower clock: the source's rate, `factor` times as long, no sound.
        scene_cuts: Hold the frame at a cut rather than mix two shots.
        encoding: Codec and quality.
        overwrite: Replace an output that exists.
        progress: Show a bar, where there is a terminal.
        weights: A `.weights.h5` file for a model given by name.

    Returns:
        The number of frames written.

    Raises:
        InputError: The input cannot be read or the output cannot be written like this.

    Example:
        >>> import tempfile, tfvfi
        >>> output = tempfile.mkdtemp() + "/smooth.mp4"
        >>> tfvfi.interpolate_video("samples/clip.mp4", output, factor=2, progress=False) > 40
        True
    """
    output = Path(output)
    single = isinstance(input, str | Path)
    source = open_source([input] if single else list(input))
    check_output(output, overwrite)
    to_folder = not output.suffix
    wanted = _wanted(factor, fps, slowmo, clock=source.has_clock or not to_folder)
    if source.has_alpha:
        logging.warning("%s has transparency, which is dropped", source.path)
    network = registry.load_interpolator(model, weights) if isinstance(model, str) else model

    slower = factor if slowmo else 1
    if to_folder:
        sink = PictureFolder(output)
    else:
        step = 1 / wanted.rate if isinstance(wanted, Rate) else source.time_base / wanted.factor
        rate = wanted.rate if isinstance(wanted, Rate) else source.rate * wanted.factor
        sink = VideoFile(
            output,
            source.size,
            source.look,
            step * slower,
            rate / slower,
            encoding or Encoding(),
            copied_from=None if slowmo else source.path,
        )
    origin = None
    count = 0
    painted = ahead(_paint(source, wanted, network, scene_cuts), PAINTED_AHEAD)
    bar = tqdm(total=_expected(source, wanted), unit="frame", disable=None if progress else True)
    try:
        with bar:
            for frames, times in painted:
                for frame, time in zip(frames, times, strict=True):
                    origin = time if origin is None else origin
                    sink.write(frame, origin + (time - origin) * slower)
                    bar.update()
                    count += 1
        sink.finish()
    except BaseException:
        painted.close()
        sink.discard()
        raise
    return count


def interpolate_frames(
    frames: Iterable[np.ndarray],
    model: Any = registry.DEFAULT_MODEL,
    factor: int = 2,
    scene_cuts: bool = True,
) -> Iterator[np.ndarray]:
    """Frames between frames, for those who bring their own reader and writer.

    Args:
        frames: H x W x 3 each, uint8, uint16 or float in [0, 1].
        model: A name, or a loaded network.
        factor: How many frames for one; n frames become (n - 1) factor + 1.
        scene_cuts: Hold the frame at a cut rather than mix two shots.

    Yields:
        The frames and those between them, in order.

    Example:
        >>> import numpy as np, tfvfi
        >>> frames = [np.full((48, 64, 3), level, "uint8") for level in (0, 40)]
        >>> len(list(tfvfi.interpolate_frames(frames, factor=4)))
        5
    """
    wanted = _wanted(factor, None, False, clock=False)
    network = registry.load_interpolator(model) if isinstance(model, str) else model
    shown = (Shown(image, Fraction(number)) for number, image in enumerate(frames))
    for span in spans(shown, wanted, lambda: Fraction(1)):
        yield from _between(span, network, CutDetector() if scene_cuts else None)


def _paint(
    source: Video | Pictures, wanted: Factor | Rate, network: Any, scene_cuts: bool
) -> Iterator[tuple[list[np.ndarray], tuple[Fraction, ...]]]:
    """Every output frame with its time, a span at a time."""
    cuts = CutDetector() if scene_cuts else None
    decoded = ahead(source, DECODED_AHEAD)
    try:
        for span in spans(decoded, wanted, lambda: source.last_duration):
            yield _between(span, network, cuts), span.times
    finally:
        decoded.close()


def _between(span: Span, network: Any, cuts: CutDetector | None) -> list[np.ndarray]:
    """The frames of one span: the source's own where they are, painted ones between."""
    cut = cuts is not None and span.second is not None and cuts.between(span.first, span.second)
    inner = [share for share in span.shares if share]
    painted: dict[Fraction, np.ndarray] = dict.fromkeys(inner, span.first)
    if inner and not cut and not np.array_equal(span.first, span.second):
        times = tuple(float(share) for share in inner)
        painted = dict(zip(inner, network.interpolate(span.first, span.second, times), strict=True))
    return [painted[share] if share else span.first for share in span.shares]


def _wanted(
    factor: int | None, fps: Fraction | str | float | None, slowmo: bool, clock: bool
) -> Factor | Rate:
    """What the user asked for, checked."""
    if fps is None:
        factor = 2 if factor is None else factor
        if not isinstance(factor, int) or factor < 1:
            raise InputError(f"factor is a whole number from 1 on; received {factor}")
        return Factor(factor, clock)
    if factor is not None or slowmo:
        raise InputError("fps says it all: leave out factor, and slowmo, which needs a factor")
    try:
        rate = Fraction(fps)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= 10000:
        raise InputError(f"fps is a rate such as 60 or 60000/1001; received {fps}")
    return Rate(rate)


def _expected(source: Video | Pictures, wanted: Factor | Rate) -> int | None:
    """About how many frames will come out, for the progress bar."""
    frames = source.frames_expected or round(source.seconds_expected * source.rate)
    return wanted.count(frames, source.seconds_expected) if frames else None
