"""Pictures of samples for the report, rendered once more so that runs need not keep pictures."""

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tfvfi.evaluation.loaded import Loaded
from tfvfi.evaluation.media import follows
from tfvfi.evaluation.prediction import Entry, predict
from tfvfi.evaluation.report import encoding
from tfvfi.evaluation.results import Row
from tfvfi.images import to_unit

WORST = 10
# The number of playbacks, each of which begins with one of the worst samples, and their largest and
# smallest number of frames.
PLAYED, LONGEST, SHORTEST = 4, 48, 5

Pictures = dict[str, Any]


def choose(sample_rows: Sequence[Row], shown: int) -> tuple[list[str], list[str]]:
    """Returns the names of samples with pictures, and of those with which a playback begins.

    Args:
        sample_rows: One row for each sample, with its PSNR.
        shown: The largest number of samples with pictures.
    """
    ranked = [row["sample"] for row in sorted(sample_rows, key=operator.itemgetter("psnr"))]
    worst, rest = ranked[: min(WORST, shown)], ranked[WORST:]
    count = min(len(rest), max(0, shown - WORST))
    others = [rest[at * len(rest) // count] for at in range(count)]
    by_clip: dict[str, str] = {}
    for name in worst:
        by_clip.setdefault(name.rpartition("/")[0] or name, name)
    return worst + others, list(by_clip.values())[:PLAYED]


class Gallery:
    """Renders the pictures and playbacks of chosen samples.

    Args:
        entries: The networks.
        rows: The rows of each sample, measured with the first network.
        chosen: The samples that get pictures.
        played: The samples with which a playback begins.
        self_ensemble: Whether predictions are averages over flips and directions of time, as they
            were when measured.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        rows: Mapping[str, list[Row]],
        chosen: Sequence[str],
        played: Sequence[str],
        self_ensemble: bool = False,
    ):
        self.entries = entries
        self.rows = rows
        self.chosen = set(chosen)
        self.played = set(played)
        self.self_ensemble = self_ensemble

    def paint(self, samples: Iterable[Any]) -> dict[str, Pictures]:
        """Returns the pictures of samples by their names, as data URLs."""
        found: dict[str, Pictures] = {}
        running: list[Playback] = []
        playbacks: list[Playback] = []
        for sample in samples:
            if sample.name not in self.rows:
                continue
            running = [one for one in running if one.goes_on_with(sample)]
            if sample.name in self.played:
                running.append(Playback(sample.name))
                playbacks.append(running[-1])
            if not running and sample.name not in self.chosen:
                continue
            loaded = Loaded.read(sample)
            painted = {
                one.label: predict(one.network, [loaded.pair], sample.times, self.self_ensemble)[0]
                for one in self.entries
            }
            if sample.name in self.chosen:
                found[sample.name] = self._pictures(loaded, painted)
            for playback in running:
                playback.add(loaded, painted)
        for playback in playbacks:
            if len(playback.truth) >= SHORTEST:
                found[playback.name]["playback"] = playback.videos()
        return found

    def _pictures(self, loaded: Any, painted: Mapping[str, list[np.ndarray]]) -> Pictures:
        """Returns pictures of the worst frame of a sample, with its errors and flows."""
        rows = self.rows[loaded.sample.name]
        at = min(range(len(rows)), key=lambda index: rows[index]["psnr"])
        truth = to_unit(loaded.truths[at])
        errors = {
            label: np.mean(np.abs(frames[at] - truth), axis=-1) for label, frames in painted.items()
        }
        scale = encoding.error_scale(list(errors.values()))
        time = loaded.sample.times[at]
        flows = {one.label: flows_of(one.network, loaded.pair, time) for one in self.entries}
        return {
            "time": time,
            "frame0": encoding.picture(to_unit(loaded.pair[0])),
            "frame1": encoding.picture(to_unit(loaded.pair[1])),
            "truth": encoding.picture(truth),
            "size": loaded.pair[0].shape[1::-1],
            "error_scale": 255 * scale,
            "painted": {
                label: {
                    "frame": encoding.picture(frames[at]),
                    "error": encoding.heat(errors[label], scale),
                    "flows": encoding.flows(flows[label]),
                }
                for label, frames in painted.items()
            },
        }


class Playback:
    """Collects predictions and true frames of consecutive samples for videos.

    Args:
        name: The name of the first sample.
    """

    def __init__(self, name: str):
        self.name = name
        self.truth: list[np.ndarray] = []
        self.painted: dict[str, list[np.ndarray]] = {}
        self.last: Any = None

    def goes_on_with(self, sample: Any) -> bool:
        """Returns whether a sample continues the playback, which otherwise has ended."""
        return follows(self.last, sample) and len(self.truth) < LONGEST

    def add(self, loaded: Any, painted: Mapping[str, list[np.ndarray]]) -> None:
        """Adds the frames of a sample."""
        first, last = (encoding.small(to_unit(frame)) for frame in loaded.pair)
        begin = [] if self.truth else [first]
        truths = [encoding.small(to_unit(truth)) for truth in loaded.truths]
        self.truth += [*begin, *truths, last]
        for label, frames in painted.items():
            between = [encoding.small(frame) for frame in frames]
            self.painted.setdefault(label, []).extend([*begin, *between, last])
        self.last = loaded.sample

    def videos(self) -> dict[str, Any]:
        """Returns the videos of the true frames and of the predictions as data URLs."""
        return {
            "truth": encoding.video(self.truth),
            "painted": {label: encoding.video(frames) for label, frames in self.painted.items()},
        }


def flows_of(model: Any, pair: Sequence[np.ndarray], time: float) -> dict[str, np.ndarray]:
    """Returns the flows along which a network rendered, by name; empty if it reports none."""
    if model.times != "any" and time not in model.times:
        return {}
    from keras import ops

    from tfvfi import images

    first, second = (model.pad(to_unit(frame)[None]) for frame in pair)
    outputs = model({"frame0": first, "frame1": second, "time": np.array([time], "float32")})
    height, width = pair[0].shape[:2]
    padding = model.padding(height, width)
    found = {}
    for name in ("flow0", "flow1"):
        flow = outputs.get(name)
        if flow is not None and tuple(flow.shape[1:3]) == tuple(first.shape[1:3]):
            found[name] = ops.convert_to_numpy(images.crop(flow, padding, height, width))[0]
    return found
