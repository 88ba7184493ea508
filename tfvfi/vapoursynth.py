"""Interpolation of VapourSynth clips (extra `[vapoursynth]`, Python 3.12 or later).

    import vapoursynth as vs
    import tfvfi.vapoursynth

    clip = ...
    clip = tfvfi.vapoursynth.interpolate(clip, model="ifrnet_s", factor=2)
    clip.set_output()

Frames of the source are passed through unchanged; the others are rendered in RGB and converted back
to the format of the clip. Frames may be requested in any order and from several threads: all frames
of a pair are rendered at once and kept while their neighbors are likely to be requested.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from tfvfi import registry
from tfvfi.errors import ArgumentError, InputError
from tfvfi.video.contract import FrameInterpolator
from tfvfi.video.memory import Frames, tile_side
from tfvfi.video.render import Planner, Renderer
from tfvfi.video.timeline import Span
from tfvfi.video.treatment import AUTO, HOLD, MEMORY, MIX, Treatment

# How many pairs of frames are kept; players and encoders request a few frames ahead.
PAIRS_KEPT = 4
# The matrix that players assume for an untagged clip: BT.709 from this height on, else BT.601.
UNSPECIFIED, BT709, BT601, HD_HEIGHT = 2, 1, 6, 720


@dataclass(frozen=True)
class Place:
    """The position of an output frame in the source.

    Attributes:
        index: The number of the source frame at or before it.
        share: Its time between that source frame (0) and the next one (1).
    """

    index: int
    share: Fraction


def interpolate(
    clip: Any,
    model: str | registry.ModelSpec | FrameInterpolator = "rife_v4_0",
    factor: int | None = None,
    fps: Fraction | str | float | None = None,
    scene_cuts: bool = True,
    *,
    weights: str | Path | None = "default",
    options: Mapping[str, Any] | None = None,
    tile: str | int = AUTO,
    memory: float = MEMORY,
) -> Any:
    """Returns a clip with more frames per second.

    Args:
        clip: A `vapoursynth.VideoNode` of constant format and size: RGB, YUV or gray, integers or
            floats. With `fps` its rate must be constant; with `factor` it may vary.
        model: The name of a network, its `ModelSpec`, or a loaded network.
        factor: The number of output frames for each source frame. The default is 2 if `fps` is not
            given either.
        fps: The rate of the output, as a number or an exact fraction ("60000/1001").
        scene_cuts: Whether to hold the frame before a cut. The property `_SceneChangeNext`, which
            for example `misc.SCDetect` sets, marks cuts; frames without it are compared.
        weights: A `.weights.h5` file for a model given by name.
        options: Arguments of a model given by name.
        tile: "auto", "off", or the side of the tiles into which frames are split.
        memory: The memory in GiB that rendering may use, by which "auto" chooses tiles.

    Returns:
        A clip of the same format and size.

    Raises:
        InputError: VapourSynth is not installed, or the clip or a setting is not supported.
    """
    try:
        from vapoursynth import core
    except ImportError:
        raise InputError(
            "VapourSynth is not installed: pip install 'tfvfi[vapoursynth]' (Python 3.12 or later)"
        ) from None
    Treatment(factor=factor, fps=fps, tile=tile, memory=memory)
    if clip.format is None or not clip.width or not clip.height:
        raise InputError("`clip` needs one format and size; resize it first")
    if isinstance(model, str):
        model = registry.ModelSpec(model, weights, dict(options or {}))
    network = registry.shared(model) if isinstance(model, registry.ModelSpec) else model
    side = tile_side(tile, Frames((clip.height, clip.width), depth=4), network, memory)

    rate = clip.fps if clip.fps_num else None
    timing = _Timing.by(clip.num_frames, rate, factor, fps)
    rgb, back = _converted(core, clip)
    pairs = _Pairs(Renderer(network, side), timing, scene_cuts)
    form = {"length": timing.count, "keep": True}
    if timing.rate is None:
        form |= {"fpsnum": 0, "fpsden": 1}
    else:
        form |= {"fpsnum": timing.rate.numerator, "fpsden": timing.rate.denominator}

    def shifted(source: Any, by: int) -> Any:
        """Returns the source frame at each output frame, or the frame `by` places later."""
        last = source.num_frames - 1

        def at(n: int) -> Any:
            index = min(timing.place(n).index + by, last)
            return source.std.Trim(first=index, length=1).std.Loop(times=0)

        return core.std.BlankClip(source, **form).std.FrameEval(at)

    blank = core.std.BlankClip(rgb, **form)
    made = blank.std.ModifyFrame([shifted(rgb, 0), shifted(rgb, 1)], pairs.render)
    own = shifted(clip, 0)
    made = back(made).std.CopyFrameProps(own)
    chosen = core.std.BlankClip(clip, **form).std.FrameEval(
        lambda n: made if timing.place(n).share else own
    )
    return chosen.std.ModifyFrame(chosen, timing.described)


@dataclass(frozen=True)
class _Timing:
    """The times of the output frames.

    Attributes:
        frames: The number of source frames.
        count: The number of output frames.
        step: The distance between output frames, in source frames.
        rate: The rate of the output, or None if it varies.
    """

    frames: int
    count: int
    step: Fraction
    rate: Fraction | None

    @classmethod
    def by(
        cls,
        frames: int,
        rate: Fraction | None,
        factor: int | None,
        fps: Fraction | str | float | None,
    ) -> "_Timing":
        """Returns the timing for a factor or a rate."""
        wanted = Treatment(factor=factor, fps=fps).wanted(clock=True)
        if fps is None:
            step = Fraction(1, wanted.factor)
            return cls(frames, frames * wanted.factor, step, rate and rate * wanted.factor)
        if rate is None:
            raise ArgumentError(
                "`fps` needs a clip of constant rate; this one varies: use `factor`"
            )
        count = wanted.count(frames, frames / rate)
        return cls(frames, count, rate / wanted.rate, wanted.rate)

    def place(self, number: int) -> Place:
        """Returns the place of an output frame; the last source frame is held to the end."""
        at = number * self.step
        index = min(math.floor(at), self.frames - 1)
        return Place(index, Fraction(0) if index == self.frames - 1 else at - index)

    def shares(self, index: int) -> list[Fraction]:
        """Returns the times of the output frames between a source frame (0) and the next (1)."""
        first, end = math.floor(index / self.step) + 1, math.ceil((index + 1) / self.step)
        return [number * self.step - index for number in range(first, min(end, self.count))]

    def described(self, n: int, f: Any) -> Any:
        """Returns the frame with its duration, time and cuts in its properties."""
        frame, place = f.copy(), self.place(n)
        props = frame.props
        if self.rate is not None:
            length = 1 / self.rate
        elif props.get("_DurationDen"):
            length = Fraction(props["_DurationNum"], props["_DurationDen"]) * self.step
        else:
            length = None
        if "_AbsoluteTime" in props and length is not None:
            props["_AbsoluteTime"] += float(place.share / self.step * length)
        if length is not None:
            props["_DurationNum"], props["_DurationDen"] = length.numerator, length.denominator
        # A cut lies before the first frame of a shot and after its last one.
        if place.share and "_SceneChangePrev" in props:
            props["_SceneChangePrev"] = 0
        following = self.place(n + 1).index if n + 1 < self.count else None
        if following == place.index and "_SceneChangeNext" in props:
            props["_SceneChangeNext"] = 0
        return frame


class _Pairs:
    """Renders the frames between source frames and keeps those of the latest pairs.

    Args:
        renderer: Renders the frames.
        timing: The times of the frames.
        scene_cuts: Whether a frame is held at a cut.
    """

    def __init__(self, renderer: Renderer, timing: _Timing, scene_cuts: bool):
        self.renderer = renderer
        self.timing = timing
        self.scene_cuts = scene_cuts
        self._kept: OrderedDict[int, dict[Fraction, np.ndarray]] = OrderedDict()
        # Pairs are rendered one at a time, because the network uses several threads itself.
        self._lock = threading.Lock()

    def render(self, n: int, f: Sequence[Any]) -> Any:
        """Returns output frame `n`, given the two source frames around it, as VapourSynth calls."""
        place = self.timing.place(n)
        with self._lock:
            made = self._kept.get(place.index)
            if made is None:
                made = self._kept[place.index] = self._between(place.index, f)
            self._kept.move_to_end(place.index)
            while len(self._kept) > PAIRS_KEPT:
                self._kept.popitem(last=False)
        frame = f[0].copy()
        for number in range(3):
            plane = np.asarray(frame[number])
            np.copyto(plane, made[place.share][..., number], casting="same_kind")
        return frame

    def _between(self, index: int, f: Sequence[Any]) -> dict[Fraction, np.ndarray]:
        """Returns all frames between two source frames by their times."""
        shares = tuple(self.timing.shares(index))
        first, second = (_array(frame) for frame in f)
        told = f[0].props.get("_SceneChangeNext")
        span = Span(first, second, Fraction(1), shares, shares, shares)
        if self.scene_cuts and told:
            planned = span
        else:
            detects = self.scene_cuts and told is None
            planned = Planner(HOLD if detects else MIX).plan(span)
        return dict(zip(shares, self.renderer.frames(planned), strict=True))


def _array(frame: Any) -> np.ndarray:
    """Returns a VapourSynth frame of RGB floats as H x W x 3, float32 in [0, 1]."""
    planes = [np.asarray(frame[number]) for number in range(3)]
    return np.stack(planes, axis=-1).astype(np.float32).clip(0, 1)


def _converted(core: Any, clip: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Returns the clip as RGB floats, and a function that converts back to its format."""
    import vapoursynth as vs

    form = clip.format
    if form.color_family == vs.RGB and form.sample_type == vs.FLOAT:
        return clip, lambda made: made
    if form.color_family == vs.RGB:
        rgb = core.resize.Bicubic(clip, format=vs.RGBS)
        return rgb, lambda made: core.resize.Bicubic(made, format=form.id)
    props = clip.get_frame(0).props
    matrix = props.get("_Matrix", UNSPECIFIED)
    if matrix == UNSPECIFIED:
        matrix = BT709 if clip.height >= HD_HEIGHT else BT601
    rgb = core.resize.Bicubic(clip, format=vs.RGBS, matrix_in=matrix)
    like = core.resize.Bicubic(clip, format=form.id).get_frame(0).props
    settings = {"format": form.id, "matrix": matrix}
    if "_ChromaLocation" in like:
        settings["chromaloc"] = like["_ChromaLocation"]
    if "_Range" in like:
        settings["range"] = int(like["_Range"])
    elif "_ColorRange" in like:
        # The older name of the property, with inverted values.
        settings["range"] = 1 - int(like["_ColorRange"])
    return rgb, lambda made: core.resize.Bicubic(made, **settings)
