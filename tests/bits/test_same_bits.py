"""The same call gives the same bits, whatever the number of threads and however busy the machine.

Processes with 1, 2 and 8 threads run at once, and so keep the machine busy for one another.
"""

import json
import subprocess
import sys
from pathlib import Path

import keras
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("graphs are rewritten by TensorFlow alone", allow_module_level=True)

WORKER = Path(__file__).parent / "worker.py"
THREADS = (1, 2, 8)
FLOWS = ("dis", "variational", "pwcnet")
NETWORKS = ("flow_interpolation", "exportable", "ifrnet_s", "softsplat", "superslomo")
STAGES = ("warp", "splat")
OPERATIONS = (
    "backward_warp",
    "forward_splat",
    "correlation",
    "separable_convolution",
    "local_convolution",
    "resize",
    "convolution",
    "deep_convolution",
    "narrow_convolution",
    "convolution_gradients",
    "census",
)


def differing(rounds: int, size: tuple[int, int], *stages: str) -> list[str]:
    """The stages that gave different bits in any two runs."""
    arguments = [str(number) for number in (rounds, *size)]
    workers = [
        subprocess.Popen(
            [sys.executable, str(WORKER), str(threads), *arguments, *stages],
            stdout=subprocess.PIPE,
            text=True,
        )
        for threads in THREADS
    ]
    found = [json.loads(worker.communicate()[0].splitlines()[-1]) for worker in workers]
    return [stage for stage in stages if len({bits for one in found for bits in one[stage]}) > 1]


def test_stages_and_operations():
    assert differing(3, (72, 104), "large_sum", "warp", *OPERATIONS, "dis") == []


@pytest.mark.slow
def test_stages_200_times_in_1280x720():
    assert differing(200, (720, 1280), "large_sum", *STAGES) == []


@pytest.mark.slow
def test_operations_200_times():
    assert differing(200, (360, 640), *OPERATIONS) == []


@pytest.mark.slow
def test_flows_200_times():
    assert differing(200, (180, 320), *FLOWS, "flow_interpolation", "exportable") == []


@pytest.mark.slow
def test_networks_200_times():
    assert differing(200, (72, 104), *NETWORKS) == []


@pytest.mark.slow
def test_flows_and_networks_in_1280x720():
    assert differing(2, (720, 1280), *FLOWS, *NETWORKS) == []
