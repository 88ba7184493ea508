"""What every benchmark gives: pairs of frames, the true frames between them, and when those are."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from tfvfi.data.datasets.known import Known
from tfvfi.errors import InputError
from tfvfi.media import pictures

SPLITS = ("train", "test")
Change = Callable[[np.ndarray], np.ndarray]


class Frame(Protocol):
    """A frame that is read when it is asked for.

    Attributes:
        name: File name without its ending, or the frame's number in its video.
    """

    name: str

    def read(self) -> np.ndarray:
        """Height x width x 3, RGB, uint8 or uint16."""
        ...


@dataclass(frozen=True)
class Picture:
    """A frame in a file.

    Attributes:
        path: The file.
        change: What the benchmark does to it: crops it, halves it.
    """

    path: Path
    change: Change | None = None

    @property
    def name(self) -> str:
        """File name without its ending."""
        return self.path.stem

    def read(self) -> np.ndarray:
        """Height x width x 3, RGB, uint8 or uint16."""
        image = pictures.read(self.path)
        return self.change(image) if self.change else image


@dataclass(frozen=True)
class Decoded:
    """A frame of a video, which is at hand."""

    name: str
    image: np.ndarray

    def read(self) -> np.ndarray:
        """Height x width x 3, RGB, uint8 or uint16."""
        return self.image


@dataclass(frozen=True)
class Sample:
    """Two frames and the true ones between them.

    Attributes:
        name: What it is called in its benchmark, `clip` or `clip/first frame`; parts may serve as
            names of folders.
        frame0: The first frame.
        frame1: The second.
        targets: The true frames between them, in order.
        times: When those are: 0 is the first frame, 1 the second.
    """

    name: str
    frame0: Frame
    frame1: Frame
    targets: tuple[Frame, ...]
    times: tuple[float, ...]

    @classmethod
    def evenly(cls, name: str, frames: Sequence[Frame]) -> "Sample":
        """Of frames in a row: the first, the last, and what is between at even times."""
        times = tuple(i / (len(frames) - 1) for i in range(1, len(frames) - 1))
        return cls(name, frames[0], frames[-1], tuple(frames[1:-1]), times)


class Benchmark(Sequence):
    """Samples in a fixed order; each is made when it is asked for and holds no pixels.

    Args:
        name: What `open` takes.
        keys: One for each sample.
        sample: Makes the sample of a key.
        published: How many the published set has; None where any number will do.

    Attributes:
        complete: Whether all of the published set is there.
    """

    def __init__(
        self,
        name: str,
        keys: Sequence,
        sample: Callable[..., Sample],
        published: int | None = None,
    ):
        self.name = name
        self.published = published
        self._keys = keys
        self._sample = sample

    @property
    def complete(self) -> bool:
        """Whether all of the published set is there."""
        return self.published in (None, len(self))

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, index: int) -> Sample:
        return self._sample(self._keys[index])

    def __iter__(self) -> Iterator[Sample]:
        return map(self._sample, self._keys)


def check_split(known: Known, split: str) -> None:
    """Refuses a split that no benchmark has."""
    if split not in SPLITS:
        raise InputError(f"{known.name} has the splits {' and '.join(SPLITS)}; received '{split}'")


def find_root(data_dir: Path, folders: Sequence[str], marker: str) -> Path | None:
    """The first of the folders below `data_dir` that holds something named like the marker."""
    for folder in ("", *folders):
        root = data_dir / folder
        if any(root.glob(marker)):
            return root
    return None


def listed(path: Path) -> list[list[str]]:
    """The words of every line of a list of files; one that leads outside is refused."""
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    for words in lines:
        for word in words:
            if ".." in Path(word).parts or Path(word).is_absolute():
                raise InputError(f"{path} names a file outside the data: {word}")
    return lines
