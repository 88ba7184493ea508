"""Converts a published checkpoint to a Keras weight file that records its origin."""

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

    The times that the weights support are measured and stored with them.

    Args:
        model_name: One of `tfvfi.list_models()`.
        checkpoint: The published file, or the folder of a SavedModel.
        output: The file to write, which must end in `.weights.h5`. It appears only when it is
            complete.
        overwrite: Whether to replace an existing output.
        **options: Arguments of the network that the weights were trained with, which `tfvfi.load`
            will use again. Those of published files are known.

    Raises:
        InputError: The checkpoint cannot be read or belongs to another network, or the output has
            the wrong suffix or already exists.

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
    """Returns the published checkpoint with this content, or whose file name ends this path."""
    for one in known.checkpoints:
        if one.download and one.download.member_sha256 == sha256:
            return one
    parts = path.absolute().parts
    for one in known.checkpoints:
        name = Path(one.file).parts
        if parts[-len(name) :] == name:
            return one
    return None
