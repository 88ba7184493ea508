"""Reads untrusted zip archives, whose entries are checked before they are unpacked."""

import io
import struct
import zipfile
import zlib

from tfvfi.checkpoints.bounds import Budget, UnreadableError

# The exceptions that the standard library raises for a damaged archive.
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
MAX_ENTRIES = 200_000


class Archive:
    """Reads entries by name and never extracts them to a path.

    Args:
        file: The file, opened for reading.
        size: The size of the file in bytes.

    Raises:
        UnreadableError: The archive is damaged, or its entries are not acceptable.
    """

    def __init__(self, file: io.BufferedIOBase, size: int):
        try:
            self.zip = zipfile.ZipFile(file)
        except DAMAGED:
            raise UnreadableError(
                "is a damaged zip archive, or a part of one; get it anew"
            ) from None
        entries = self.zip.infolist()
        self.names = {entry.filename: entry for entry in entries}
        if len(self.names) != len(entries) or len(entries) > MAX_ENTRIES:
            raise UnreadableError(
                "is a zip archive with names given twice, or far too many; refused"
            )
        self.unpacked = Budget(size)
        for entry in entries:
            self._check(entry, size)

    def read(self, name: str) -> bytes:
        """Returns the bytes of an entry."""
        entry = self.names[name]
        self.unpacked.spend(entry.file_size)
        try:
            data = self.zip.read(entry)
        except DAMAGED:
            raise UnreadableError(
                f"is damaged: {name[:80]!r} cannot be unpacked; get it anew"
            ) from None
        if len(data) != entry.file_size:
            raise UnreadableError(f"is damaged: {name[:80]!r} is incomplete; get the file anew")
        return data

    def _check(self, entry: zipfile.ZipInfo, size: int) -> None:
        if entry.flag_bits & 1 or entry.compress_type not in METHODS:
            raise UnreadableError(
                "is a zip archive with encrypted or oddly packed entries; refused"
            )
        stored = entry.compress_type == zipfile.ZIP_STORED
        if entry.compress_size > size or (stored and entry.file_size != entry.compress_size):
            raise UnreadableError(
                "is a damaged zip archive: an entry exceeds the file; get it anew"
            )
