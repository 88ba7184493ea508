"""Checkpoints put together by hand, from pickles and storages of the test's choice."""

import io
import pickle
import zipfile
from pathlib import Path

from tfvfi.checkpoints.torch_files import MAGIC

MACHINE = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"long": 4}}


def zip_form(description: bytes, storages: dict[str, bytes] | None = None) -> bytes:
    """A file in torch's zip form."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", description)
        for key, data in (storages or {}).items():
            archive.writestr(f"archive/data/{key}", data)
    return buffer.getvalue()


def legacy_form(description: bytes, storages: dict[str, bytes] | None = None) -> bytes:
    """A file in torch's older form; its storages are of float32."""
    storages = storages or {}
    head = [pickle.dumps(part, 2) for part in (MAGIC, 1001, MACHINE)]
    runs = [(len(data) // 4).to_bytes(8, "little") + data for data in storages.values()]
    return b"".join([*head, description, pickle.dumps(list(storages), 2), *runs])


FORMS = {"zip": zip_form, "legacy": legacy_form}


def name(module: str, attribute: str) -> bytes:
    """The instruction that names something."""
    return f"c{module}\n{attribute}\n".encode()


def tensor(
    offset: int = 0,
    size: tuple = (2, 3),
    stride: tuple = (3, 1),
    count: int = 6,
    key: str = "0",
    view: tuple | str | None = "no",
) -> bytes:
    """The instructions that describe a tensor of float32."""
    more = b"" if view == "no" else _plain(view)
    storage = b"(" + _plain("storage") + name("torch", "FloatStorage") + _plain(key)
    storage += _plain("cpu") + _plain(count) + more + b"tQ"
    arguments = b"(" + storage + _plain(offset) + _plain(size) + _plain(stride) + b"\x89}t"
    return name("torch._utils", "_rebuild_tensor_v2") + arguments + b"R"


def state(**tensors: bytes) -> bytes:
    """A whole description: a dict of tensors."""
    items = b"".join(_plain(key) + value for key, value in tensors.items())
    return b"\x80\x02}(" + items + b"u."


def write(path: Path, data: bytes) -> Path:
    """The file with these bytes."""
    path.write_bytes(data)
    return path


def _plain(value: object) -> bytes:
    """The instructions for plain data."""
    return pickle.dumps(value, 2)[2:-1].replace(b"q\x00", b"").replace(b"q\x01", b"")
