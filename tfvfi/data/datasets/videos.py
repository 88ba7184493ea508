"""Videos as benchmarks: every n-th frame is kept, and those between are the true frames."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tfvfi.data.datasets.known import Known
from tfvfi.data.datasets.sample import Benchmark, Decoded, Sample, check_split
from tfvfi.data.datasets.sequences import folders_in, windows
from tfvfi.errors import ArgumentError, InputError
from tfvfi.media.clips import is_video
from tfvfi.media.container import open_container
from tfvfi.media.shown import Shown
from tfvfi.media.source import Video

# The test videos of Adobe240, according to the split in Super SloMo's public training script.
ADOBE_TEST = (
    "720p_240fps_1",
    "GOPR9635",
    "GOPR9637a",
    "IMG_0004a",
    "IMG_0015",
    "IMG_0023",
    "IMG_0179",
    "IMG_0183",
)


class Clips:
    """Samples of videos in order, decoded once; memory holds `factor` + 1 frames at a time.

    Times follow the timestamps of the frames, which may be unevenly spaced.

    Args:
        name: The name that `open` takes.
        paths: The videos.
        factor: Every `factor`-th frame is kept.

    Attributes:
        published: None, because there is no fixed number of samples.
        complete: True, for the same reason.
    """

    published = None
    complete = True

    def __init__(self, name: str, paths: Sequence[Path], factor: int):
        if not isinstance(factor, int) or factor < 2:
            raise ArgumentError(f"`factor` is a whole number from 2 on; received {factor}")
        self.name = name
        self.factor = factor
        self._videos = [Video(path) for path in paths]
        self._count = sum((_frames(path) - 1) // factor for path in paths)
        if self._count < 1:
            raise InputError(f"{name} needs at least {factor + 1} frames; {paths[0]} has fewer")

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Sample]:
        for video in self._videos:
            window: list[Shown] = []
            for number, shown in enumerate(video):
                window.append(shown)
                if len(window) > self.factor:
                    yield _sample(video.path.stem, number - self.factor, window)
                    window = [shown]


def video(known: Known, data_dir: Path, factor: int = 2) -> Clips | None:
    """Opens one video."""
    return Clips(known.name, [data_dir], factor) if data_dir.is_file() else None


def adobe240(known: Known, data_dir: Path, split: str = "test") -> Benchmark | Clips | None:
    """Opens Adobe240: folders of extracted frames, or the original videos."""
    check_split(known, split)
    factor = known.config["between"] + 1
    for place in (f"{split}_frames", split):
        found = folders_in(data_dir / place, "*")
        if found:
            return windows(known, found, factor)
    for root in (data_dir / "original_high_fps_videos", data_dir):
        found = [path for path in sorted(root.glob("*")) if is_video(path)]
        chosen = [path for path in found if (path.stem in ADOBE_TEST) == (split == "test")]
        if chosen:
            return Clips(known.name, chosen, factor)
    return None


def _sample(clip: str, first: int, window: list[Shown]) -> Sample:
    start, length = window[0].time, window[-1].time - window[0].time
    frames = [Decoded(str(first + i), shown.image) for i, shown in enumerate(window)]
    times = tuple(float((shown.time - start) / length) for shown in window[1:-1])
    return Sample(f"{clip}/{first}", frames[0], frames[-1], tuple(frames[1:-1]), times)


def _frames(path: Path) -> int:
    """Returns the number of frames of a video, from its header or packets, without decoding."""
    with open_container(path) as container:
        stream = container.streams.video[0]
        return stream.frames or sum(packet.size > 0 for packet in container.demux(stream))
