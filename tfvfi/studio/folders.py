"""The files that the page may read and write: those in the chosen folders, and uploads.

Every path that comes from the page passes through `Folders.resolve`, which follows links first and
then asks whether the result lies in a chosen folder.
"""

import os
import re
import shutil
import unicodedata
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Any

from tfvfi.errors import InputError
from tfvfi.media import clips, pictures

# Where the studio keeps its own files, inside the first chosen folder.
WORK = "tfvfi-studio"
UPLOADS, RESULTS, TUNED = "uploads", "results", "tuned"
WEIGHTS = ".weights.h5"
# The size limit of an upload, and the disk space that an upload must leave free, in bytes.
LARGEST_UPLOAD, LEFT_FREE = 64 * 2**30, 2**28
LONGEST_NAME = 120
# The most entries of a folder that are listed.
MOST_LISTED = 2000


class Folders:
    """The chosen folders, and the studio's own folder inside the first of them.

    Args:
        chosen: Folders that exist.
        largest_upload: In bytes.

    Raises:
        InputError: One of them is no folder, or the first one cannot be written to.
    """

    def __init__(self, chosen: Sequence[str | Path], largest_upload: int = LARGEST_UPLOAD):
        self.largest_upload = largest_upload
        self.roots: list[Path] = []
        for one in chosen:
            if not Path(one).is_dir():
                raise InputError(f"there is no folder {one}")
            self.roots.append(Path(os.path.realpath(one)))
        self.work = self.roots[0] / WORK
        self.uploads, self.results = self.work / UPLOADS, self.work / RESULTS
        self.tuned = self.work / TUNED
        try:
            for folder in (self.uploads, self.results, self.tuned):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self.work} cannot be written: {error.strerror}") from None
        # Each must be a real folder, not a link that leads elsewhere.
        for folder in (self.uploads, self.results, self.tuned):
            self.resolve(str(folder))
        for left in self.uploads.glob("**/.*.unfinished"):
            left.unlink(missing_ok=True)

    def resolve(self, text: str) -> Path:
        """The real path of a file or folder in one of the chosen folders.

        Raises:
            InputError: It does not exist there.
        """
        refusal = InputError(f"{_shown(text)} is not in a folder that was given to the studio")
        if not isinstance(text, str) or "\0" in text or not os.path.isabs(text):
            raise refusal
        try:
            path = Path(os.path.realpath(text, strict=True))
        except (OSError, ValueError):
            raise refusal from None
        for root in self.roots:
            if path.is_relative_to(root):
                if any(part.startswith(".") for part in path.relative_to(root).parts):
                    break
                return path
        raise refusal

    def sources(self, given: Any) -> list[Path]:
        """The media that the page names: a video, a folder of pictures, or pictures.

        Raises:
            InputError: One of them is not in a chosen folder, or is no media.
        """
        if not isinstance(given, list) or not given:
            raise InputError("choose a video, a folder of pictures, or two pictures first")
        paths = [self.resolve(one) for one in given]
        for path in paths:
            if not (path.is_dir() or _is_media(path.name)):
                raise InputError(f"{path.name} is neither a video nor a picture by its ending")
        return paths

    def weights(self, text: str) -> Path:
        """A file of weights in one of the chosen folders."""
        path = self.resolve(text)
        if not path.name.endswith(WEIGHTS):
            raise InputError(f"weights are a {WEIGHTS} file; received {path.name}")
        return path

    def listing(self, text: str | None) -> dict[str, Any]:
        """The entries of a folder that can be chosen; for None, the chosen folders themselves."""
        if not text:
            found = [
                {"name": str(root), "path": str(root), "kind": "folder"} for root in self.roots
            ]
            return {"path": None, "parent": None, "entries": found, "left_out": 0}
        folder = self.resolve(text)
        if not folder.is_dir():
            raise InputError(f"{folder.name} is no folder")
        try:
            named = pictures.in_order(Path(one.path) for one in os.scandir(folder))
        except OSError as error:
            raise InputError(f"{folder} cannot be read: {error.strerror}") from None
        entries = [entry for path in named if (entry := self._entry(path)) is not None]
        return {
            "path": str(folder),
            "parent": None if folder in self.roots else str(folder.parent),
            "entries": entries[:MOST_LISTED],
            "left_out": max(0, len(entries) - MOST_LISTED),
        }

    def _entry(self, path: Path) -> dict[str, Any] | None:
        """The description of an entry of a folder; None if it is not listed."""
        try:
            real = self.resolve(str(path))
        except InputError:
            return None
        kind = _kind(real)
        if kind is None:
            return None
        size = real.stat().st_size if real.is_file() else None
        return {"name": _shown(path.name), "path": str(path), "kind": kind, "bytes": size}

    async def receive(
        self, name: str, group: str | None, length: int | None, chunks: AsyncIterator[bytes]
    ) -> Path:
        """Streams an upload to the disk, where it appears once it is complete.

        Args:
            name: What the browser calls it; only its last part counts.
            group: A name for pictures that belong together and go into one folder.
            length: How many bytes are announced; None if that is not said.
            chunks: The bytes.

        Returns:
            The file.

        Raises:
            InputError: It is no media, is too large, or does not fit on the disk.
        """
        safe = safe_name(name)
        if not _is_media(safe) and not safe.endswith(WEIGHTS):
            raise InputError(f"{safe} is neither a video nor a picture by its ending")
        folder = self.uploads if group is None else self.uploads / safe_name(group)
        room = shutil.disk_usage(self.uploads).free - LEFT_FREE
        most = min(self.largest_upload, room)
        too_large = InputError(
            f"{safe} is larger than {_size(self.largest_upload)}, the most that is taken; put it "
            "into a chosen folder and open it from there"
            if most == self.largest_upload
            else f"{safe} does not fit: the disk has room for {_size(max(0, room))}"
        )
        if length is not None and length > most:
            raise too_large
        folder.mkdir(exist_ok=True)
        stem, dot, ending = safe.rpartition(".")
        target = unused(folder, stem, dot + ending) if group is None else folder / safe
        aside = target.with_name(f".{target.name}.unfinished")
        count = 0
        try:
            with aside.open("wb") as file:
                async for chunk in chunks:
                    count += len(chunk)
                    if count > most:
                        raise too_large
                    file.write(chunk)
            if length is not None and count != length:
                raise InputError(f"only {count} of {length} bytes of {safe} arrived; try again")
            os.replace(aside, target)
        except OSError as error:
            raise InputError(f"{safe} cannot be kept: {error.strerror}") from None
        finally:
            aside.unlink(missing_ok=True)
        return target

    def forget_upload(self, text: str) -> None:
        """Deletes an upload. Nothing else can be deleted this way."""
        path = self.resolve(text)
        if path == self.uploads or not path.is_relative_to(self.uploads):
            raise InputError(f"{path.name} is no upload")
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def safe_name(name: str) -> str:
    """A file name without folders, leading dots and troublesome characters.

    Example:
        >>> safe_name("../../.bashrc"), safe_name("C:\\\\clips\\\\my clip.mp4")
        ('bashrc', 'my clip.mp4')
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", str(name)))[-1]
    kept = "".join(c for c in last if c.isprintable() and c not in '<>:"|?*').strip(" .")
    stem, dot, ending = kept.rpartition(".")
    if not dot:
        return kept[:LONGEST_NAME] or "unnamed"
    return f"{(stem or 'unnamed')[:LONGEST_NAME]}.{ending[:20]}"


def unused(folder: Path, stem: str, ending: str, taken: Iterable[Path] = ()) -> Path:
    """A path that does not exist yet, with a number added where the plain name is taken.

    Args:
        folder: Where it will be.
        stem: Its name without the ending.
        ending: Of the name.
        taken: Paths that are promised to others.
    """
    taken, found, number = set(taken), folder / f"{stem}{ending}", 1
    while found.exists() or found in taken:
        number += 1
        found = folder / f"{stem} {number}{ending}"
    return found


def _kind(path: Path) -> str | None:
    """The kind of a file by its name: "folder", "video", "picture", "weights" or None."""
    if path.is_dir():
        return "folder"
    if not path.is_file():
        return None
    if path.name.endswith(WEIGHTS):
        return "weights"
    if clips.is_video(path):
        return "video"
    return "picture" if pictures.is_picture(path) or path.suffix.lower() == ".apng" else None


def _is_media(name: str) -> bool:
    ending = Path(name).suffix.lower()
    return clips.is_video(name) or pictures.is_picture(name) or ending == ".apng"


def _shown(text: Any) -> str:
    """A name as valid Unicode, even if its bytes are not."""
    return str(text).encode("utf-8", "backslashreplace").decode()


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
