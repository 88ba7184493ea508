"""Preset folders: a network with its arguments and weights, in the layout of Keras Hub.

- config.json: the class and its arguments, from `keras.saving.serialize_keras_object`;
- model.weights.h5: the weights, from `tfvfi.weights`; absent for methods without weights;
- metadata.json: versions, the number of parameters, and the date of saving.
"""

import datetime
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfvfi import __version__, weights
from tfvfi.errors import InputError

if TYPE_CHECKING:
    from keras import Model

CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"
# The arguments of a network are short; a longer file cannot be a configuration.
LARGEST_CONFIG = 2**20


def save(model: "Model", folder: str | Path, overwrite: bool = False) -> None:
    """Writes a network to a folder, which appears only when it is complete.

    Args:
        model: A built network.
        folder: A new folder, or an empty one.
        overwrite: Whether to replace an existing preset folder.

    Raises:
        InputError: The folder holds something else, or must not be overwritten.
    """
    import keras

    folder = Path(folder)
    if folder.exists() and not (folder.is_dir() and _may_replace(folder, overwrite)):
        raise InputError(
            f"{folder} exists already; name another folder, or pass overwrite=True to replace a "
            "saved preset"
        )
    metadata = {
        "tfvfi_version": __version__,
        "keras_version": keras.version(),
        "parameter_count": model.count_params(),
        "date_saved": datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S"),
    }
    config = keras.saving.serialize_keras_object(model)
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f".{os.getpid()}-{folder.name}")
    aside.mkdir()
    try:
        (aside / METADATA).write_text(json.dumps(metadata, indent=2) + "\n")
        (aside / CONFIG).write_text(json.dumps(config, indent=2) + "\n")
        if model.weights:
            weights.save(model, aside / WEIGHTS)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def is_preset(folder: str | Path) -> bool:
    """Returns whether a path is a folder that holds a saved preset."""
    return (Path(folder) / CONFIG).is_file()


def read(folder: str | Path) -> tuple[str, dict[str, Any]]:
    """Reads the class of a saved network, as "module:Class", and its arguments.

    Raises:
        InputError: The file is damaged.
    """
    path = Path(folder) / CONFIG
    try:
        with path.open(encoding="utf-8") as file:
            config = json.loads(file.read(LARGEST_CONFIG))
        place, arguments = f"{config['module']}:{config['class_name']}", config["config"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        raise InputError(f"{path} is damaged: it describes no network; save the preset anew")
    return place, arguments


def weight_file(folder: str | Path) -> Path | None:
    """Returns the file of weights in a preset folder; None for a network without weights."""
    path = Path(folder) / WEIGHTS
    return path if path.exists() else None


def _may_replace(folder: Path, overwrite: bool) -> bool:
    """Returns whether an existing folder is empty or, to be overwritten, holds a preset only."""
    found = {path.name for path in folder.iterdir()}
    return not found or (overwrite and found <= {CONFIG, WEIGHTS, METADATA})
