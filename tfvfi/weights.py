"""Saves and loads Keras weight files that describe their content.

A file is what `keras.Model.save_weights` writes plus one attribute, which holds the name of the
network, the times that the weights support, their origin, and the name and shape of every
variable. Files are written atomically and checked before they are loaded.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py

from tfvfi import __version__
from tfvfi.errors import InputError

if TYPE_CHECKING:
    from keras import Model

SUFFIX = ".weights.h5"
ATTRIBUTE = "tfvfi"
# The group in which Keras keeps the state of a compiled model's optimizer.
OPTIMIZER = "optimizer"


def save(model: "Model", path: str | Path, half: bool = False, **origin: Any) -> None:
    """Writes the weights of a network to a file, which appears only when it is complete.

    Args:
        model: A built network.
        path: The file to write, which must end in `.weights.h5`.
        half: Whether to store every value in 16 bits, which halves the size of the file. Such a
            file is loaded like any other.
        **origin: Further entries of the description, such as checkpoint, SHA-256, licence or
            metrics.

    Raises:
        InputError: The path does not end in `.weights.h5`.

    Example:
        >>> import tempfile, tfvfi
        >>> path = tempfile.mkdtemp() + "/fresh.weights.h5"
        >>> tfvfi.weights.save(tfvfi.load("ifrnet_s", weights=None), path, origin="fresh")
        >>> tfvfi.weights.describe(path)["model"]
        'ifrnet_s'
    """
    path = Path(path)
    check_name(path)
    about = {
        "model": model.name,
        "tfvfi": __version__,
        "times": getattr(model, "times", None),
        **origin,
        "variables": variable_shapes(model),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        model.save_weights(aside, overwrite=True)
        _rewrite(aside, half)
        with h5py.File(aside, "r+") as file:
            file.attrs[ATTRIBUTE] = json.dumps(about)
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def load(model: "Model", path: str | Path, keep_times: bool = False) -> None:
    """Loads weights into a network after checking their names and shapes.

    Args:
        model: A built network.
        path: A file written by `save` or by plain Keras.
        keep_times: Whether to leave `model.times` unchanged. Otherwise it is set to the times that
            the weights support.

    Raises:
        InputError: The file is missing, damaged, or belongs to another network. The message states
            the differences.
    """
    check_readable(path)
    about = describe(path)
    _check_variables(model, Path(path), about)
    try:
        model.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} does not hold the weights of {model.name}: {reason}") from None
    if about.get("times") is not None and not keep_times:
        model.times = about["times"] if about["times"] == "any" else tuple(about["times"])


def describe(path: str | Path) -> dict[str, Any]:
    """Returns the description in a weight file.

    Args:
        path: A file written by `save` or by plain Keras.

    Returns:
        The description, which is empty for a file written by plain Keras.

    Raises:
        InputError: The file is missing or damaged, or is not a Keras weight file.
    """
    check_readable(path)
    with _open(path) as file:
        text = file.attrs.get(ATTRIBUTE, "{}")
    try:
        about = json.loads(text)
    except (TypeError, ValueError):
        about = None
    if not isinstance(about, dict):
        raise InputError(f"{path} is damaged: its description cannot be read; convert it anew")
    return about


def check_name(path: str | Path) -> None:
    """Raises `InputError` for a file name that Keras does not accept for weights."""
    if not str(path).endswith(SUFFIX):
        raise InputError(f"weights are written to a file ending in {SUFFIX}; received {path}")


def check_readable(path: str | Path) -> None:
    """Raises `InputError` if there is no such file or its name is not that of Keras weights."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no weight file {path}")
    if not path.name.endswith(SUFFIX):
        raise InputError(
            f"{path} is not a Keras weight file (*{SUFFIX}); "
            "a PyTorch checkpoint becomes one by tools/convert_checkpoint.py"
        )


def variable_shapes(model: "Model") -> dict[str, list[int]]:
    """Returns the shape of every variable by its path inside the network."""
    shapes = [list(variable.shape) for variable in model.weights]
    names = [variable_name(variable) for variable in model.weights]
    if len(set(names)) < len(names):
        # Networks inside one network may share names; their own names distinguish them.
        names = [variable.path for variable in model.weights]
    return dict(zip(names, shapes, strict=True))


def variable_name(variable: Any) -> str:
    """Returns the path of a variable inside its network."""
    return variable.path.partition("/")[2]


def _check_variables(model: "Model", path: Path, about: dict[str, Any]) -> None:
    expected = variable_shapes(model)
    stored = about.get("variables")
    if isinstance(stored, dict) and stored != expected:
        differ = [
            f"{name} is {stored.get(name, 'missing')} there and {shape or 'unknown'} here"
            for name, shape in {**dict.fromkeys(stored), **expected}.items()
            if stored.get(name) != shape
        ]
        whose = about.get("model", "another network")
        raise InputError(
            f"{path} holds weights of {whose}, which differ from {model.name} in {len(differ)} "
            f"variables ({'; '.join(differ[:3])}); load them as the model they belong to"
        )
    found = _dataset_shapes(path)
    if found != sorted(map(tuple, expected.values())):
        raise InputError(
            f"{path} does not hold the weights of {model.name}: it has {len(found)} arrays, of "
            f"which some differ in shape from the {len(expected)} expected"
        )


def _dataset_shapes(path: Path) -> list[tuple[int, ...]]:
    """Returns the sorted shapes of all arrays, except for the state of an optimizer.

    Links, and arrays that are stored outside the file, raise `InputError`.
    """
    shapes = []

    def visit(group: h5py.Group) -> None:
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise InputError(f"{path} is refused: {name} is a link to elsewhere")
            item = group[name]
            if isinstance(item, h5py.Group):
                visit(item)
            elif item.external or item.is_virtual:
                raise InputError(f"{path} is refused: {name} is kept outside the file")
            elif item.dtype.kind == "f" and not item.name.startswith(f"/{OPTIMIZER}/"):
                shapes.append(tuple(item.shape))

    with _open(path) as file:
        visit(file)
    return sorted(shapes)


def _rewrite(path: Path, half: bool) -> None:
    """Removes the state of an optimizer and, if `half`, rounds every array to 16 bits."""
    arrays: dict[str, Any] = {}

    def keep(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith(f"{OPTIMIZER}/"):
            arrays[name] = item[()].astype("float16") if half else item[()]

    with h5py.File(path, "r") as file:
        if not half and OPTIMIZER not in file:
            return
        file.visititems(keep)
    # The file is rewritten because HDF5 does not free the space of deleted objects.
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array


def _open(path: str | Path) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except OSError:
        raise InputError(f"{path} is no HDF5 file, or a damaged one; convert it anew") from None
