"""A folder as a ZIP file that is made while it is sent."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from starlette.responses import StreamingResponse

CHUNK = 2**20


class Pipe:
    """A buffer that a ZIP file is written to and immediately read from."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Buffers bytes."""
        self._waiting.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Does nothing: `take` empties the buffer."""

    def close(self) -> None:
        """Does nothing: what was written can still be taken."""

    def take(self) -> bytes:
        """The bytes written since."""
        data, self._waiting = b"".join(self._waiting), []
        return data


class ZippedFolder(StreamingResponse):
    """The files of a folder, stored as they are: pictures are compressed already.

    Args:
        folder: Its files go into the archive, hidden ones excepted.
    """

    def __init__(self, folder: Path):
        name = quote(f"{folder.name}.zip")
        super().__init__(
            zipped(folder),
            media_type="application/zip",
            headers={"content-disposition": f"attachment; filename*=utf-8''{name}"},
        )


def zipped(folder: Path) -> Iterator[bytes]:
    """The bytes of the archive, a piece at a time."""
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for path in sorted(folder.iterdir()):
            if path.name.startswith(".") or not path.is_file():
                continue
            with archive.open(path.name, "w") as member, path.open("rb") as file:
                while chunk := file.read(CHUNK):
                    member.write(chunk)
                    yield pipe.take()
            yield pipe.take()
    yield pipe.take()
