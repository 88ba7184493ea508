"""The export in a program that has no Python, as in TensorFlow Serving."""

import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf

import tfvfi

COMPILER = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")


# tests/export/test_saved_model.py looks for operations that stock TensorFlow lacks.
@pytest.mark.slow
@pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")
def test_a_program_in_cpp_gives_the_frame_of_the_model(exported, weight_file, triplet, tmp_path):
    program = tmp_path / "load_saved_model"
    installed = Path(tf.__file__).parent
    compile_it = [
        COMPILER, "-std=c++17", "-w", f"-I{installed}/include",
        str(Path(__file__).with_name("load_saved_model.cc")), "-o", str(program),
        f"-L{installed}", "-Wl,--no-as-needed", "-l:libtensorflow_cc.so.2",
        "-l:libtensorflow_framework.so.2", f"-Wl,-rpath,{installed}",
    ]  # fmt: skip
    subprocess.run(compile_it, check=True, capture_output=True)
    frame0, _, frame1 = (np.ascontiguousarray(frame[:101, :167]) for frame in triplet)
    for name, frame in (("a.png", frame0), ("b.png", frame1)):
        cv2.imwrite(str(tmp_path / name), frame[..., ::-1])
    arguments = [exported / "1", tmp_path / "a.png", tmp_path / "b.png", "0.5", tmp_path / "c.png"]
    subprocess.run([str(program), *map(str, arguments)], check=True, capture_output=True)
    written = cv2.imread(str(tmp_path / "c.png"))[..., ::-1]
    (wanted,) = tfvfi.load("ifrnet_s", weights=weight_file).interpolate(frame0, frame1)
    assert np.abs(written.astype(int) - wanted).max() <= 1
