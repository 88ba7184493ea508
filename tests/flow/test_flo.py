"""Flow files: written and read back, and refused when something is wrong with them."""

import struct

import numpy as np
import pytest

from tfvfi.errors import InputError
from tfvfi.flow.flo import read_flo, write_flo


@pytest.fixture
def flow():
    return np.random.default_rng(0).normal(0, 30, (5, 7, 2)).astype("float32")


def test_what_is_written_is_read(flow, tmp_path):
    path = tmp_path / "folder" / "a.flo"
    write_flo(path, flow)
    np.testing.assert_array_equal(read_flo(path), flow)
    assert [entry.name for entry in path.parent.iterdir()] == ["a.flo"]


def test_layout_is_the_published_one(flow, tmp_path):
    write_flo(tmp_path / "a.flo", flow)
    expected = struct.pack("<fii", 202021.25, 7, 5) + b"".join(
        struct.pack("<ff", *pixel) for row in flow for pixel in row
    )
    assert (tmp_path / "a.flo").read_bytes() == expected


def test_other_types_become_float32(tmp_path):
    write_flo(tmp_path / "a.flo", np.arange(12).reshape(2, 3, 2)[:, ::-1])
    found = read_flo(tmp_path / "a.flo")
    assert found.dtype == np.float32 and found[0, 0].tolist() == [4, 5]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "does not begin with PIEH"),
        (b"PIEH\x01\x00", "does not begin with PIEH"),
        (b"HEIP" + struct.pack("<ii", 1, 1) + bytes(8), "does not begin with PIEH"),
        (b"PIEH" + struct.pack("<ii", 0, 4), "claims 0 x 4 pixels"),
        (b"PIEH" + struct.pack("<ii", -3, 4) + bytes(96), "claims -3 x 4 pixels"),
        (b"PIEH" + struct.pack("<ii", 2**31 - 1, 2**31 - 1), "claims 2147483647"),
        (b"PIEH" + struct.pack("<ii", 99_999, 99_999), "take 79998400020 bytes, and it has 12"),
        (b"PIEH" + struct.pack("<ii", 2, 2) + bytes(31), "take 44 bytes, and it has 43"),
        (b"PIEH" + struct.pack("<ii", 2, 2) + bytes(33), "take 44 bytes, and it has 45"),
    ],
)
def test_malformed_files_are_refused(content, said, tmp_path):
    path = tmp_path / "bad.flo"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_flo(path)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"no flow file .*none\.flo"):
        read_flo(tmp_path / "none.flo")


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 3), (0, 4, 2)])
def test_what_is_no_flow_is_not_written(shape, tmp_path):
    with pytest.raises(InputError, match="height x width x 2"):
        write_flo(tmp_path / "a.flo", np.zeros(shape))
    assert not list(tmp_path.iterdir())
