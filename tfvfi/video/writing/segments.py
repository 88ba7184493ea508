"""Keeps the finished segments and pictures of an unfinished output, so that work can be resumed.

They are kept in a hidden folder beside the output. `plan.json` describes the work, each segment or
picture appears by a rename when it is complete, and the working process holds `lock`.
"""

import contextlib
import hashlib
import json
import os
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import av
from av.packet import PacketSideData

from tfvfi.errors import InputError
from tfvfi.media.storage import only_one

# Most file systems allow names of 255 bytes; the hidden name is longer than the output's.
LONGEST_NAME = 240
# A segment begins with its number of frames, its number of bytes and the SHA-256 of the rest; a
# packet begins with its times and length, whether it is a key frame, and the sizes of its data and
# of its transparency.
START = struct.Struct("<IQ32s")
HEAD = struct.Struct("<qqqBII")
# The number of bytes that are read at once.
BLOCK = 2**20
# The file with the checksums of pictures, one per line, in order.
CHECKSUMS = "checksums.txt"
# The name and number of the side data that holds the transparency of VP9.
BESIDE = ("matroska_block_additional", 15)


class Parts:
    """The folder of an output's finished segments and pictures, for one process at a time.

    Args:
        output: The output.
        plan: Everything on which the result depends; None if nothing is to be kept.
        overwrite: Whether to discard other unfinished work.

    Raises:
        InputError: The folder cannot be written, another process uses it, or it holds unfinished
            work that cannot be continued with this plan.
    """

    def __init__(self, output: Path, plan: dict[str, Any] | None, overwrite: bool = False):
        self.folder = parts_folder(output)
        self.kept = plan is not None
        self.unfinished: BinaryIO | None = None
        self.digest = hashlib.sha256()
        self.lock = contextlib.ExitStack()
        try:
            self.folder.mkdir(exist_ok=True)
            self.lock.enter_context(only_one(self.folder))
        except OSError as error:
            raise InputError(f"{output} cannot be written: {error.strerror}") from None
        before = self._plan_before()
        if plan is not None and before == json.loads(json.dumps(plan)):
            return
        if before is not None and self._holds_work() and not overwrite:
            self.lock.close()
            raise InputError(_cannot_continue(output, before, plan))
        try:
            self._begin(plan)
        except OSError as error:
            self.remove()
            raise InputError(f"{output} cannot be written: {error.strerror}") from None

    def _begin(self, plan: dict[str, Any] | None) -> None:
        """Clears the folder, and writes the plan if there is one."""
        for old in self.folder.iterdir():
            if old.is_dir():
                shutil.rmtree(old)
            elif old.name != "lock":
                old.unlink()
        if plan is not None:
            aside = self.folder / "plan.aside"
            aside.write_text(json.dumps(plan, indent=2))
            os.replace(aside, self.folder / "plan.json")

    def aside(self, name: str) -> Path:
        """Returns the path for a file that is renamed when it is complete."""
        return self.folder / name

    def segments(self) -> list[Path]:
        """Returns the finished segments of a video in order, up to the first missing one."""
        found = []
        while _is_whole(path := self._segment(len(found))):
            found.append(path)
        return found

    def keep(self, packets: Sequence[av.Packet]) -> None:
        """Adds packets to the current segment, if segments are kept."""
        if self.kept and packets:
            if self.unfinished is None:
                self.unfinished = (self.folder / "unfinished").open("wb")
                self.unfinished.write(bytes(START.size))
                self.digest = hashlib.sha256()
            for packet in packets:
                data = _packed(packet)
                self.digest.update(data)
                self.unfinished.write(data)

    def finish_segment(self, number: int, frames: int) -> None:
        """Makes the current segment appear, if segments are kept."""
        if self.unfinished is not None:
            with self.unfinished as file:
                length = file.tell()
                file.seek(0)
                file.write(START.pack(frames, length, self.digest.digest()))
                file.flush()
                os.fsync(file.fileno())
            os.replace(file.name, self._segment(number))
            self.unfinished = None

    @property
    def frames(self) -> Path | None:
        """The folder for frames of the unfinished segment, see `Spool`; None if none are kept."""
        return self.folder / "frames" if self.kept else None

    def pictures(self) -> Path:
        """Makes and returns the folder for single pictures."""
        folder = self.folder / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def note_picture(self, data: bytes) -> None:
        """Stores the checksum of the next picture, if pictures are kept."""
        if self.kept:
            with (self.folder / CHECKSUMS).open("a") as file:
                file.write(f"{zlib.crc32(data):08x}\n")

    def pictures_done(self, picture: Callable[[int], Path]) -> int:
        """Returns the number of successive pictures, from the first on, that exist undamaged.

        Args:
            picture: Returns the path of a picture.
        """
        notes = self.folder / CHECKSUMS
        found = notes.read_text().splitlines() if notes.exists() else []
        done = 0
        for noted in found:
            file = picture(done)
            if not file.is_file() or f"{zlib.crc32(file.read_bytes()):08x}" != noted:
                break
            done += 1
        if self.kept:
            # Pictures after these are rendered again, and their checksums are stored again.
            notes.write_text("".join(f"{noted}\n" for noted in found[:done]))
        return done

    def remove(self) -> None:
        """Removes the folder with everything in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.lock.close()

    def discard(self) -> None:
        """Keeps only what a later run can continue."""
        if self.unfinished is not None:
            # The buffered rest of the file may not fit on the disk.
            with contextlib.suppress(OSError):
                self.unfinished.close()
        if self.kept and self._holds_work():
            self.lock.close()
        else:
            self.remove()

    def _holds_work(self) -> bool:
        """Returns whether anything is finished."""
        return any(
            any(self.folder.glob(each))
            for each in ("*.packets", "pictures/[!.]*", "frames/*.planes")
        )

    def _segment(self, number: int) -> Path:
        return self.folder / f"{number:06d}.packets"

    def _plan_before(self) -> dict[str, Any] | None:
        try:
            return json.loads((self.folder / "plan.json").read_text())
        except (FileNotFoundError, ValueError):
            return None


def parts_folder(output: Path) -> Path:
    """Returns the hidden folder, beside an output, that holds its finished segments."""
    name = output.name
    if len(os.fsencode(name)) > LONGEST_NAME:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()
    return output.with_name(f".{name}.parts")


def _cannot_continue(output: Path, before: dict[str, Any], plan: dict[str, Any] | None) -> str:
    if plan is None:
        return (
            f"there is unfinished work on {output}; pass `resume=True` to continue it, or "
            "`overwrite=True` to begin anew"
        )
    changed = [key for key in plan if json.loads(json.dumps(plan[key])) != before.get(key)]
    return (
        f"the unfinished work on {output} was begun with other settings ({', '.join(changed)}); "
        "pass the same ones and the same input, or `overwrite=True` to begin anew"
    )


def read_segment(path: Path) -> tuple[int, Iterator[av.Packet]]:
    """Returns the number of frames and the packets of a finished segment."""
    with path.open("rb") as file:
        frames, *_ = START.unpack(file.read(START.size))
    return frames, _packets(path)


def _is_whole(path: Path) -> bool:
    """Returns whether a segment exists undamaged."""
    if not path.is_file() or path.stat().st_size < START.size:
        return False
    with path.open("rb") as file:
        _, length, digest = START.unpack(file.read(START.size))
        if length != path.stat().st_size:
            return False
        found = hashlib.sha256()
        while data := file.read(BLOCK):
            found.update(data)
    return found.digest() == digest


def _packets(path: Path) -> Iterator[av.Packet]:
    with path.open("rb") as file:
        file.seek(START.size)
        while len(head := file.read(HEAD.size)) == HEAD.size:
            pts, dts, duration, whole, size, beside = HEAD.unpack(head)
            packet = av.Packet(file.read(size))
            packet.pts, packet.dts, packet.duration = pts, dts, duration
            packet.is_keyframe = bool(whole)
            if beside:
                data = PacketSideData(BESIDE[1], beside)
                data.update(file.read(beside))
                packet.set_sidedata(data)
            yield packet


def _packed(packet: av.Packet) -> bytes:
    beside = bytes(packet.get_sidedata(BESIDE[0])) if packet.has_sidedata(BESIDE[0]) else b""
    head = (packet.pts, packet.dts, packet.duration, packet.is_keyframe, packet.size, len(beside))
    return HEAD.pack(*head) + bytes(packet) + beside
