"""Frames through a network: decoding runs ahead, and what is painted is encoded behind."""

import functools
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tfvfi import registry
from tfvfi.errors import InputError
from tfvfi.media.shown import Shown
from tfvfi.media.source import open_source
from tfvfi.video.ahead import ahead
from tfvfi.video.flows import flow_of, with_flows
from tfvfi.video.identity import identity, of_file
from tfvfi.video.paint import Painter, Planner
from tfvfi.video.prepared import Prepared
from tfvfi.video.timeline import Factor, Rate, Span, settled, spans
from tfvfi.video.treatment import Treatment
from tfvfi.video.writing.encoding import Encoding
from tfvfi.video.writing.output import check_output, open_output
from tfvfi.video.writing.picture_folder import PictureFolder
from tfvfi.video.writing.segments import Parts
from tfvfi.video.writing.video_file import VideoFile

# Receives the number of finished frames and, where it is known, of all frames.
Report = Callable[[int, int | None], None]
# Frames that may wait between decoder, network and encoder: at most so many, and so many bytes.
MOST_WAITING, BYTES_WAITING = 8, 2**28


def interpolate_video(
    input: str | Path | Sequence[str | Path],
    output: str | Path,
    model: Any = registry.DEFAULT_MODEL,
    factor: int | None = None,
    fps: Fraction | str | float | None = None,
    *,
    weights: str | Path | None = "default",
    options: dict[str, Any] | None = None,
    encoding: Encoding | None = None,
    flow_output: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool | Report = True,
    **treatment: Any,
) -> int:
    """Writes a smoother video; the output appears when it is complete.

    Sound, subtitles, attachments, chapters and metadata are copied unchanged. How many frames
    there are, and when each is shown, is told in `tfvfi.video.timeline`.

    Args:
        input: A video or animation, a folder or numbered pattern of pictures, or several pictures.
        output: A video or animation by its ending (.mp4, .mkv, .mov, .webm, .gif, .webp, .apng),
            or a folder of pictures.
        model: A name, or a loaded network (anything with `interpolate(a, b, times)`).
        factor: How many frames for one; 2 if `fps` is not given either.
        fps: The rate that is to come out, as a number or an exact fraction ("60000/1001").
        weights: A `.weights.h5` file for a model given by name.
        options: Arguments of a model given by name, such as `{"flow": "dis"}`.
        encoding: Codec and quality.
        flow_output: A folder for the flow of each pair of frames, as .flo files.
        resume: Keep finished parts when the work is interrupted, and continue with those there.
        overwrite: Replace an output that exists.
        progress: Show a bar where there is a terminal, or call a function with the number of
            finished frames and of all frames (None if unknown) after each frame.
        **treatment: See `tfvfi.video.Treatment`: slowmo, sound, scene_cuts, duplicates, tile, ...

    Returns:
        The number of frames of the output.

    Raises:
        InputError: The input cannot be read or the output cannot be written like this.

    Example:
        >>> import tempfile, tfvfi
        >>> output = tempfile.mkdtemp() + "/smooth.mp4"
        >>> settings = {"duration": 0.2, "progress": False}
        >>> tfvfi.interpolate_video("samples/clip.mp4", output, factor=2, **settings)
        12
    """
    output, options = Path(output), options or {}
    inputs = [input] if isinstance(input, str | Path) else list(input)
    treated = Treatment(factor=factor, fps=fps, **treatment)
    encoding = encoding or Encoding()
    encoding.check(output.suffix.lower())
    source = open_source(inputs, treated.damaged)
    check_output(output, overwrite)
    prepared = Prepared(source, treated)
    wanted = treated.wanted(clock=source.has_clock or bool(output.suffix))
    about = (source.paths, treated, encoding, model, weights, options)
    parts = Parts(output, identity(*about) if resume else None, overwrite)
    try:
        network = _network(model, weights, options)
        estimate = None if flow_output is None else flow_of(network)
        sink = open_output(output, prepared, treated, wanted, encoding, parts)
    except BaseException:
        parts.discard()
        raise
    source.with_alpha = source.look.alpha and sink.keeps_alpha
    if source.look.alpha and not sink.keeps_alpha:
        logging.warning("%s does not hold transparency, which is dropped", output.name)
    for what in source.look.unkept:
        logging.warning("not kept of %s: %s", source.path, what)

    planned = _planned(prepared, wanted, treated.scene_cuts)
    if estimate is not None:
        planned = with_flows(planned, estimate, Path(flow_output))
    planned, painter = settled(planned, wanted), Painter(network, treated.tile)
    return _run(planned, painter, sink, prepared, wanted, treated, progress)


def interpolate_frames(
    frames: Iterable[np.ndarray],
    model: Any = registry.DEFAULT_MODEL,
    factor: int = 2,
    scene_cuts: str = "hold",
    tile: str | int = "auto",
) -> Iterator[np.ndarray]:
    """Frames between frames, for those who bring their own reader and writer.

    Args:
        frames: H x W x 3 (or 4, with transparency) each, uint8, uint16 or float in [0, 1].
        model: A name, or a loaded network.
        factor: How many frames for one; n frames become (n - 1) factor + 1.
        scene_cuts: See `tfvfi.video.Treatment`; likewise `tile`.
        tile: How large frames are cut.

    Yields:
        The frames and those between them, in order.

    Example:
        >>> import numpy as np, tfvfi
        >>> frames = [np.full((48, 64, 3), level, "uint8") for level in (0, 40)]
        >>> len(list(tfvfi.interpolate_frames(frames, factor=4)))
        5
    """
    treated = Treatment(factor=factor, scene_cuts=scene_cuts, tile=tile)
    planner, painter = Planner(scene_cuts), Painter(_network(model), tile)
    shown = (Shown(image, Fraction(number)) for number, image in enumerate(_alike(frames)))
    for span in spans(shown, treated.wanted(clock=False), lambda: Fraction(1)):
        yield from painter.frames(planner.plan(span))


def _alike(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Frames that were brought along, if they are frames of one kind."""
    first = None
    for number, frame in enumerate(frames):
        received = f"{frame.dtype} of {frame.shape}"
        known = frame.dtype in (np.uint8, np.uint16) or frame.dtype.kind == "f"
        if not known or frame.ndim != 3 or frame.shape[-1] not in (3, 4):
            raise InputError(
                "frames are H x W x 3 or 4 of uint8, uint16 or float in [0, 1]; received "
                f"{received}"
            )
        first = received if first is None else first
        if received != first:
            raise InputError(
                f"frames have one size and type; number {number} is {received}, the first {first}"
            )
        yield frame


def _run(
    planned: Iterator[Span],
    painter: Painter,
    sink: VideoFile | PictureFolder,
    prepared: Prepared,
    wanted: Factor | Rate,
    treated: Treatment,
    progress: bool | Report,
) -> int:
    """Decodes, paints and encodes, each in its own thread."""
    start = prepared.source.start
    waiting = _waiting(prepared)
    frames = ahead(_painted(ahead(planned, waiting), painter, sink.done), waiting)
    frames_in = prepared.frames_expected
    total = wanted.count(frames_in, prepared.seconds_expected) if frames_in else None
    report = progress if callable(progress) else None
    bar = tqdm(
        total=total,
        initial=sink.done,
        unit="frame",
        disable=None if progress is True else True,
    )
    count = 0
    try:
        with bar:
            for image, time, length in frames:
                moved = start + (time - start) * treated.slower
                sink.write(image, moved, length * treated.slower)
                count += 1
                if count > sink.done:
                    bar.update()
                    if report is not None:
                        report(count, total)
        sink.finish()
    except BaseException:
        frames.close()
        sink.discard()
        raise
    return count


def _planned(prepared: Prepared, wanted: Factor | Rate, scene_cuts: str) -> Iterator[Span]:
    """Decodes, and looks at each pair of frames."""
    planner = Planner(scene_cuts)
    for span in spans(prepared, wanted, lambda: prepared.last_duration):
        yield planner.plan(span)


def _painted(
    planned: Iterator[Span], painter: Painter, done: int
) -> Iterator[tuple[np.ndarray | None, Fraction, Fraction]]:
    """Every output frame with its time and length; None for the first `done`."""
    number = 0
    try:
        for span in planned:
            here = len(span.times)
            if number + here <= done:
                images: Iterator[np.ndarray | None] = iter([None] * here)
            else:
                images = painter.frames(span)
            for image, time, length in zip(images, span.times, span.lengths, strict=True):
                yield (image if number >= done else None), time, length
                number += 1
    finally:
        planned.close()


def _waiting(prepared: Prepared) -> int:
    """How many frames may wait."""
    height, width = prepared.size
    one = height * width * (4 if prepared.source.with_alpha else 3)
    one *= 2 if prepared.source.look.depth > 8 else 1
    return max(1, min(MOST_WAITING, BYTES_WAITING // one))


def _network(
    model: Any, weights: str | Path | None = "default", options: dict[str, Any] | None = None
) -> Any:
    """The network that was named; the last one stays loaded, for the next video."""
    if not isinstance(model, str):
        return model
    files = [weights, *(options or {}).values()]
    state = tuple(str(of_file(path)) for path in files if isinstance(path, str | Path))
    return _loaded(model, weights, tuple((options or {}).items()), state)


@functools.lru_cache(maxsize=1)
def _loaded(
    name: str, weights: str | Path | None, options: tuple[tuple[str, Any], ...], state: tuple
) -> Any:
    """The same network as long as its files are in the same state."""
    return registry.load_interpolator(name, weights, **dict(options))
