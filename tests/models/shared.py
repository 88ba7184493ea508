"""What every network must do. Its tests inherit `InterpolatorCase` or `FlowEstimatorCase`.

A network's own test class names a preset and gives its golden arrays:

    class TestMyNet(InterpolatorCase):
        preset = "mynet"

        def golden(self):
            model = seeded("mynet", "mynet/manifest.json")
            arrays = golden_arrays("mynet/outputs.npz")
            yield Golden(model, {"frame0": arrays["a"], ...}, {"frame": (arrays["out"], 2e-5)})
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfvfi
from tests.golden.seeded import seeded_state
from tests.models.looking import (
    exported_operations,
    foreign,
    operations,
    pick,
    serving,
    watch_flows,
)
from tests.pictures import texture
from tfvfi import registry, weights
from tfvfi.errors import InputError
from tfvfi.models import objectives
from tfvfi.porting import port, rules_of

GOLDEN = Path(__file__).parent.parent / "golden"


class Golden(NamedTuple):
    """A reference: what goes in, and what comes out as name -> (array, difference allowed)."""

    model: Any
    inputs: Mapping[str, np.ndarray]
    outputs: Mapping[str, tuple[np.ndarray, float]]


def golden_arrays(file: str) -> dict[str, np.ndarray]:
    """The arrays of a file in tests/golden; those of four dimensions turned from NCHW to NHWC."""
    with np.load(GOLDEN / file) as arrays:
        return {name: channels_last(arrays[name]) for name in arrays}


def channels_last(array: np.ndarray) -> np.ndarray:
    """NCHW to NHWC."""
    return np.ascontiguousarray(np.moveaxis(array, 1, -1)) if array.ndim == 4 else array


def seeded(preset: str, manifest: str, **options: Any) -> Any:
    """A network with the weights that the reference had, ported by their published names."""
    model = registry.build(preset, **options)
    spec = json.loads((GOLDEN / manifest).read_text())
    port(seeded_state(spec["manifest"], spec["seed"]), model, rules_of(preset))
    return model


def named_variables(model: Any) -> dict[str, Any]:
    """Every variable by its name inside the network."""
    return {weights.variable_name(variable): variable for variable in model.weights}


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio of frames in [0, 1], in dB."""
    return float(-10 * np.log10(np.mean((a.astype("float64") - b) ** 2)))


class NetworkCase:
    """What interpolators and flow estimators share; inherit one of the two below.

    Attributes:
        preset: What to build.
        options: Arguments beside the preset's, for instance a smaller network.
        size: A height and width that the network takes as they are, as small as it can do with.
        trained_size: A size that its objective takes, where `size` is none.
        output: Its main output.
        unreached: Names of weights that its output does not depend on.
        exact: How the names of layers begin that are float32 under any policy.
        half_width: Of frames in half precision; at 2,048 a bfloat16 moves in steps of 16 pixels.
    """

    preset = ""
    options: Mapping[str, Any] = {}
    size = (64, 96)
    trained_size: tuple[int, int] | None = None
    output = ""
    unreached: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    half_width = 2048

    def golden(self) -> Iterator[Golden]:
        """Reference arrays, computed by the published network."""
        raise NotImplementedError

    def inputs(self, model: Any, size: tuple[int, int] | None = None, batch: int = 1) -> dict:
        """Two frames that differ, in a batch also in brightness, and a time where one is taken."""
        size = size or self.size
        frames = [
            np.concatenate([texture(*size, shift, seed) / (1 + seed) for seed in range(batch)])
            for shift in (0.0, 1.5)
        ]
        found = dict(zip(("frame0", "frame1"), frames, strict=True))
        if "time" in model.input_names:
            times = (0.5,) if model.times != "any" else (0.25, 0.5, 0.75)
            found["time"] = np.resize(np.array(times, "float32"), batch)
        return found

    @classmethod
    def build(cls, **more: Any) -> Any:
        """A fresh network, the same at every call."""
        keras.utils.set_random_seed(5)
        return registry.build(cls.preset, **{**cls.options, **more})

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls) -> Any:
        """The fresh network that tests share and leave as it is."""
        return cls.build()

    @pytest.fixture(scope="class")
    @classmethod
    def loaded(cls, model, tmp_path_factory) -> tuple[Any, list[np.ndarray]]:
        """The shared network, saved and loaded by Keras, and the weights that it had then."""
        path = tmp_path_factory.mktemp("keras") / "model.keras"
        model.save(path)
        network = keras.saving.load_model(path)
        return network, network.get_weights()

    @pytest.fixture
    @classmethod
    def twin(cls, model, loaded) -> Any:
        """Another network of the same configuration and weights, which tests may replace."""
        loaded[0].set_weights(model.get_weights())
        return loaded[0]

    @pytest.fixture(scope="class")
    @classmethod
    def cases(cls) -> list[Golden]:
        """The reference arrays with their networks."""
        return list(cls().golden())

    @pytest.fixture(params=["native", "portable"])
    def form(self, request) -> Iterator[None]:
        """Runs a test with compiled operations (where there are some) and with stock ones."""
        portable = request.param == "portable"
        with tfvfi.ops.portable() if portable else contextlib.nullcontext():
            yield

    def test_golden_arrays(self, cases, form):
        for case in cases:
            found = case.model(case.inputs)
            for name, (expected, tolerance) in case.outputs.items():
                output = np.asarray(pick(found, name))
                assert output.shape == expected.shape
                worst = np.abs(output - expected).max()
                assert worst <= tolerance, f"{case.model.name} {name}: {worst:.2e} > {tolerance}"

    def test_keras_saves_and_loads_it(self, model, loaded):
        assert type(loaded[0]) is type(model)
        for ours, theirs in zip(loaded[1], model.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)

    def test_config_builds_the_same_network(self, model, twin):
        assert twin.built and twin.get_config() == model.get_config()
        assert weights.variable_shapes(twin) == weights.variable_shapes(model)
        assert len(weights.variable_shapes(model)) == len(model.weights)

    def test_saved_weights_give_the_same_again(self, model, twin, tmp_path):
        path = tmp_path / "fresh.weights.h5"
        weights.save(model, path)
        inputs = self.inputs(model)
        expected = np.asarray(model(inputs)[self.output])
        twin.set_weights([0 * values for values in twin.get_weights()])
        assert np.abs(np.asarray(twin(inputs)[self.output]) - expected).max() > 0
        weights.load(twin, path)
        np.testing.assert_array_equal(np.asarray(twin(inputs)[self.output]), expected)

    def test_layers_are_registered_and_come_back_from_their_configs(self, model):
        for cls in {type(layer) for layer in model._flatten_layers()}:
            if not cls.__module__.startswith("keras."):
                name = keras.saving.get_registered_name(cls)
                assert name.startswith("tfvfi") and keras.saving.get_registered_object(name) is cls
        for layer in model.layers:
            kept = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
            again = keras.saving.deserialize_keras_object(kept)
            shapes = [tuple(weight.shape) for weight in layer.weights]
            assert [tuple(weight.shape) for weight in again.weights] == shapes, layer.path

    # Fast in tests/models/test_ifrnet.py.
    @pytest.mark.slow
    def test_a_preset_folder_gives_the_same_network(self, model, tmp_path):
        model.save_to_preset(tmp_path / "preset")
        again = type(model).from_preset(tmp_path / "preset")
        assert again.get_config() == model.get_config()
        for ours, theirs in zip(again.weights, model.weights, strict=True):
            np.testing.assert_array_equal(ours, theirs)

    def test_its_papers_objective_trains_it(self, twin):
        batch = self.batch(twin)
        objective = registry.preset(self.preset).objectives[0]
        terms = objectives.build(objective, {})(twin, batch)[1]
        assert terms and set(terms) <= set(objective.terms)
        twin.compile(run_eagerly=True)
        before = twin.get_weights()
        history = twin.fit(batch, batch_size=1, verbose=0).history
        measured = ("psnr", "ssim") if self.output == "frame" else ("endpoint_error",)
        assert set(history) == {"loss", *terms, *measured}
        assert all(np.isfinite(values).all() for values in history.values())
        assert any((old != new).any() for old, new in zip(before, twin.get_weights(), strict=True))
        assert twin.get_compile_config()["loss"]["registered_name"] == "tfvfi>ObjectiveLoss"

    def batch(self, model: Any) -> dict[str, np.ndarray]:
        """One example to learn from, with the truth, as small as the network takes it."""
        inputs = self.inputs(model, size=self.trained_size or self.size)
        if self.output == "flow":
            return inputs | {"flow": np.ones((*inputs["frame0"].shape[:3], 2), "float32")}
        return inputs | {"target": (inputs["frame0"] + inputs["frame1"]) / 2}

    def test_the_summary_shows_shapes(self, model, monkeypatch):
        monkeypatch.setenv("COLUMNS", "200")
        lines: list[str] = []
        model.summary(line_length=190, print_fn=lambda text, **_: lines.append(text))
        table = "\n".join(lines)
        for layer in model.layers:
            assert f"{layer.name} ({type(layer).__name__})" in table
        assert "?" not in table and "(None, " in table
        assert f"Total params: {model.count_params():,}" in table

    def test_gradients_reach_every_weight(self, model):
        inputs = self.inputs(model)
        with tf.GradientTape() as tape:
            output = model(inputs, training=True)[self.output]
            noise = np.random.default_rng(1).standard_normal(output.shape).astype("float32")
            loss = tf.reduce_sum(output * noise)
        gradients = tape.gradient(loss, model.trainable_variables)
        without = {
            weights.variable_name(variable)
            for variable, gradient in zip(model.trainable_variables, gradients, strict=True)
            if gradient is None or not np.abs(gradient).max() > 0
        }
        assert without == set(self.unreached)
        assert all(np.isfinite(gradient).all() for gradient in gradients if gradient is not None)

    def test_a_batch_equals_its_examples(self, model):
        inputs = self.inputs(model, batch=2)
        together = np.asarray(model(inputs)[self.output])
        for at in range(2):
            alone = model({key: value[at : at + 1] for key, value in inputs.items()})
            np.testing.assert_allclose(np.asarray(alone[self.output])[0], together[at], atol=2e-5)

    # Fast in test_ifrnet.py and test_pwcnet.py.
    @pytest.mark.slow
    def test_a_portable_graph_has_stock_operations_and_equals_native(self, model):
        """The graph of all sizes that an export holds."""
        inputs = self.inputs(model)
        with tfvfi.ops.portable():
            graph = serving(model).get_concrete_function()
        assert not foreign(operations(graph.graph.as_graph_def()))
        found = np.asarray(graph(*map(tf.constant, inputs.values())))
        np.testing.assert_allclose(found, np.asarray(model(inputs)[self.output]), atol=5e-5)

    # Fast in tests/export for an interpolator and a flow estimator.
    @pytest.mark.slow
    def test_exports_with_stock_operations(self, model, tmp_path):
        archive = keras.export.ExportArchive()
        archive.track(model)
        with tfvfi.ops.portable():
            serve = serving(model)
            archive.add_endpoint(
                "serve", serve.python_function, input_signature=serve.input_signature
            )
            archive.write_out(str(tmp_path), verbose=False)
        assert not foreign(exported_operations(tmp_path / "saved_model.pb"))
        inputs = self.inputs(model, size=(self.size[0], 2 * self.size[1]))
        reloaded = tf.saved_model.load(str(tmp_path))
        served = np.asarray(reloaded.serve(*inputs.values()))
        expected = np.asarray(model(inputs)[self.output])
        np.testing.assert_allclose(served, expected, atol=1e-4)

    # Fast in test_ifrnet.py and test_pwcnet.py.
    @pytest.mark.slow
    @pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
    def test_half_precision_keeps_coordinates(self, model, policy, monkeypatch):
        half = self.build(dtype=policy)
        watch_flows(monkeypatch, type(model).__module__.rpartition(".")[0])
        half.set_weights(model.get_weights())
        for layer in half._flatten_layers(include_self=False):
            expected = "float32" if layer.name.startswith(self.exact) else policy
            assert layer.dtype_policy.name == expected, layer.path
        wide = (self.size[0], -(-self.half_width // half.multiple) * half.multiple)
        inputs = self.inputs(model, size=wide)
        output = half(inputs)[self.output]
        assert keras.backend.standardize_dtype(output.dtype) == "float32"
        self.check_half(np.asarray(output), np.asarray(model(inputs)[self.output]))

    def check_half(self, half: np.ndarray, full: np.ndarray) -> None:
        """Compares outputs in half precision and in float32."""
        raise NotImplementedError

    def test_wrong_inputs_are_refused(self, model):
        good = self.inputs(model)
        frame = good["frame0"]
        wrong = [
            {key: value for key, value in good.items() if key != "frame1"},
            {**good, "frame0": frame[0]},
            {**good, "frame0": frame[..., :2], "frame1": frame[..., :2]},
            {**good, "frame0": np.concatenate([frame, frame])},
        ]
        if model.multiple > 1:
            wrong.append({**good, "frame0": frame[:, 1:], "frame1": frame[:, 1:]})
        for inputs in wrong:
            with pytest.raises(InputError, match=r"Received: "):
                model(inputs)


class InterpolatorCase(NetworkCase):
    """What every interpolator must do.

    Attributes:
        half_psnr: The least PSNR in dB between frames in half precision and in float32.
    """

    output = "frame"
    half_psnr = 45.0

    def check_half(self, half: np.ndarray, full: np.ndarray) -> None:
        """Compares frames."""
        assert psnr(half, full) > self.half_psnr
        right = slice(-full.shape[2] // 8, None)
        assert psnr(half[:, :, right], full[:, :, right]) > self.half_psnr - 2

    def times(self, model: Any) -> tuple[float, ...]:
        """Times that the network answers itself."""
        return (0.25, 0.5, 0.75) if model.times == "any" else model.times

    @pytest.mark.parametrize(
        "size", [(61, 97), (1, 1), pytest.param((19, 140), marks=pytest.mark.slow)]
    )
    def test_any_size_by_padding_and_cropping(self, model, size):
        a, b = texture(*size)[0], texture(*size, 1.5)[0]
        (frame,) = model.interpolate(a, b, times=self.times(model)[:1])
        assert frame.shape == a.shape and frame.dtype == a.dtype and np.isfinite(frame).all()
        padded = [np.asarray(model.pad(keras.ops.convert_to_tensor(each[None]))) for each in (a, b)]
        time = np.array(self.times(model)[:1], "float32")
        whole = model({"frame0": padded[0], "frame1": padded[1], "time": time})["frame"]
        top, _, left, _ = model.padding(*size)
        inside = np.asarray(whole)[0, top : top + size[0], left : left + size[1]]
        np.testing.assert_allclose(frame, np.clip(inside, 0, 1), atol=2e-5)

    def test_times_in_one_batch_equal_one_by_one(self, model):
        a, b = (texture(*self.size, shift)[0] for shift in (0, 1.5))
        times = self.times(model)
        together = model.interpolate(a, b, times=times)
        for time, frame in zip(times, together, strict=True):
            np.testing.assert_allclose(model.interpolate(a, b, times=(time,))[0], frame, atol=2e-5)


class FlowEstimatorCase(NetworkCase):
    """What every flow estimator must do.

    Attributes:
        half_pixels: The largest mean difference between flow in half precision and in float32.
    """

    output = "flow"
    half_pixels = 0.1

    def check_half(self, half: np.ndarray, full: np.ndarray) -> None:
        """Compares flows."""
        assert np.abs(half - full).mean() < self.half_pixels
        right = slice(-full.shape[2] // 8, None)
        assert np.abs(half - full)[:, :, right].mean() < 1.5 * self.half_pixels

    @pytest.mark.parametrize("size", [(61, 97), (19, 140)])
    def test_any_size_by_resizing(self, model, size):
        a, b = texture(*size)[0], texture(*size, 1.5)[0]
        flow = model.estimate(a, b)
        assert flow.shape == (*size, 2) and flow.dtype == np.float32 and np.isfinite(flow).all()
        expected = np.asarray(model.flow_at_any_size(a[None], b[None]))[0]
        np.testing.assert_allclose(flow, expected, atol=1e-4 * max(1.0, np.abs(expected).max()))

    def test_a_size_that_fits_is_taken_as_it_is(self, model):
        inputs = self.inputs(model)
        flow = model.estimate(inputs["frame0"][0], inputs["frame1"][0])
        expected = np.asarray(model(inputs)["flow"])[0]
        np.testing.assert_allclose(flow, expected, atol=1e-4 * max(1.0, np.abs(expected).max()))
