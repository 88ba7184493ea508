"""Weights in, a versioned SavedModel folder out: traced, checked by a stranger, then renamed."""

import dataclasses
import datetime
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import fingerprint_pb2

from tfvfi import registry
from tfvfi.errors import InputError
from tfvfi.export import card, check, freeze, lite, onnx, warm_up
from tfvfi.export.precision import PRECISIONS, policy
from tfvfi.export.signatures import core, signatures
from tfvfi.models.base import Network


@dataclasses.dataclass(frozen=True)
class Options:
    """What an export may have besides its signatures.

    Attributes:
        encoded_as: "png" or "jpeg" adds a signature that takes and returns files of images.
        precision: How weights are stored, or "mixed_bfloat16" to compute in it, too.
        optimize: Freeze the weights into the graph where that is measurably faster.
        warm_up: Heights and widths that a server shall try before it answers.
        lite: Height and width of a LiteRT file beside the SavedModel.
        onnx: Whether there is an ONNX file, too.
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
        options: What the export shall have.
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
    output.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".export-", dir=output))
    try:
        about = _write(built, model, weights, options, aside)
        version = _publish(aside, output)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return {"folder": str(output / version), **about}


def _load(model: str, weight_file: Any, options: Options, network: dict[str, Any]) -> Network:
    if options.precision not in PRECISIONS:
        raise InputError(
            f"precision is one of {', '.join(PRECISIONS)}. Received: {options.precision}"
        )
    if options.optimize and options.precision != "float32":
        raise InputError(
            f"frozen weights are float32; choose optimize or precision {options.precision}"
        )
    if options.onnx:
        onnx.check_installed()
    if options.precision != "float32":
        network = {"dtype": policy(options.precision), **network}
    built = registry.load(model, weight_file, **network)
    if not built.traceable:
        raise InputError(
            f"{built.name} cannot be exported as it is: part of it is computed outside TensorFlow "
            "(DIS by OpenCV); export a network with weights, or flow_interpolation with "
            "--flow=pwcnet or another network"
        )
    return built


def _write(
    model: Network, name: str, weight_file: Any, options: Options, folder: Path
) -> dict[str, Any]:
    """Fills the folder and returns the card."""
    compute, freezing = core(model), None
    if options.optimize:
        compute, freezing = freeze.where_faster(compute)
    doors = signatures(model, compute, options.encoded_as)
    module = tf.Module()
    # In the model's order, so that two exports of the same weights are the same bytes.
    module.weights = [variable.value for variable in model.variables]
    functions = {key: door.function for key, door in doors.items()}
    # Nobody trains through a served model.
    without_gradients = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(folder), functions, without_gradients)
    _name_by_content(folder)
    if options.warm_up:
        warm_up.write(folder, name, doors, options.warm_up)
    about = {
        **card.describe(model, name, weight_file, options, doors),
        **({"freezing": freezing} if freezing else {}),
        **check.as_a_stranger(folder, model),
        "made": datetime.date.today().isoformat(),
    }
    if options.lite:
        about["lite"] = lite.write(folder, name, model, compute, options.lite)
    if options.onnx:
        about["onnx"] = onnx.write(folder, name, model, compute)
    card.write(folder, about)
    return about


def _name_by_content(folder: Path) -> None:
    """Replaces the random name in the fingerprint by one that follows from the content."""
    path = folder / "fingerprint.pb"
    fingerprint = fingerprint_pb2.FingerprintDef.FromString(path.read_bytes())
    fingerprint.uuid = f"{fingerprint.saved_model_checksum}{fingerprint.checkpoint_hash}"
    path.write_bytes(fingerprint.SerializeToString(deterministic=True))


def _publish(aside: Path, output: Path) -> str:
    """Renames the folder to the next free version; no version is ever replaced."""
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
