"""TFVFI_NATIVE_ISA: every instruction set computes the same, and a wrong one is refused."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tfvfi import ops
from tfvfi.errors import InputError
from tfvfi.ops.convolution import fused_convolution, fused_large_convolution
from tfvfi.ops.native import library

if keras.backend.backend() != "tensorflow":
    pytest.skip("the native operations are not there", allow_module_level=True)

ROOT = Path(__file__).resolve().parents[2]


def compare(instruction_set: str) -> str:
    """Compares operations with their portable forms.

    Args:
        instruction_set: The value of TFVFI_NATIVE_ISA, which this process must not have used yet.

    Returns:
        "equal", or the message if the instruction set is refused.
    """
    os.environ["TFVFI_NATIVE_ISA"] = instruction_set
    try:
        assert ops.native_available()
    except InputError as error:
        return str(error)
    # These modules use the native operations, which fixes the instruction set.
    from tests.ops.conftest import assert_close
    from tests.ops.convolutions import arrays
    from tests.ops.test_convolution import exact, in_bfloat16
    from tests.ops.test_convolution_gradients import stock, worst
    from tests.ops.test_native_kernels import cases, of_training, results

    for channels in (3, 32):
        for operation, inputs in cases(9, 11, channels, 1).values():
            actual = results(operation, inputs)
            with ops.portable():
                expected = results(operation, inputs)
            for one, other in zip(actual, expected, strict=True):
                assert_close(one, other, 1e-4)
    image, *others = arrays(1, 9, 11, 40, 35)
    found = np.asarray(fused_convolution(*map(keras.ops.convert_to_tensor, (image, *others))))
    assert_close(found, exact(image, *others), 1e-5)
    actual = list(of_training(19))
    with ops.portable():
        expected = list(of_training(19, stock))
    assert max(worst(actual, expected)) < 1e-5
    image7, *others7 = arrays(1, 9, 11, 17, 35, kernel=7)
    large = fused_large_convolution(*map(keras.ops.convert_to_tensor, (image7, *others7)), 1)
    assert_close(large, exact(image7, *others7), 4e-5)
    found, image = in_bfloat16(fused_convolution, image, *others)
    error = np.sqrt(np.mean((found - exact(image, *others)) ** 2))
    # Only one instruction set rounds products.
    assert (error > 0.004) == (instruction_set == "avx512_bf16"), error
    return "equal"


def compare_all(*instruction_sets: str) -> None:
    """Prints the result for each, computed in a process of its own that imports little."""
    fork = multiprocessing.get_context("fork")
    for instruction_set in instruction_sets:
        with fork.Pool(1) as pool:
            print(instruction_set, pool.apply(compare, (instruction_set,)), sep=": ", flush=True)


@pytest.mark.parametrize(
    "instruction_sets",
    [("avx2",), pytest.param(library.INSTRUCTION_SETS, marks=pytest.mark.slow, id="all")],
)
def test_every_instruction_set_computes_the_same(instruction_sets):
    asked = [*instruction_sets, "sse"]
    code = f"from tests.ops.test_native_isa import compare_all; compare_all(*{asked})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert list(answers) == asked
    names = ", ".join(library.INSTRUCTION_SETS)
    assert answers["sse"].startswith(f"TFVFI_NATIVE_ISA is one of {names}, of which this processor")
    # A processor that lacks a set lacks all later ones.
    refused = [name for name in asked if answers[name].endswith(f"Received: {name!r}")]
    assert refused == asked[-len(refused) :]
    assert all(answers[name] == "equal" for name in asked if name not in refused)
