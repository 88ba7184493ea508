"""What a worker can do, each by its name; results are what JSON can hold."""

import functools
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfvfi.errors import InputError
from tfvfi.media.container import open_container
from tfvfi.media.cuts import CutDetector
from tfvfi.media.damage import KEEP
from tfvfi.media.duplicates import DuplicateDetector
from tfvfi.media.sequence import Pictures
from tfvfi.media.shown import Shown
from tfvfi.media.source import Video, open_source
from tfvfi.studio.glimpse import Glimpse, png
from tfvfi.studio.replies import Replies

# Niceness of background work, so that previews stay quick: 0 is normal, 19 the lowest.
RENDERING, SCANNING = 5, 10
# How many networks stay loaded: the chosen one and the one it is compared with.
LOADED = 2


def facts(replies: Replies, inputs: Sequence[str]) -> dict[str, Any]:
    """What can be read of a source without decoding it."""
    damage = None
    try:
        source = open_source(inputs)
    except InputError as error:
        # A damaged source is shown as far as it can be decoded; others are refused here.
        source, damage = open_source(inputs, KEEP), str(error)
    height, width = source.size
    if round(source.look.rotation / 90) % 2:
        height, width = width, height
    seconds = source.seconds_expected
    frames = source.frames_expected or round(seconds * source.rate)
    return {
        "kind": "pictures" if isinstance(source, Pictures) else "video",
        "width": width,
        "height": height,
        "rate": str(source.rate),
        "frames": frames,
        "seconds": str(seconds or frames / source.rate),
        "has_clock": source.has_clock,
        "depth": source.look.depth,
        "alpha": source.look.alpha,
        "damage": damage,
        "bytes": sum(path.stat().st_size for path in source.paths),
        **(
            _streams(source.paths[0]) if isinstance(source, Video) else {"codec": None, "sound": []}
        ),
    }


def scan(replies: Replies, inputs: Sequence[str]) -> dict[str, Any]:
    """Decodes a source once: how many frames there are, where the cuts are, what repeats."""
    _give_way(SCANNING)
    source = open_source(inputs, KEEP)
    if isinstance(source, Video):
        # Approximate colors suffice here and are much faster to decode.
        source = Video(source.paths[0], KEEP, exact=False)
    cuts, repeats, found = CutDetector(), DuplicateDetector(), []
    before, count, repeated = None, 0, 0
    for shown in source:
        image = np.ascontiguousarray(shown.image[..., :3])
        if before is not None and cuts.between(before, image):
            found.append(float(shown.time - source.start))
        repeated += repeats.repeats(image)
        before, count = image, count + 1
        replies.progress(count, source.frames_expected)
    seconds = shown.time - source.start + shown.length
    return {"frames": count, "seconds": str(seconds), "cuts": found, "repeats": repeated}


def pair(replies: Replies, inputs: Sequence[str], seconds: float) -> dict[str, Any]:
    """The frame at a time, and the next one."""
    glimpse = Glimpse(inputs)
    shown = glimpse.neighbours(seconds)
    return _described(glimpse, shown)


def preview(
    replies: Replies,
    inputs: Sequence[str],
    seconds: float,
    model: Mapping[str, Any],
    skip_repeats: bool = False,
) -> dict[str, Any]:
    """The frame half-way between the frame at a time and the next one."""
    network, glimpse = _network(model), Glimpse(inputs)
    shown = glimpse.neighbours(seconds, skip_repeats=skip_repeats)
    first, second = map(glimpse.upright, shown)
    return {
        **_described(glimpse, shown),
        "middle": png(_middle(network, first, second)),
        "cut": CutDetector().between(first, second),
    }


def trial(
    replies: Replies, inputs: Sequence[str], seconds: float, model: Mapping[str, Any]
) -> dict[str, float]:
    """Seconds that a new frame takes once the network is warm."""
    network, glimpse = _network(model), Glimpse(inputs)
    first, second = map(glimpse.upright, glimpse.neighbours(seconds))
    _middle(network, first, second)
    began = time.perf_counter()
    _middle(network, first, second)
    return {"seconds": time.perf_counter() - began}


def interpolate(
    replies: Replies,
    inputs: Sequence[str],
    output: str,
    model: Mapping[str, Any],
    treatment: Mapping[str, Any],
    encoding: Mapping[str, Any],
) -> dict[str, Any]:
    """Writes the smoother video; what an earlier attempt finished is continued."""
    from tfvfi.video import Encoding, interpolate_video

    _give_way(RENDERING)
    replies.send(stage="Loading the network")
    count = interpolate_video(
        inputs[0] if len(inputs) == 1 else inputs,
        output,
        spec(model),
        encoding=Encoding(**encoding),
        resume=True,
        progress=replies.progress,
        **treatment,
    )
    return {"frames": count}


def tune(replies: Replies, **arguments: Any) -> dict[str, Any]:
    """Fine-tunes a network on a clip; see `tfvfi.studio.tune`."""
    from tfvfi import startup

    _give_way(RENDERING)
    replies.send(stage="Starting")
    startup.import_keras()
    from tfvfi.studio.tune import tune

    return tune(replies, **arguments)


TASKS: dict[str, Callable[..., Any]] = {
    each.__name__: each for each in (facts, scan, pair, preview, trial, interpolate, tune)
}


def _give_way(much: int) -> None:
    """Lowers the priority of this process, where the system knows such a thing."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, 0, max(much, os.getpriority(os.PRIO_PROCESS, 0)))


def spec(model: Mapping[str, Any]) -> Any:
    """The network that the page chose, not yet loaded."""
    from tfvfi.registry import ModelSpec

    return ModelSpec(model["name"], model["weights"] or "default", dict(model["options"]))


def _network(model: Mapping[str, Any]) -> Any:
    """The same, loaded; it stays so while its weights stay the same."""
    weights = model["weights"]
    state = Path(weights).stat().st_mtime_ns if weights else 0
    return _loaded(json.dumps(model, sort_keys=True), state)


@functools.lru_cache(maxsize=LOADED)
def _loaded(model: str, state: int) -> Any:
    return spec(json.loads(model)).load_interpolator()


def _middle(network: Any, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """What the pipeline shows half-way between two frames."""
    from tfvfi.video import interpolate_frames

    return list(interpolate_frames([first, second], network, factor=2))[1]


def _described(glimpse: Glimpse, shown: Sequence[Shown]) -> dict[str, Any]:
    """Two frames as pictures, and when they are shown."""
    return {
        "frame0": png(glimpse.upright(shown[0])),
        "frame1": png(glimpse.upright(shown[1])),
        "time0": glimpse.seconds(shown[0]),
        "time1": glimpse.seconds(shown[1]),
    }


def _streams(path: Path) -> dict[str, Any]:
    """The codec of the pictures, and every track of sound."""
    with open_container(path) as container:
        if not container.streams.video:
            raise InputError(f"{path} has no video stream")
        return {
            "codec": container.streams.video[0].codec_context.name,
            "sound": [
                {
                    "codec": stream.codec_context.name,
                    "channels": stream.codec_context.channels,
                    "rate": stream.codec_context.sample_rate,
                }
                for stream in container.streams.audio
            ],
        }
