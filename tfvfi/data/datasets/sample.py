"""The samples of every benchmark: pairs of frames, the true frames between, and their times."""

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
    """A frame that is read on request.

    Attributes:
        name: The file name without its ending, or the number of the frame in its video.
    """

    name: str

    def read(self) -> np.ndarray:
        """Returns the frame: height x width x 3, RGB, uint8 or uint16."""
        ...


@dataclass(frozen=True)
class Picture:
    """A frame in a file.

    Attributes:
        path: The file.
        change: The benchmark's change to the frame, such as cropping or halving.
    """

    path: Path
    change: Change | None = None

    @property
    def name(self) -> str:
        """The file name without its ending."""
        return self.path.stem

    def read(self) -> np.ndarray:
        """Returns the frame: height x width x 3, RGB, uint8 or uint16."""
        image = pictures.read(self.path)
        return self.change(image) if self.change else image


@dataclass(frozen=True)
class Decoded:
    """A frame of a video that is already decoded."""

    name: str
    image: np.ndarray

    def read(self) -> np.ndarray:
        """Returns the frame: height x width x 3, RGB, uint8 or uint16."""
        return self.image


@dataclass(frozen=True)
class Sample:
    """Two frames and the true frames between them.

    Attributes:
        name: Its name in the benchmark, `clip` or `clip/first frame`; each part is suitable as the
            name of a folder.
        frame0: The first frame.
        frame1: The second.
        targets: The true frames between them, in order.
        times: The times of the true frames: 0 is the first frame, 1 the second.
    """

    name: str
    frame0: Frame
    frame1: Frame
    targets: tuple[Frame, ...]
    times: tuple[float, ...]

    @classmethod
    def evenly(cls, name: str, frames: Sequence[Frame]) -> "Sample":
        """Returns the sample of consecutive frames whose inner frames have evenly spaced times."""
        times = tuple(i / (len(frames) - 1) for i in range(1, len(frames) - 1))
        return cls(name, frames[0], frames[-1], tuple(frames[1:-1]), times)


class Benchmark(Sequence):
    """Samples in a fixed order; each is created on request and holds no pixels.

    Args:
        name: The name that `open` takes.
        keys: A key for each sample.
        sample: Returns the sample of a key.
        published: The number of samples in the published set; None if there is no fixed number.

    Attributes:
        complete: Whether all samples of the published set are present.
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
        """Whether all samples of the published set are present."""
        return self.published in (None, len(self))

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, index: int) -> Sample:
        return self._sample(self._keys[index])

    def __iter__(self) -> Iterator[Sample]:
        return map(self._sample, self._keys)


def check_split(known: Known, split: str) -> None:
    """Raises an `InputError` if no benchmark has such a split."""
    if split not in SPLITS:
        raise InputError(f"{known.name} has the splits {' and '.join(SPLITS)}; received '{split}'")


def find_root(data_dir: Path, folders: Sequence[str], marker: str) -> Path | None:
    """Returns the first of `data_dir` and `folders` below it in which `marker` matches a path."""
    for folder in ("", *folders):
        root = data_dir / folder
        if any(root.glob(marker)):
            return root
    return None


def listed(path: Path) -> list[list[str]]:
    """Returns the words in each line of a list of files.

    Raises:
        InputError: A path leads outside the folder of the data.
    """
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    for words in lines:
        for word in words:
            if ".." in Path(word).parts or Path(word).is_absolute():
                raise InputError(f"{path} names a file outside the data: {word}")
    return lines
