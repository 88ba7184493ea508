"""Frames through a network: decoding runs ahead, and what is painted is encoded behind."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tfvfi import __version__, registry
from tfvfi.errors import InputError
from tfvfi.video.ahead import ahead
from tfvfi.video.animation import FASTEST_GIF, JOINED
from tfvfi.video.copier import Copier
from tfvfi.video.encoder import Encoder, clock
from tfvfi.video.encoding import CONTAINERS, Encoding
from tfvfi.video.flows import write_flow
from tfvfi.video.paint import Painter, Plan, Planner
from tfvfi.video.parts import Parts
from tfvfi.video.prepared import Prepared
from tfvfi.video.sink import PictureFolder, VideoFile, check_output
from tfvfi.video.source import Video, open_source
from tfvfi.video.timeline import Factor, Rate, Shown, Span, spans
from tfvfi.video.treatment import Treatment

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
    network: Any = None,
    encoding: Encoding | None = None,
    flow_output: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = True,
    **treatment: Any,
) -> int:
    """Writes a smoother video; the output appears when it is complete.

    Sound, subtitles, attachments, chapters and metadata are copied unchanged. When frames are
    shown is told in `tfvfi.video.timeline`.

    Args:
        input: A video or animation, a folder or numbered pattern of pictures, or several pictures.
        output: A video or animation by its ending (.mp4, .mkv, .mov, .webm, .gif, .webp, .apng),
            or a folder of pictures.
        model: A name, or a loaded network (anything with `interpolate(a, b, times)`).
        factor: How many frames for one; 2 if `fps` is not given either.
        fps: The rate that is to come out, as a number or an exact fraction ("60000/1001").
        weights: A `.weights.h5` file for a model given by name.
        options: Arguments of a model given by name, such as `{"flow": "dis"}`.
        network: The model of that name, loaded already.
        encoding: Codec and quality.
        flow_output: A folder for the flow of each pair of frames, as .flo files.
        resume: Keep finished parts when the work is interrupted, and continue with those there.
        overwrite: Replace an output that exists.
        progress: Show a bar, where there is a terminal.
        **treatment: See `tfvfi.video.Treatment`: slowmo, sound, scene_cuts, duplicates, tile, ...

    Returns:
        The number of frames of the output.

    Raises:
        InputError: The input cannot be read or the output cannot be written like this.

    Example:
        >>> import tempfile, tfvfi
        >>> output = tempfile.mkdtemp() + "/smooth.mp4"
        >>> tfvfi.interpolate_video("samples/clip.mp4", output, factor=2, progress=False) > 40
        True
    """
    output = Path(output)
    inputs = [input] if isinstance(input, str | Path) else list(input)
    treated = Treatment(factor=factor, fps=fps, **treatment)
    encoding = encoding or Encoding()
    encoding.check(output.suffix.lower())
    source = open_source(inputs, treated.damaged)
    check_output(output, overwrite)
    prepared = Prepared(
        source, treated.seconds, treated.size, treated.duplicates, treated.duplicate_threshold
    )
    wanted = treated.wanted(clock=source.has_clock or bool(output.suffix))
    told = {"model": model, "weights": weights, "options": options}
    plan = _plan(inputs, treated, encoding, told) if resume else None
    if network is None:
        network = model
    if isinstance(network, str):
        network = registry.load_interpolator(network, weights, **(options or {}))
    sink = _sink(output, prepared, treated, wanted, encoding, Parts(output, plan, overwrite))
    source.with_alpha = source.look.alpha and sink.keeps_alpha
    if source.look.alpha and not sink.keeps_alpha:
        logging.warning("%s does not hold transparency, which is dropped", output.name)

    plans = _planned(prepared, wanted, treated.scene_cuts)
    if flow_output is not None:
        plans = _with_flows(plans, network, Path(flow_output))
    return _run(plans, Painter(network, treated.tile), sink, prepared, wanted, treated, progress)


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
    network = registry.load_interpolator(model) if isinstance(model, str) else model
    planner, painter = Planner(scene_cuts), Painter(network, tile)
    shown = (Shown(image, Fraction(number)) for number, image in enumerate(frames))
    for span in spans(shown, treated.wanted(clock=False), lambda: Fraction(1)):
        yield from painter.frames(planner.plan(span))


def _run(
    plans: Iterator[Plan],
    painter: Painter,
    sink: VideoFile | PictureFolder,
    prepared: Prepared,
    wanted: Factor | Rate,
    treated: Treatment,
    progress: bool,
) -> int:
    """Decodes, paints and encodes, each in its own thread."""
    start = prepared.source.start
    waiting = _waiting(prepared)
    frames = ahead(_painted(ahead(plans, waiting), painter, sink.done), waiting)
    frames_in = prepared.frames_expected
    bar = tqdm(
        total=wanted.count(frames_in, prepared.seconds_expected) if frames_in else None,
        initial=sink.done,
        unit="frame",
        disable=None if progress else True,
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
        sink.finish()
    except BaseException:
        frames.close()
        sink.discard()
        raise
    return count


def _planned(prepared: Prepared, wanted: Factor | Rate, scene_cuts: str) -> Iterator[Plan]:
    """Decodes, and looks at each pair of frames."""
    planner = Planner(scene_cuts)
    for span in spans(prepared, wanted, lambda: prepared.last_duration):
        yield planner.plan(span)


def _painted(
    plans: Iterator[Plan], painter: Painter, done: int
) -> Iterator[tuple[np.ndarray | None, Fraction, Fraction]]:
    """Every output frame with its time and length; None for the first `done`."""
    number = 0
    try:
        for plan in plans:
            span = plan.span
            here = len(span.times)
            if number + here <= done:
                images: Iterator[np.ndarray | None] = iter([None] * here)
            else:
                images = painter.frames(plan)
            for image, time, length in zip(images, span.times, span.lengths, strict=True):
                yield (image if number >= done else None), time, length
                number += 1
    finally:
        plans.close()


def _with_flows(plans: Iterator[Plan], network: Any, folder: Path) -> Iterator[Plan]:
    """Writes the flow of each pair of frames as it comes by."""
    folder.mkdir(parents=True, exist_ok=True)
    number, before = 0, None
    for plan in plans:
        span: Span = plan.span
        if span.second is not None and span.first is not before:
            pair = (np.ascontiguousarray(frame[..., :3]) for frame in (span.first, span.second))
            write_flow(network, *pair, folder / f"{number:08d}.flo")
            number, before = number + 1, span.first
        yield plan


def _sink(
    output: Path,
    prepared: Prepared,
    treated: Treatment,
    wanted: Factor | Rate,
    encoding: Encoding,
    parts: Parts,
) -> VideoFile | PictureFolder:
    ending, source = output.suffix.lower(), prepared.source
    if isinstance(wanted, Rate):
        step, rate = 1 / wanted.rate, wanted.rate
    else:
        step, rate = source.time_base / wanted.factor, source.rate * wanted.factor
    step, rate = step * treated.slower, rate / treated.slower
    if ending not in CONTAINERS:
        if ending == ".gif" and rate > FASTEST_GIF:
            raise InputError(
                f"a GIF shows at most {FASTEST_GIF} frames a second and these are {float(rate):g}; "
                f"pass --fps={FASTEST_GIF}, or write .webp or .apng"
            )
        return PictureFolder(output, JOINED[ending][0] if ending else encoding.pictures, parts)
    codec = encoding.codec_for(ending)
    base = clock(step, source.start)
    encoder = Encoder(codec, encoding, source.look, prepared.size, base, rate)
    if not isinstance(source, Video):
        return VideoFile(output, encoder, parts)
    return VideoFile(
        output,
        encoder,
        parts,
        lambda target: Copier(
            source.path,
            target,
            source.stream,
            source.start,
            treated.slower,
            treated.sound,
            treated.seconds,
        ),
    )


def _plan(
    inputs: Sequence[str | Path], treated: Treatment, encoding: Encoding, told: dict[str, Any]
) -> dict[str, Any]:
    """All that the outcome depends on, so that interrupted work is continued as it was begun."""
    files = [Path(one) for one in inputs]
    if isinstance(told["weights"], str | Path):
        files.append(Path(told["weights"]))
    return {
        "version": __version__,
        "files": [_identity(path) for path in files],
        "treatment": {name: str(value) for name, value in asdict(treated).items()},
        "encoding": asdict(encoding),
        "model": told["model"] if isinstance(told["model"], str) else _network_name(told["model"]),
        "options": {name: str(value) for name, value in (told["options"] or {}).items()},
    }


def _identity(path: Path) -> list[Any]:
    if not path.is_file():
        return [str(path.absolute())]
    found = path.stat()
    return [str(path.absolute()), found.st_size, found.st_mtime_ns]


def _network_name(network: Any) -> str:
    return getattr(network, "name", type(network).__name__)


def _waiting(prepared: Prepared) -> int:
    """How many frames may wait."""
    height, width = prepared.size
    one = height * width * (4 if prepared.source.with_alpha else 3)
    one *= 2 if prepared.source.look.depth > 8 else 1
    return max(1, min(MOST_WAITING, BYTES_WAITING // one))
