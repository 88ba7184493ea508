"""Random access to TFRecord files through an index that is built when they are opened."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from tfvfi.data import tfrecord
from tfvfi.data.tfrecord import CorruptRecordError
from tfvfi.errors import InputError
from tfvfi.media import storage


class Index:
    """The records of several files, numbered consecutively.

    Opening reads only the headers of the records, which takes about two microseconds per record.
    No file stays open, so any number of files and threads can be used.

    Args:
        paths: The files.
        promised: The number of records that each file should hold; None if it is unknown.

    Attributes:
        damage: Descriptions of the files that are damaged or incomplete.
        lost: The number of records that cannot be reached because of the damage.

    Raises:
        InputError: A file is missing, or holds another number of records than promised.
    """

    def __init__(self, paths: Sequence[str], promised: Sequence[int | None]):
        self.damage: list[str] = []
        self.lost = 0
        self._paths = list(paths)
        self._offsets = [
            self._opened(path, number) for path, number in zip(paths, promised, strict=True)
        ]
        self._ends = list(accumulate(len(offsets) for offsets in self._offsets))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def locate(self, index: int) -> tuple[str, int]:
        """Returns the file of a record and the record's number in it."""
        shard, number = self._locate(index)
        return self._paths[shard], number

    def read(self, index: int) -> bytes:
        """Returns the payload of a record; raises `CorruptRecordError` if it is damaged."""
        shard, number = self._locate(index)
        with storage.open_file(self._paths[shard]) as file:
            return tfrecord.read(file, int(self._offsets[shard][number]))

    def _locate(self, index: int) -> tuple[int, int]:
        shard = bisect_right(self._ends, index)
        return shard, index - (self._ends[shard - 1] if shard else 0)

    def _opened(self, path: str, promised: int | None) -> np.ndarray:
        offsets, damage = [], None
        try:
            with storage.open_file(path) as file:
                offsets.extend(tfrecord.offsets(file))
        except OSError as error:
            raise InputError(
                f"{path} cannot be read ({error.strerror}); the records are not whole, copy or "
                "make them again"
            ) from None
        except CorruptRecordError as error:
            damage = error
        if damage:
            lost = max(1, (promised or 0) - len(offsets))
            self.lost += lost
            self.damage.append(f"{path}: {damage}, and nothing after it can be reached")
        elif promised not in (None, len(offsets)):
            raise InputError(
                f"{path} holds {len(offsets)} records and should hold {promised}; copy or make the "
                "records again"
            )
        return np.array(offsets, np.int64)
