"""Files that claim too much: refused quickly, before anything of that size is allocated."""

import io
import json
import pickle
import time
import tracemalloc
import zipfile

import numpy as np
import pytest

from tests.checkpoints import forging
from tfvfi import checkpoints
from tfvfi.errors import InputError

SIX = np.arange(6, dtype="float32").tobytes()


def refuse(path, said):
    tracemalloc.start()
    started = time.perf_counter()
    with pytest.raises(InputError, match=said) as error:
        checkpoints.read(path)
    seconds, (_, peak) = time.perf_counter() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert str(error.value).startswith(str(path))
    return seconds, peak


def safetensors(header, body=b"", length=None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + body


def one(dtype="F32", shape=(2,), offsets=(0, 8)) -> dict:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def npy(descr="<f4", shape="(2,)", data=bytes(8), extra="") -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, {extra}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


def npz(**entries: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for key, data in entries.items():
            archive.writestr(f"{key}.npy", data)
    return buffer.getvalue()


VIEWS = {
    "beyond the storage": ({"offset": 1}, "reaches element 6 of a storage of 6"),
    "negative stride": ({"stride": (-3, 1)}, "impossible strides"),
    "negative offset": ({"offset": -1}, "impossible strides"),
    "negative size": ({"size": (-2, 3)}, "impossible shape"),
    "fewer strides than sizes": ({"stride": (1,)}, "impossible strides"),
    "a size that is no number": ({"size": (True, 3)}, "impossible shape"),
    "a product that overflows": ({"size": (2**33,) * 2, "stride": (0, 0)}, "impossible size"),
    "empty, yet beyond numpy": ({"size": (0, 2**62), "stride": (1, 1)}, "impossible size"),
    "too many dimensions": ({"size": (1,) * 40, "stride": (0,) * 40}, "impossible shape"),
    "expanded": ({"size": (2**31,), "stride": (0,)}, "far larger than its storage"),
    "overlapping": ({"size": (70000, 6), "stride": (0, 1)}, "far larger than its storage"),
    "a storage of another size": ({"count": 7}, "wrong size|do not fit"),
    "a negative storage": ({"count": -1}, "cannot be read"),
    "a storage that is absent": ({"key": "7"}, "lacks data"),
}


@pytest.mark.parametrize("form", forging.FORMS)
@pytest.mark.parametrize("case", VIEWS)
def test_tensors_that_do_not_fit_their_storage(tmp_path, form, case):
    claims, said = VIEWS[case]
    data = forging.FORMS[form](forging.state(a=forging.tensor(**claims)), {"0": SIX})
    if form == "legacy" and case == "a storage that is absent":
        said = "cut off or damaged"
    _, peak = refuse(forging.write(tmp_path / "a.pth", data), said)
    assert peak < 2**20


def test_one_storage_seen_by_very_many_tensors(tmp_path):
    views = {f"k{i}": forging.tensor(size=(2**14,), stride=(0,)) for i in range(5000)}
    data = forging.zip_form(forging.state(**views), {"0": SIX})
    _, peak = refuse(forging.write(tmp_path / "a.pth", data), "far larger than itself")
    assert peak < 150 * 2**20


DEEP = 50_000
PICKLES = {
    "text of a giant length": (b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7f.", "ends early"),
    "bytes of a giant length": (b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f.", "ends early"),
    "text of a negative length": (b"T\xff\xff\xff\xff.", "ends early"),
    "a number of a giant length": (b"\x80\x02\x8b\xff\xff\xff\x7f.", "ends early"),
    "a long number": (b"\x80\x02\x8a\xff" + bytes(255) + b".", "absurd length"),
    "a long written number": (b"L" + b"9" * 4000 + b"L\n.", "absurd length"),
    "a line without end": (b"V" + b"a" * 10_000, "cannot be read"),
    "lists in lists": (b"]" * DEEP + b"a" * (DEEP - 1) + b".", "holds a list"),
    "tuples in tuples": (b")" + b"\x85" * DEEP + b".", "holds a tuple"),
    "a deep key": (b"})" + b"\x85" * DEEP + b"Ns.", "holds no weights"),
    "dicts in dicts": (b"}" + b"Va\n}" * DEEP + b"s" * DEEP + b".", "deeper than weights"),
    "marks on marks": (b"(" * DEEP + b".", "cannot be read"),
    "a dict in itself": (b"}q\x00Va\nh\x00s.", "deeper than weights"),
    "steps without end": (b"N0" * 600_000 + b".", "more objects than weights need"),
    "doubling": (
        b"}q\x00Va\nNs"
        + b"".join(b"}q%cVa\nh%csVb\nh%cs" % (i + 1, i, i) for i in range(7))
        + b".",
        "holds no weights",
    ),
    "one long text again and again": (
        forging.name("_codecs", "encode")
        + b"q\x00X"
        + (2**20).to_bytes(4, "little")
        + b"a" * 2**20
        + b"q\x01Vlatin1\nq\x02"
        + b"h\x00h\x01h\x02\x86R" * 1000
        + b".",
        "copies more than weights need",
    ),
    "a stack that is empty": (b"R.", "cannot be read"),
    "nothing": (b"", "ends early"),
    "what is not in the memo": (b"h\x05.", "cannot be read"),
    "items of a number": (b"K\x01(K\x01K\x02u.", "cannot be read"),
}


@pytest.mark.parametrize("form", forging.FORMS)
@pytest.mark.parametrize("case", PICKLES)
def test_pickles_that_exhaust(tmp_path, form, case):
    content, said = PICKLES[case]
    if form == "legacy" and case in ("nothing", "a line without end"):
        said = "cannot be read|ends early|damaged|holds"
    data = forging.FORMS[form](content)
    seconds, peak = refuse(forging.write(tmp_path / "a.pth", data), said)
    # tracemalloc itself makes this some five times slower.
    assert seconds < 10 and peak < 150 * 2**20


def test_colliding_keys_cost_no_more_than_others(tmp_path):
    keys = b"".join(pickle.dumps(i * (2**61 - 1), 2)[2:-1] + b"N" for i in range(50_000))
    started = time.perf_counter()
    refuse(forging.write(tmp_path / "a.pth", forging.zip_form(b"}(" + keys + b"u.")), "no weights")
    assert time.perf_counter() - started < 5


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_archives_that_claim_too_much(tmp_path):
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", forging.state(a=forging.tensor(count=2**26)))
        with archive.open("a/data/0", "w", force_zip64=True) as entry:
            for _ in range(256):
                entry.write(bytes(2**20))
    _, peak = refuse(path, "far larger than itself")
    assert peak < 2**20
    with zipfile.ZipFile(path, "w") as archive:
        for _ in range(2):
            archive.writestr("a/data.pkl", forging.state())
    refuse(path, "names given twice")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", forging.state())
        archive.writestr("b/data.pkl", forging.state())
    refuse(path, "2 descriptions")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a/data.pkl", forging.state())
    refuse(path, "oddly packed")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", forging.state())
        archive.writestr("a/constants.pkl", b"")
    refuse(path, "TorchScript")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", b"")
    refuse(path, "without weights")


SAFETENSORS = {
    "a header beyond the file": (safetensors({}, length=2**39), "impossible length"),
    "cut off": (safetensors({"a": one()}, bytes(7)), "does not fit"),
    "overlap": (safetensors({"a": one(), "b": one(offsets=(4, 12))}, bytes(12)), "overlap"),
    "another size": (safetensors({"a": one(shape=(3,))}, bytes(8)), "does not fit"),
    "backwards": (safetensors({"a": one(offsets=(8, 0))}, bytes(8)), "does not fit"),
    "a giant shape": (safetensors({"a": one(shape=(2**40, 2**40))}, bytes(8)), "impossible size"),
    "a shape of text": (safetensors({"a": one(shape=("2",))}, bytes(8)), "impossible shape"),
    "an unknown type": (safetensors({"a": one(dtype="F4")}, bytes(8)), "not supported"),
    "a type that is a list": (safetensors({"a": one(dtype=[])}, bytes(8)), "not supported"),
    "no offsets": (safetensors({"a": {"dtype": "F32"}}, bytes(8)), "says too little"),
    "deep": (safetensors(b'{"a":' + b"[" * 100_000), "cannot be read"),
    "names given twice": (safetensors(b'{"a": 1, "a": 2}'), "cannot be read"),
    "a long number": (safetensors(b'{"a": ' + b"9" * 10_000 + b"}"), "cannot be read"),
}


@pytest.mark.parametrize("case", SAFETENSORS)
def test_safetensors_that_do_not_fit(tmp_path, case):
    content, said = SAFETENSORS[case]
    _, peak = refuse(forging.write(tmp_path / "a.safetensors", content), said)
    assert peak < 2**23


NPZ = {
    "another size": (npz(a=npy(shape="(3,)")), "does not have the size"),
    "a giant shape": (npz(a=npy(shape="(99999999999999999999999,)")), "impossible size"),
    "objects": (npz(a=npy(descr="|O")), "no array of numbers"),
    "code in the header": (npz(a=npy(extra="'x': __import__('os')")), "no array of numbers"),
    "a header beyond the entry": (npz(a=npy()[:20]), "no array of numbers"),
    "no array": (npz(a=b"hello"), "is no array"),
}


@pytest.mark.parametrize("case", NPZ)
def test_npz_that_do_not_fit(tmp_path, case):
    content, said = NPZ[case]
    _, peak = refuse(forging.write(tmp_path / "a.npz", content), said)
    assert peak < 2**20
