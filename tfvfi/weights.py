"""Keras weight files that know whose they are: saved aside and renamed, checked before loading.

A file is what `keras.Model.save_weights` writes, with one attribute more: the network's name, the
times that the weights answer, where they came from, and the name and shape of every variable.
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
    """Writes the weights of a network; the file appears only when it is complete.

    Args:
        model: A built network.
        path: Ends in `.weights.h5`.
        half: Keep 16 bits of every number, for a file of half the size; it is loaded as any other.
        **origin: What else the file should tell: checkpoint, SHA-256, licence, metrics.

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
    """Fills a network from a file, after its names and shapes were checked.

    Args:
        model: A built network.
        path: A file that `save` or plain Keras wrote.
        keep_times: Leave `model.times` as it is; otherwise it becomes what the weights answer.

    Raises:
        InputError: The file is missing, damaged, or of another network; the sentence says what
            differs.
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
    """What a weight file tells of itself; {} for one that plain Keras wrote."""
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
    """Refuses a name that Keras would not write weights to."""
    if not str(path).endswith(SUFFIX):
        raise InputError(f"weights are written to a file ending in {SUFFIX}; received {path}")


def check_readable(path: str | Path) -> None:
    """Refuses, in one sentence, what is no Keras weight file."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no weight file {path}")
    if not path.name.endswith(SUFFIX):
        raise InputError(
            f"{path} is not a Keras weight file (*{SUFFIX}); "
            "a PyTorch checkpoint becomes one by tools/convert_checkpoint.py"
        )


def variable_shapes(model: "Model") -> dict[str, list[int]]:
    """Name (without the model's own) and shape of every variable."""
    return {variable_name(variable): list(variable.shape) for variable in model.weights}


def variable_name(variable: Any) -> str:
    """A variable's path inside its network."""
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
    """The sorted shapes of all arrays; links and arrays that lead out of the file are refused.

    What the optimizer of a compiled model keeps is left out.
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
    """Leaves out what an optimizer keeps, and rounds every array to 16 bits where asked to."""
    arrays: dict[str, Any] = {}

    def keep(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith(f"{OPTIMIZER}/"):
            arrays[name] = item[()].astype("float16") if half else item[()]

    with h5py.File(path, "r") as file:
        if not half and OPTIMIZER not in file:
            return
        file.visititems(keep)
    # Written anew: HDF5 does not give back the room of what is deleted.
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array


def _open(path: str | Path) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except OSError:
        raise InputError(f"{path} is no HDF5 file, or a damaged one; convert it anew") from None
