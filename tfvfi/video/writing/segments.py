"""Finished parts of an unfinished output, so that interrupted work continues.

They lie in a hidden folder beside the output: `plan.json` says what is being made of what, and
each part appears by a rename when it is complete. `lock` is held by the process that works there.
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

# Most file systems take names of 255 bytes.
LONGEST_NAME = 240
# A segment begins with the numbers of its frames and bytes and the SHA-256 of the rest; a packet
# with its times and length, whether it is a whole picture, and the sizes of its data and of its
# transparency.
START = struct.Struct("<IQ32s")
HEAD = struct.Struct("<qqqBII")
# Bytes that are read at once.
BLOCK = 2**20
# The checksums of pictures, a line each, in order.
CHECKSUMS = "checksums.txt"
# Where the transparency of VP9 is: the type's name and number.
BESIDE = ("matroska_block_additional", 15)


class Parts:
    """The folder with the parts of an output, for one process at a time.

    Args:
        output: What they become.
        plan: All that the outcome depends on; None: nothing is to be kept.
        overwrite: Begin anew in place of other unfinished work.
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
        """Clears the folder, and says what is to come if it is to be kept."""
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
        """Where a file grows that is renamed when it is complete."""
        return self.folder / name

    def segments(self) -> list[Path]:
        """The finished segments of a video, in order, as far as none is missing."""
        found = []
        while _is_whole(path := self._segment(len(found))):
            found.append(path)
        return found

    def keep(self, packets: Sequence[av.Packet]) -> None:
        """Adds packets to the segment that is being made, if parts are kept."""
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
        """Lets the segment that was being made appear, if parts are kept."""
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
        """Where frames of the unfinished segment wait, if parts are kept; see `Spool`."""
        return self.folder / "frames" if self.kept else None

    def pictures(self) -> Path:
        """The folder where single pictures wait."""
        folder = self.folder / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def note_picture(self, data: bytes) -> None:
        """Notes the checksum of the next picture, if parts are kept."""
        if self.kept:
            with (self.folder / CHECKSUMS).open("a") as file:
                file.write(f"{zlib.crc32(data):08x}\n")

    def pictures_done(self, picture: Callable[[int], Path]) -> int:
        """How many pictures are there from the first one on, with every byte as it was written.

        Args:
            picture: Gives the path of each.
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
            # What is not believed is made, and noted, again.
            notes.write_text("".join(f"{noted}\n" for noted in found[:done]))
        return done

    def remove(self) -> None:
        """Leaves nothing."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.lock.close()

    def discard(self) -> None:
        """Leaves what a later run continues, and nothing else."""
        if self.unfinished is not None:
            # What is left in memory may not fit on the disk.
            with contextlib.suppress(OSError):
                self.unfinished.close()
        if self.kept and self._holds_work():
            self.lock.close()
        else:
            self.remove()

    def _holds_work(self) -> bool:
        """Whether anything is finished."""
        return any(
            any(self.folder.glob(each)) for each in ("*.packets", "pictures/[!.]*", "frames/*.png")
        )

    def _segment(self, number: int) -> Path:
        return self.folder / f"{number:06d}.packets"

    def _plan_before(self) -> dict[str, Any] | None:
        try:
            return json.loads((self.folder / "plan.json").read_text())
        except (FileNotFoundError, ValueError):
            return None


def parts_folder(output: Path) -> Path:
    """Where the parts of an unfinished output are kept: beside it, under a hidden name."""
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
    """The number of frames and the packets of a finished segment."""
    with path.open("rb") as file:
        frames, *_ = START.unpack(file.read(START.size))
    return frames, _packets(path)


def _is_whole(path: Path) -> bool:
    """Whether a segment is there, with every byte as it was written."""
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
