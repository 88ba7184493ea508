"""Exports weights as a versioned SavedModel: traced, checked in a fresh process, then renamed."""

import dataclasses
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from tfvfi import registry
from tfvfi.errors import ArgumentError, InputError
from tfvfi.export import card, check, files, freeze, lite, onnx, stable, warm_up
from tfvfi.export.precision import PRECISIONS, policy
from tfvfi.export.signatures import Signature, core, signatures
from tfvfi.models.base import Network


@dataclasses.dataclass(frozen=True)
class Options:
    """What an export contains besides its signatures.

    Attributes:
        encoded_as: "png" or "jpeg" adds a signature that takes and returns files of images.
        precision: How weights are stored, or "mixed_bfloat16" to also compute in it.
        optimize: Freeze the weights into the graph where that is measurably faster.
        warm_up: Heights and widths that a server tries before it answers requests.
        lite: Height and width of a LiteRT file beside the SavedModel.
        onnx: Whether to add an ONNX file.
    """

    encoded_as: str | None = None
    precision: str = "float32"
    optimize: bool = False
    warm_up: Sequence[tuple[int, int]] = ()
    lite: tuple[int, int] | None = None
    onnx: bool = False


def export_model(
    model: str,
    output: str | Path,
    weights: str | Path | None = "default",
    options: Options = Options(),
    **network: Any,
) -> dict[str, Any]:
    """Exports a network as the next version below `output`.

    Args:
        model: One of `tfvfi.list_models()`.
        output: Folder of all versions, for instance saved_models/ifrnet_s; versions are 1, 2, ...
        weights: As `tfvfi.load` takes them.
        options: What the export contains.
        **network: Arguments of the network, as `tfvfi.load` takes them.

    Returns:
        The card of the export: where it is, what it takes, how it differs from Keras, how fast
        it is.

    Raises:
        InputError: The network cannot be expressed in stock operations, or the weights are
            missing or of another network.
    """
    output = Path(output)
    built = _load(model, weights, options, network)
    about = card.describe(built, weights, options, network)
    try:
        output.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".export-", dir=output))
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}") from None
    try:
        about |= _write(built, options, aside)
        if options.precision != "float32" and None not in (
            weights,
            network.get("flow_weights", ""),
        ):
            about["rounding"] = check.rounding(built, registry.load(model, weights, **network))
        card.write(aside, about)
        version = _publish(aside, output)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return {"folder": str(output / version), **about}


def _load(model: str, weight_file: Any, options: Options, network: dict[str, Any]) -> Network:
    if options.precision not in PRECISIONS:
        raise ArgumentError(
            f"`precision` is one of {', '.join(PRECISIONS)}. Received: {options.precision}"
        )
    if options.optimize and options.precision != "float32":
        raise ArgumentError(
            "frozen weights are float32; choose either `optimize` or "
            f"`precision={options.precision}`"
        )
    if options.encoded_as not in (None, *files.ENCODERS):
        raise ArgumentError(
            f"files are encoded as {', '.join(files.ENCODERS)}. Received: {options.encoded_as}"
        )
    if options.encoded_as and registry.preset(model).kind == "flow":
        raise ArgumentError(
            f"{model} estimates flow, which no image file holds; leave out `encoded`, or export "
            f"flow_interpolation with `flow={model}`"
        )
    if options.onnx:
        onnx.check_installed()
    if options.precision != "float32":
        network = _with_precision(network, options.precision)
    built = registry.load(model, weight_file, **network)
    if not built.traceable:
        raise InputError(
            f"{built.name} cannot be exported as it is: part of it is computed outside TensorFlow "
            "(DIS by OpenCV); export a network with weights, or flow_interpolation with "
            "`flow='pwcnet'` or another network"
        )
    return built


def _with_precision(network: dict[str, Any], precision: str) -> dict[str, Any]:
    """Arguments of a network, and of the flow estimator inside it, that set the precision."""
    dtype, flow = policy(precision), network.get("flow")
    if not isinstance(flow, str):
        return {"dtype": dtype, **network}
    estimator = registry.load(flow, network.get("flow_weights", "default"), dtype=dtype)
    others = {key: value for key, value in network.items() if key != "flow_weights"}
    return {**others, "dtype": dtype, "flow": estimator}


def _write(model: Network, options: Options, folder: Path) -> dict[str, Any]:
    """Fills the folder and returns a description of its contents."""
    about: dict[str, Any] = {}
    compute = core(model)
    if options.optimize:
        compute, about["freezing"] = freeze.where_faster(model, compute)
    doors = signatures(model, compute, options.encoded_as)
    about["signatures"] = card.tensors(doors)
    _save(model, doors, folder)
    if options.warm_up:
        warm_up.write(folder, model, doors, options.warm_up)
    about |= check.as_a_stranger(folder, model, options.encoded_as)
    if options.lite:
        about["lite"] = lite.write(folder, model, compute, options.lite)
    if options.onnx:
        about["onnx"] = onnx.write(folder, model, compute)
    return about


def _save(model: Network, doors: dict[str, Signature], folder: Path) -> None:
    module = tf.Module()
    # The model's order makes two exports of the same weights equal byte for byte.
    module.weights = [variable.value for variable in model.variables]
    functions = {key: door.function for key, door in doors.items()}
    # Served models are not trained, so gradients only take space.
    without_gradients = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    try:
        tf.saved_model.save(module, str(folder), functions, without_gradients)
    except (OSError, tf.errors.ResourceExhaustedError) as error:
        raise InputError(f"{folder.parent} cannot be written: {error}") from None
    stable.rewrite(folder)


def _publish(aside: Path, output: Path) -> str:
    """Renames the folder to the next free version. No version is ever replaced."""
    while True:
        taken = [int(path.name) for path in output.iterdir() if path.name.isdecimal()]
        version = str(max(taken, default=0) + 1)
        try:
            aside.chmod(0o755)
            aside.rename(output / version)
        except OSError:
            if not (output / version).exists():
                raise
        else:
            return version
