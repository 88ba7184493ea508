"""Our operations against arrays that tensorflow-addons 0.23 left on TensorFlow 2.15."""

import numpy as np
import pytest

from tests.gradients import value_and_gradients
from tests.ops.conftest import GOLDEN, assert_close
from tfvfi.errors import InputError
from tfvfi.evaluation import addons

ARRAYS = GOLDEN.parent / "addons" / "addons.npz"


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    with np.load(ARRAYS) as file:
        return dict(file)


def test_dense_image_warp(form, arrays):
    inputs = [arrays["warp_image"], arrays["warp_flow"]]
    out, gradients = value_and_gradients(addons.dense_image_warp, inputs, arrays["warp_upstream"])
    assert_close(out, arrays["warp_out"], 1e-5)
    assert_close(gradients[0], arrays["warp_d_image"], 1e-5)
    assert_close(gradients[1], arrays["warp_d_flow"], 1e-5)


@pytest.mark.parametrize("case", ["pwcnet", "flownet2", "window"])
def test_correlation_cost(form, arrays, case):
    parts = {key.removeprefix(f"correlation_{case}_"): value for key, value in arrays.items()}
    out, gradients = value_and_gradients(
        lambda a, b: addons.correlation(a, b, parts["arguments"]),
        [parts["a"], parts["b"]],
        parts["upstream"],
    )
    assert_close(out, parts["out"], 1e-5)
    loss = np.sum(parts["out"] * parts["upstream"])
    for name, gradient in zip("ab", gradients, strict=True):
        # The output is linear in each map, so that map times its gradient is the loss. Theirs
        # fails that with a window, and is then no reference.
        np.testing.assert_allclose(np.sum(parts[name] * gradient), loss, rtol=1e-4)
        if case != "window":
            assert_close(gradient, parts[f"d_{name}"], 1e-5)


def test_windows_elsewhere_are_refused():
    a = np.zeros((1, 6, 8, 4), "float32")
    with pytest.raises(InputError, match="Received: 3"):
        addons.correlation(a, a, (1, 4, 1, 1, 3))


def test_files_of_another_kind_are_refused(tmp_path):
    file = tmp_path / "arrays.npz"
    with pytest.raises(InputError, match="there is no array file"):
        addons.report(file)
    file.touch()
    with pytest.raises(InputError, match="is empty"):
        addons.report(file)
    np.save(tmp_path / "one.npy", np.ones(3))
    with pytest.raises(InputError, match=r"one\.npy"):
        addons.report(tmp_path / "one.npy")
    np.savez(file, kernel=np.ones(3))
    with pytest.raises(InputError, match="holds no results of tensorflow-addons"):
        addons.report(file)
