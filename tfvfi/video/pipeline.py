"""Interpolates one video: decoding, the network and encoding run in threads of their own."""

import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tfvfi import registry
from tfvfi.errors import ArgumentError, InputError
from tfvfi.flow.estimator import estimator_in
from tfvfi.media.claims import MOST_PIXELS
from tfvfi.media.damage import KEEP, STOP
from tfvfi.media.duplicates import THRESHOLD, TOLERANCE
from tfvfi.media.pipe import PIPE
from tfvfi.media.shown import Shown
from tfvfi.media.source import open_source
from tfvfi.video.ahead import ahead
from tfvfi.video.contract import FrameInterpolator, FrameSink
from tfvfi.video.flows import with_flows
from tfvfi.video.identity import identity
from tfvfi.video.memory import Frames, tile_side
from tfvfi.video.plan import check_count, expected_count, frames_of
from tfvfi.video.prepared import Prepared
from tfvfi.video.render import Planner, Renderer
from tfvfi.video.timeline import Factor, Rate, Span, settled, spans
from tfvfi.video.treatment import AUTO, DROP, HOLD, MEMORY, Treatment
from tfvfi.video.writing.encoding import Encoding
from tfvfi.video.writing.output import open_output
from tfvfi.video.writing.places import check_output, make_folder
from tfvfi.video.writing.segments import Parts

logger = logging.getLogger(__name__)

# A frame (None if an earlier run finished it), its time and its length.
Timed = tuple[np.ndarray | None, Fraction, Fraction]
# Called after every frame with the number of finished frames and the total, if it is known.
Report = Callable[[int, int | None], None]


def interpolate_video(
    source: str | Path | Sequence[str | Path],
    output: str | Path,
    model: str | registry.ModelSpec | FrameInterpolator | None = None,
    factor: int | None = None,
    fps: Fraction | str | float | None = None,
    *,
    quality: str | None = None,
    slowmo: bool = False,
    sound: str = DROP,
    scene_cuts: str = HOLD,
    duplicates: str = KEEP,
    duplicate_threshold: float = THRESHOLD,
    duplicate_tolerance: float = TOLERANCE,
    tile: str | int = AUTO,
    memory: float = MEMORY,
    size: str | None = None,
    duration: float | str | Fraction | None = None,
    damaged: str = STOP,
    max_pixels: int = MOST_PIXELS,
    weights: str | Path | None = "default",
    options: Mapping[str, Any] | None = None,
    encoding: Encoding | None = None,
    flow_output: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    yes: bool = False,
    progress: bool | Report = True,
) -> int:
    """Writes a smoother version of a video and returns its number of frames.

    The output appears under its name when it is complete. Sound, subtitles, attachments, chapters
    and metadata are copied unchanged; whatever the output's container cannot hold is converted or
    left out, which is logged. Source frames keep every bit of their planes if the size, the pixel
    format and the color tags stay the same. `tfvfi.video.timeline` defines the number of frames
    and the time at which each is shown; the earliest track starts at 0.

    Args:
        source: A video or animation, a folder of pictures, a numbered pattern of pictures, several
            pictures, or "-" for y4m on standard input.
        output: A video or animation (.mp4, .mkv, .mov, .webm, .gif, .webp or .apng), a folder of
            pictures, or "-" for y4m on standard output.
        model: The name of a network, its `ModelSpec`, or a loaded network (anything with
            `interpolate(frame0, frame1, times)`).
        factor: The number of output frames per source frame; 2 if `fps` is not given either.
        fps: The frame rate of the output, as a number or an exact fraction ("60000/1001").
        quality: "fast", "balanced" (the default) or "best", in place of a model; see
            `tfvfi.registry.QUALITIES`.
        slowmo: Whether to keep the source's frame rate, so that the video lasts `factor` times as
            long.
        sound: In slow motion, "drop" the sound or "stretch" it at the same pitch.
        scene_cuts: At a cut, "hold" the frame before it, "fade" across it, or "mix" the frames as
            if there were no cut.
        duplicates: "keep" held frames, "smooth" them into motion, or "drop" them.
        duplicate_threshold: The largest share of pixels, from 0 to 1, that may differ between a
            frame and a held copy of it.
        duplicate_tolerance: The difference, out of 255, up to which a pixel counts as unchanged.
        tile: "auto", "off", or the side in pixels of the tiles into which frames are cut.
        memory: The memory in GiB that the process may use; `tile="auto"` chooses tiles to fit.
        size: The size of the output, as "640x360", "640x" or "x360"; None keeps the source's.
        duration: The number of seconds to read from the source; None reads all of it.
        damaged: If part of the source cannot be decoded, "stop" with an error, or "keep" the rest.
        max_pixels: The largest number of pixels in a frame; larger frames are refused before they
            are decoded.
        weights: A `.weights.h5` file for a model given by name.
        options: Arguments of a model given by name or by quality, such as `{"flow": "dis"}`.
        encoding: The codec and quality of the output.
        flow_output: A folder for the flow of each pair of frames, as .flo files.
        resume: Whether to keep finished segments if the work is interrupted, and to continue from
            those that an earlier run left.
        overwrite: Whether to replace an existing output.
        yes: Whether to start even if a very large number of frames would be rendered, which is
            refused otherwise.
        progress: Whether to show a progress bar if there is a terminal; or a function that is
            called after every frame with the number of finished frames and the expected total, if
            it is known. An exception from the function stops the work.

    Returns:
        The number of frames in the output.

    Raises:
        InputError: The source cannot be read, the output cannot be written, or an argument has an
            invalid value.

    Example:
        >>> import tempfile, tfvfi
        >>> output = tempfile.mkdtemp() + "/smooth.mp4"
        >>> settings = {"duration": 0.2, "progress": False}
        >>> tfvfi.interpolate_video("samples/clip.mp4", output, factor=2, **settings)
        12
    """
    treatment = Treatment(
        factor=factor,
        fps=fps,
        slowmo=slowmo,
        sound=sound,
        scene_cuts=scene_cuts,
        duplicates=duplicates,
        duplicate_threshold=duplicate_threshold,
        duplicate_tolerance=duplicate_tolerance,
        tile=tile,
        memory=memory,
        size=size,
        duration=duration,
        damaged=damaged,
        max_pixels=max_pixels,
    )
    return process(
        [source] if isinstance(source, str | Path) else list(source),
        Path(output),
        registry.chosen(model, quality, weights, options),
        treatment,
        encoding,
        flow_output=flow_output,
        resume=resume,
        overwrite=overwrite,
        yes=yes,
        progress=progress,
    )


def process(
    inputs: Sequence[str | Path],
    output: Path,
    model: registry.ModelSpec | FrameInterpolator,
    treatment: Treatment,
    encoding: Encoding | None = None,
    *,
    flow_output: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    yes: bool = False,
    progress: bool | Report = True,
) -> int:
    """Does the work of `interpolate_video`, with its settings grouped into objects.

    Args:
        inputs: One video, animation, folder or pattern; or several pictures.
        output: A video, an animation, or a folder of pictures.
        model: A loaded network or the `ModelSpec` of one.
        treatment: How the frames are interpolated.
        encoding: The codec and quality of the output.
        flow_output: See `interpolate_video`, as for the other arguments.
        resume: Whether to keep finished segments and to continue from them.
        overwrite: Whether to replace an existing output.
        yes: Whether to render any number of frames.
        progress: Whether to show a progress bar; or a function.

    Returns:
        The number of frames in the output.
    """
    encoding = encoding or Encoding()
    piped = output == PIPE
    if resume and (piped or PIPE in map(Path, inputs)):
        raise ArgumentError("what goes through a pipe cannot be continued: leave out `resume`")
    encoding.check(output.suffix.lower())
    source = open_source(inputs, treatment.damaged, treatment.max_pixels)
    if not piped:
        check_output(output, source.paths, overwrite)
        make_folder(output.absolute().parent)
    prepared = Prepared(source, treatment)
    wanted = treatment.wanted(clock=source.has_clock or piped or bool(output.suffix))
    total = expected_count(prepared, wanted)
    if not yes:
        check_count(prepared, wanted, total, lambda: _network(model))
    plan = identity(source.paths, treatment, encoding, model) if resume else None
    parts = None if piped else Parts(output, plan, overwrite)
    discard = None if parts is None else parts.discard
    try:
        network = _network(model)
        estimator = None if flow_output is None else estimator_in(network)
        sink = open_output(output, prepared, treatment, wanted, encoding, parts)
        discard = sink.discard
        alpha = source.look.alpha and sink.keeps_alpha
        if source.look.alpha and not alpha:
            logger.warning("%s does not hold transparency, which is dropped", output.name)
        for what in source.look.unkept:
            logger.warning("not kept of %s: %s", source.paths[0], what)

        known = frames_of(prepared, alpha, output)
        side = tile_side(treatment.tile, known, network, treatment.memory)
        seen = prepared.frames(alpha)
        planned = _planned(seen, wanted, treatment.scene_cuts, treatment.seconds)
        if estimator is not None and flow_output is not None:
            planned = with_flows(planned, estimator, Path(flow_output))
        planned, renderer = settled(planned, wanted), Renderer(network, side)
        decoded = ahead(planned, known.waiting)
        frames = ahead(_rendered(decoded, renderer, sink.done), known.waiting)
        return _write(frames, sink, treatment.slower, total, progress)
    except BaseException:
        # An interruption can arrive at any point.
        if discard is not None:
            discard()
        raise


def interpolate_frames(
    frames: Iterable[np.ndarray],
    model: str | registry.ModelSpec | FrameInterpolator | None = None,
    factor: int = 2,
    scene_cuts: str = HOLD,
    tile: str | int = AUTO,
    *,
    quality: str | None = None,
) -> Iterator[np.ndarray]:
    """Yields interpolated frames, for callers that have their own reader and writer.

    Args:
        frames: Frames of H x W x 3 (or 4, with transparency), uint8, uint16 or float in [0, 1].
        model: The name of a network, its `ModelSpec`, or a loaded network.
        factor: The number of output frames per source frame: n frames become
            (n - 1) * factor + 1.
        scene_cuts: See `tfvfi.video.Treatment`.
        tile: See `tfvfi.video.Treatment`.
        quality: "fast", "balanced" (the default) or "best", in place of a model.

    Yields:
        The source frames and the frames rendered between them, in order.

    Raises:
        InputError: The frames have an unknown type or shape, or differ in size or type.

    Example:
        >>> import numpy as np, tfvfi
        >>> frames = [np.full((48, 64, 3), level, "uint8") for level in (0, 40)]
        >>> len(list(tfvfi.interpolate_frames(frames, factor=4)))
        5
    """
    treatment = Treatment(factor=factor, scene_cuts=scene_cuts, tile=tile)
    network = _network(registry.chosen(model, quality))
    renderer, one = None, Fraction(1)
    shown = (Shown(image, number * one, one) for number, image in enumerate(_alike(frames)))
    for span in _planned(shown, treatment.wanted(clock=False), scene_cuts):
        if renderer is None:
            known = Frames.like(span.first)
            renderer = Renderer(network, tile_side(tile, known, network, treatment.memory))
        yield from renderer.frames(span)


def _alike(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yields the caller's frames and checks that they all have one size and one type."""
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


def _planned(
    frames: Iterable[Shown],
    wanted: Factor | Rate,
    scene_cuts: str,
    seconds: Fraction | None = None,
) -> Iterator[Span]:
    """Yields the spans of the decoded frames, and decides how each span is rendered."""
    planner = Planner(scene_cuts)
    for span in spans(frames, wanted, seconds):
        yield planner.plan(span)


def _rendered(
    planned: Generator[Span, None, None], renderer: Renderer, done: int
) -> Generator[Timed, None, None]:
    """Yields every output frame with its time and length; the first `done` frames are None."""
    number = 0
    try:
        for span in planned:
            here = len(span.times)
            if number + here <= done:
                images: Iterator[np.ndarray | None] = iter([None] * here)
            else:
                images = renderer.frames(span)
            for image, time, length in zip(images, span.times, span.lengths, strict=True):
                yield (image if number >= done else None), time, length
                number += 1
    finally:
        planned.close()


def _write(
    frames: Generator[Timed, None, None],
    sink: FrameSink,
    slower: int,
    total: int | None,
    progress: bool | Report,
) -> int:
    """Encodes the frames, with times multiplied by `slower`, and returns their number."""
    count = 0
    bar = tqdm(
        total=total, initial=sink.done, unit="frame", disable=None if progress is True else True
    )
    try:
        with bar:
            for image, time, length in frames:
                sink.write(image, time * slower, length * slower)
                count += 1
                if count > sink.done:
                    bar.update()
                    if callable(progress):
                        progress(count, total)
        sink.finish()
    finally:
        frames.close()
    return count


def _network(model: registry.ModelSpec | FrameInterpolator) -> FrameInterpolator:
    """Returns the network; a `ModelSpec` is loaded once and kept for the next call."""
    return registry.shared(model) if isinstance(model, registry.ModelSpec) else model
