"""From a published checkpoint to a Keras weight file that says where it came from."""

from pathlib import Path
from typing import Any

from tfvfi import weights
from tfvfi.checkpoints.reader import read
from tfvfi.errors import InputError
from tfvfi.models.index import preset
from tfvfi.models.loading import build
from tfvfi.models.preset import Checkpoint, Preset
from tfvfi.porting.port import port, rules_of


def convert(
    model_name: str,
    checkpoint: str | Path,
    output: str | Path,
    overwrite: bool = False,
    **options: Any,
) -> None:
    """Converts a checkpoint of PyTorch, TensorFlow, Keras 2, safetensors or .npz to Keras weights.

    The times that the weights answer are measured and stored with them.

    Args:
        model_name: One of `tfvfi.list_models()`.
        checkpoint: The published file, or the folder of a SavedModel.
        output: Ends in `.weights.h5`; it appears only when it is complete.
        overwrite: Replace an output that exists.
        **options: Arguments of the network that the weights were trained with; `tfvfi.load` uses
            them again. Those of published files are known by their names.

    Raises:
        InputError: The checkpoint cannot be read or is another network's, or the output is
            misnamed or exists.

    Example:
        >>> import os, tempfile
        >>> import numpy as np, tfvfi
        >>> from tfvfi import porting
        >>> folder = tempfile.mkdtemp()
        >>> np.savez(folder + "/other.npz", kernel=np.ones(3))
        >>> porting.convert("ifrnet_s", folder + "/other.npz", folder + "/a.weights.h5")
        Traceback (most recent call last):
        tfvfi.errors.InputError: ...
    """
    output = Path(output)
    weights.check_name(output)
    if output.exists() and not overwrite:
        raise InputError(f"{output} exists; choose another `output`, or pass `overwrite=True`")
    known, rules = preset(model_name), rules_of(model_name)
    found = read(checkpoint)
    published = _published(known, found.path, found.sha256)
    options = {**(published.options if published else {}), **options}
    model = build(model_name, **options)
    port(found.tensors, model, rules, source=str(checkpoint))
    if known.kind == "interpolator":
        model.measure_times()
    weights.save(
        model,
        output,
        origin=published.source if published else known.origin,
        checkpoint=published.file if published else found.path.name,
        sha256=found.sha256,
        licence=published.licence if published else known.licence,
        trained_on=published.trained_on if published else "unknown",
        options=options,
    )


def _published(known: Preset, path: Path, sha256: str) -> Checkpoint | None:
    """The published checkpoint of that content or name, which may have folders in front."""
    for one in known.checkpoints:
        if one.download and one.download.member_sha256 == sha256:
            return one
    parts = path.absolute().parts
    for one in known.checkpoints:
        name = Path(one.file).parts
        if parts[-len(name) :] == name:
            return one
    return None
