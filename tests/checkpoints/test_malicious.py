"""Pickles that would run code are refused by the name they use, and nothing has run.

Each would make a folder. That it does in Python's own unpickler is shown as well, so these tests
can fail.
"""

import os
import pickle
import sys
from pathlib import Path

import pytest

from tests.checkpoints import forging
from tfvfi import checkpoints
from tfvfi.errors import InputError

MKDIR = f"{os.mkdir.__module__}.mkdir"


class Reduce:
    """Runs a function as it is unpickled."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


class Trap:
    """Runs its state as it is built."""

    def __setstate__(self, state):
        os.mkdir(state["marker"])


# So that Python's unpickler finds it under this name.
sys.modules.setdefault("checkpoint_trap", sys.modules[__name__])
Trap.__module__ = "checkpoint_trap"


def trap(marker):
    built = Trap()
    built.marker = marker
    return built


def text(marker: str) -> bytes:
    return b"V" + marker.encode() + b"\n"


def stacked(*names: str) -> bytes:
    encoded = [name.encode() for name in names]
    return b"".join(b"\x8c" + bytes([len(name)]) + name for name in encoded) + b"\x93"


MODULE = os.mkdir.__module__
# What -> (the pickle for a marker, the name it is refused by).
ATTACKS = {
    "reduce": (lambda m: pickle.dumps(Reduce(os.mkdir, m), 2), MKDIR),
    "reduce, protocol 0": (lambda m: pickle.dumps(Reduce(os.mkdir, m), 0), MKDIR),
    "reduce, protocol 5": (lambda m: pickle.dumps(Reduce(os.mkdir, m), 5), MKDIR),
    "eval": (
        lambda m: pickle.dumps(Reduce(eval, f"__import__('os').mkdir({m!r})"), 2),
        "builtin",
    ),
    "build": (lambda m: pickle.dumps(trap(m), 2), "checkpoint_trap.Trap"),
    "build, protocol 4": (lambda m: pickle.dumps(trap(m), 4), "checkpoint_trap.Trap"),
    "in a list in a dict": (
        lambda m: pickle.dumps({"state_dict": {}, "optimizer": [Reduce(os.mkdir, m)]}, 2),
        MKDIR,
    ),
    "nested name": (
        lambda m: b"\x80\x04" + stacked("shutil", "os.mkdir") + text(m) + b"\x85R.",
        "shutil.os.mkdir",
    ),
    "stacked name": (
        lambda m: b"\x80\x04" + stacked("os", "mkdir") + text(m) + b"\x85R.",
        "os.mkdir",
    ),
    "INST": (lambda m: b"(" + text(m) + b"i" + MODULE.encode() + b"\nmkdir\n.", MKDIR),
    "OBJ": (lambda m: b"(" + forging.name(MODULE, "mkdir") + text(m) + b"o.", MKDIR),
    "attribute by attribute": (
        lambda m: (
            forging.name("builtins", "getattr")
            + b"("
            + forging.name("os", "path")
            + b"Vos\ntR0"
            + forging.name("os", "mkdir")
            + b"("
            + text(m)
            + b"tR."
        ),
        "builtins.getattr",
    ),
}
# Attacks that need torch, or an unpickler that is not strict, to do harm.
STRANGE = {
    "walk from torch": (b"\x80\x04" + stacked("torch", "serialization.os.system") + b".", "os.sys"),
    "walk from _utils": (b"\x80\x04" + stacked("torch._utils", "os.system") + b".", "_utils.os"),
    "any codec": (
        forging.name("_codecs", "encode") + b"(Vx\nVzip\ntR.",
        "encodes text as zip",
    ),
    "extension": (b"\x80\x02\x82\x01.", "instruction 0x82"),
    "buffer out of band": (b"\x80\x05\x97.", "instruction 0x97"),
    "text id": (b"Pstorage\n.", "instruction 0x50"),
    "calls a type": (forging.name("torch", "FloatStorage") + b")R.", "calls torch.FloatStorage"),
    "look-alike": (b"\x80\x04" + stacked("torch._utils", "_rebu\u0456ld_tensor") + b".", "_rebu"),
    "line break": (b"\x80\x04" + stacked("torch", "a\nb" * 60) + b".", r"torch\.a\?b"),
}


@pytest.mark.parametrize("form", forging.FORMS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_are_refused_and_do_nothing(tmp_path, form, attack):
    make, said = ATTACKS[attack]
    marker = tmp_path / "marker"
    path = forging.write(tmp_path / "a.pth", forging.FORMS[form](make(str(marker))))
    with pytest.raises(InputError) as error:
        checkpoints.read(path)
    assert f"{path} refers to " in str(error.value) and said in str(error.value)
    assert "refused, nothing was run" in str(error.value)
    assert not marker.exists()


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_attacks_are_real(tmp_path, attack):
    marker = tmp_path / "marker"
    pickle.loads(ATTACKS[attack][0](str(marker)))
    assert marker.is_dir()


@pytest.mark.parametrize("form", forging.FORMS)
@pytest.mark.parametrize("attack", STRANGE)
def test_strange_names_and_instructions_are_refused(tmp_path, form, attack):
    content, said = STRANGE[attack]
    path = forging.write(tmp_path / "a.pth", forging.FORMS[form](content))
    with pytest.raises(InputError, match=said) as error:
        checkpoints.read(path)
    assert "refused" in str(error.value) and len(str(error.value)) < 400
    assert str(error.value).isprintable()


@pytest.mark.parametrize("place", range(4))
def test_every_pickle_of_the_older_form_is_guarded(tmp_path, place):
    evil = pickle.dumps(Reduce(os.mkdir, str(tmp_path / "marker")), 2)
    whole = forging.legacy_form(b"\x80\x02}.")
    ends = [end + 1 for end in range(len(whole)) if whole[end : end + 3] == b".\x80\x02"]
    start = [0, *ends][place]
    path = forging.write(tmp_path / "a.pth", whole[:start] + evil + whole[start:])
    with pytest.raises(InputError, match=f"refers to {MKDIR}"):
        checkpoints.read(path)
    assert not (tmp_path / "marker").exists()


def test_entries_of_an_archive_never_become_paths(tmp_path, monkeypatch):
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    secret = forging.write(tmp_path / "secret", bytes(24))
    for key in ("../../../secret", str(secret)):
        description = forging.state(a=forging.tensor(key=key))
        path = forging.write(tmp_path / "a.pth", forging.zip_form(description))
        with pytest.raises(InputError, match="lacks data"):
            checkpoints.read(path)
        # An entry of such a name is an entry, and nothing else.
        path = forging.write(tmp_path / "b.pth", forging.zip_form(description, {key: b"\1" * 24}))
        assert checkpoints.read(path).tensors["a"].any()
    assert sorted(os.listdir(tmp_path)) == ["a.pth", "b.pth", "inside", "secret"]
    assert not os.listdir(Path.cwd())
