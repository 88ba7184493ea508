"""Interpolation as a function of VapourSynth clips (extra `[vapoursynth]`, Python 3.12 on).

    import vapoursynth as vs
    import tfvfi.vapoursynth

    clip = ...
    clip = tfvfi.vapoursynth.interpolate(clip, model="ifrnet_s", factor=2)
    clip.set_output()

Frames of the source come out untouched; the others are rendered from RGB and converted back to the
format of the clip. Frames may be asked for in any order and from several threads: all frames of a
pair are rendered at once and kept while their neighbors are likely to be asked for.
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

# Pairs whose frames are kept: players and encoders ask for a few frames ahead.
PAIRS_KEPT = 4
# The matrix that players assume of an untagged clip: BT.709 from this height on, else BT.601.
UNSPECIFIED, BT709, BT601, HD_HEIGHT = 2, 1, 6, 720


@dataclass(frozen=True)
class Place:
    """Where a frame of the output lies.

    Attributes:
        index: The number of the source frame at or before it.
        share: How far it is on the way to the next one.
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
    """A smoother clip.

    Args:
        clip: A `vapoursynth.VideoNode` of constant format and size: RGB, YUV or gray, integers or
            floats. With `fps` its rate must be constant; with `factor` it may vary.
        model: The name of a network, its `ModelSpec`, or a loaded network.
        factor: How many frames for one; 2 if `fps` is not given either.
        fps: The rate of the output, as a number or an exact fraction ("60000/1001").
        scene_cuts: Whether the frame before a cut is held. Where frames have `_SceneChangeNext`,
            as from `misc.SCDetect`, it decides; elsewhere the two frames are compared.
        weights: A `.weights.h5` file for a model given by name.
        options: Arguments of a model given by name.
        tile: "auto", "off", or the side of the tiles into which frames are cut.
        memory: GiB that the work may take; "auto" chooses tiles by it.

    Returns:
        A clip of the same format and size.

    Raises:
        InputError: The clip or the settings are not of these kinds.
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
        """For each frame of the output, that of the source at its place, or one later."""
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
    """When the frames of the output are shown.

    Attributes:
        frames: How many the source has.
        count: How many the output has.
        step: Source frames from one frame of the output to the next.
        rate: Of the output; None if it varies.
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
        """The timing that was asked for."""
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
        """Where a frame of the output lies; after the last source frame it is held."""
        at = number * self.step
        index = min(math.floor(at), self.frames - 1)
        return Place(index, Fraction(0) if index == self.frames - 1 else at - index)

    def shares(self, index: int) -> list[Fraction]:
        """How far the frames are that lie between a source frame and the next one."""
        first, end = math.floor(index / self.step) + 1, math.ceil((index + 1) / self.step)
        return [number * self.step - index for number in range(first, min(end, self.count))]

    def described(self, n: int, f: Any) -> Any:
        """The frame with its own duration and cuts in its properties."""
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
    """The rendered frames between source frames, the latest pairs of them.

    Args:
        renderer: Renders them.
        timing: Where they lie.
        scene_cuts: Whether a frame is held at a cut.
    """

    def __init__(self, renderer: Renderer, timing: _Timing, scene_cuts: bool):
        self.renderer = renderer
        self.timing = timing
        self.scene_cuts = scene_cuts
        self._kept: OrderedDict[int, dict[Fraction, np.ndarray]] = OrderedDict()
        # One pair at a time: the network computes in several threads itself.
        self._lock = threading.Lock()

    def render(self, n: int, f: Sequence[Any]) -> Any:
        """What VapourSynth calls for a frame: the two source frames around it are given."""
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
        """All frames between two, by how far they are."""
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
    """A frame of RGB floats as H x W x 3, float32 in [0, 1]."""
    planes = [np.asarray(frame[number]) for number in range(3)]
    return np.stack(planes, axis=-1).astype(np.float32).clip(0, 1)


def _converted(core: Any, clip: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The clip as RGB floats, and the way back to its format."""
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
        # Its older name, which counts the other way round.
        settings["range"] = 1 - int(like["_ColorRange"])
    return rgb, lambda made: core.resize.Bicubic(made, **settings)
