"""What torch itself writes now, and reads back, in every form: for `make test-all`."""

from pathlib import Path

import numpy as np
import pytest

from tfvfi import checkpoints

pytestmark = pytest.mark.slow
GOLDEN = Path(__file__).parent.parent / "golden" / "checkpoints"


def as_numpy(tensor):
    import torch

    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).detach().numpy()


def check(path, expected):
    found = checkpoints.read(path).tensors
    assert list(found) == list(expected)
    for key, tensor in expected.items():
        np.testing.assert_array_equal(found[key], as_numpy(tensor), err_msg=key)
        assert found[key].dtype == as_numpy(tensor).dtype, key


@pytest.mark.parametrize("form", ["zip", "legacy"])
@pytest.mark.parametrize("name", ["state", "parallel"])
def test_the_files_kept_here(name, form):
    import torch

    path = GOLDEN / f"{name}_{form}.pth"
    expected = torch.load(path, weights_only=True)
    if "state_dict" in expected:
        expected = {
            key.removeprefix("module."): value for key, value in expected["state_dict"].items()
        }
    check(path, expected)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("is_zip", [True, False])
def test_a_network_saved_and_read_back(tmp_path, is_zip, protocol):
    import torch

    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3),
        torch.nn.BatchNorm2d(8),
        torch.nn.PReLU(8),
        torch.nn.ConvTranspose2d(8, 2, 4, bias=False),
        torch.nn.LSTM(4, 4),
    )
    saved = network.state_dict()
    saved["0.half"] = saved["0.weight"].half()[:, 1:]
    saved["0.brain"] = saved["0.weight"].bfloat16().permute(1, 2, 3, 0)
    if is_zip:
        # Torch cannot read this from its older form.
        saved["0.unsigned"] = torch.arange(5).to(torch.uint16)
    path = tmp_path / "a.pth"
    torch.save(
        {"epoch": 3, "state_dict": saved},
        path,
        _use_new_zipfile_serialization=is_zip,
        pickle_protocol=protocol,
    )
    # Torch's own guarded unpickler knows the older protocols only.
    check(path, torch.load(path, weights_only=True)["state_dict"] if protocol < 4 else saved)
    assert checkpoints.read(path).extras == {"epoch": 3}


def test_safetensors_saved_and_read_back(tmp_path):
    import torch
    from safetensors.torch import load_file, save_file

    path = tmp_path / "a.safetensors"
    save_file({"a": torch.randn(3, 4).bfloat16(), "b": torch.tensor([True, False])}, path)
    expected = load_file(path)
    found = checkpoints.read(path).tensors
    assert set(found) == set(expected)
    for key, tensor in expected.items():
        np.testing.assert_array_equal(found[key], as_numpy(tensor))
