"""Writes numbered pictures to a folder, and animations that are joined from them."""

import os
import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tfvfi.errors import InputError
from tfvfi.video.writing import stills
from tfvfi.video.writing.animation import JOINED
from tfvfi.video.writing.segments import Parts

# The digits in the name of a picture. A folder is replaced only if all its files have such names.
DIGITS = 8


class PictureFolder:
    """Writes numbered pictures to a folder, or the animation that is joined from them.

    Args:
        path: The output.
        form: One of `stills.FORMATS`.
        parts: The folder in which the pictures are kept until all are finished.
        turns: The number of quarter turns to the left, because pictures do not store a rotation.
    """

    def __init__(self, path: Path, form: str, parts: Parts, turns: int = 0):
        self.path = path
        self.form = form
        self.parts = parts
        self.turns = turns
        self.ending, _, self.keeps_alpha, _ = stills.FORMATS[form]
        self.folder = parts.pictures()
        self.done = parts.pictures_done(self._picture)
        self.lengths: list[Fraction] = []

    def write(self, image: np.ndarray | None, time: Fraction, length: Fraction) -> None:
        """Adds a picture; `image` is None for one of the first `done`, which exist already."""
        target = self._picture(len(self.lengths))
        self.lengths.append(length)
        if image is None:
            return
        image = np.ascontiguousarray(np.rot90(image, self.turns))
        aside = target.with_name(f".{target.name}")
        try:
            data = stills.encode(image, self.form).tobytes()
            aside.write_bytes(data)
            os.replace(aside, target)
            self.parts.note_picture(data)
        except OSError as error:
            raise self._cannot_write(error) from None

    def finish(self) -> None:
        """Makes the folder or the animation appear, in place of an older one."""
        join = JOINED.get(self.path.suffix.lower())
        try:
            if join is None:
                if self.path.exists():
                    shutil.rmtree(self.path)
                os.replace(self.folder, self.path)
            else:
                aside = self.parts.aside(self.path.name)
                files = [self._picture(number) for number in range(len(self.lengths))]
                join[1](aside, files, self.lengths)
                os.replace(aside, self.path)
        except (av.FFmpegError, OSError) as error:
            raise self._cannot_write(error) from None
        self.parts.remove()

    def discard(self) -> None:
        """Abandons the output; keeps finished pictures if work can be resumed, and nothing else."""
        self.parts.discard()

    def _picture(self, number: int) -> Path:
        return self.folder / f"{number:0{DIGITS}d}{self.ending}"

    def _cannot_write(self, error: OSError) -> InputError:
        return InputError(f"{self.path} cannot be written: {error.strerror}")


def is_numbered(path: Path) -> bool:
    """Returns whether a file has the name of a picture that was written here."""
    endings = [ending for ending, *_ in stills.FORMATS.values()]
    return path.suffix in endings and path.stem.isdigit() and len(path.stem) == DIGITS
