"""The names that a pickle of weights may use, each of which stands for plain data."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from tfvfi.checkpoints.bounds import UnreadableError
from tfvfi.checkpoints.tensors import DTYPES, Storage, Tensor


class Name(str):
    """A name in a pickle, which is only ever looked up in `BUILDERS`."""

    __slots__ = ()


class NumpyType:
    """A NumPy dtype under construction, whose byte order follows later."""

    def __init__(self, text: Any):
        if not isinstance(text, str) or not re.fullmatch("[<>|=]?(f[248]|[iu][1248]|b1)", text):
            raise UnreadableError(f"holds numpy data of type {shown(text)}, which are no weights")
        self.dtype = np.dtype(text)

    def build(self, state: Any) -> None:
        """Sets the byte order."""
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise ValueError
        self.dtype = self.dtype.newbyteorder(state[1])


class NumpyArray:
    """A NumPy array under construction, whose data follow later."""

    def __init__(self) -> None:
        self.value = np.zeros(0)

    def build(self, state: Any) -> None:
        """Sets shape, type and data."""
        _, shape, kind, column_major, data = state
        order = "F" if column_major else "C"
        self.value = np.frombuffer(_bytes(data), kind.dtype).reshape(shape, order=order)


def _rebuild_tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Tensor:
    if not isinstance(storage, Storage):
        raise ValueError
    return Tensor(storage, storage.dtype, offset, size, stride)


def _rebuild_tensor_v3(
    storage: Any, offset: Any, size: Any, stride: Any, _grad: Any, _hooks: Any, dtype: Any, *_: Any
) -> Tensor:
    known = dtype.removeprefix("torch.") if isinstance(dtype, Name) else None
    if not isinstance(storage, Storage) or known not in DTYPES:
        raise ValueError
    return Tensor(storage, known, offset, size, stride)


def _first(value: Any, *_: Any) -> Any:
    return value


def _nothing(*_: Any) -> dict:
    """Returns an empty dict in place of bookkeeping that no weight depends on."""
    return {}


def _ordered_dict(pairs: Any = ()) -> dict:
    found: dict[str, Any] = {}
    for key, value in pairs.items() if isinstance(pairs, dict) else pairs:
        set_item(found, key, value)
    return found


def _numpy_scalar(kind: NumpyType, data: Any) -> int | float | bool:
    return np.frombuffer(_bytes(data), kind.dtype, count=1)[0].item()


def _encode(text: str, encoding: str = "") -> bytes:
    if encoding != "latin1":
        raise UnreadableError(
            f"encodes text as {shown(encoding)}, not needed to read weights; refused"
        )
    return text.encode("latin1")


STORAGES = {
    "Float": "float32",
    "Double": "float64",
    "Half": "float16",
    "BFloat16": "bfloat16",
    "Long": "int64",
    "Int": "int32",
    "Short": "int16",
    "Char": "int8",
    "Byte": "uint8",
    "Bool": "bool",
    "Untyped": "uint8",
}
# The type of a storage by each of its names.
STORAGE_TYPES = {f"torch.{name}Storage": dtype for name, dtype in STORAGES.items()} | {
    f"torch.storage.{name}Storage": dtype for name, dtype in STORAGES.items()
}

# The permitted names. Names with None cannot be called, only passed as arguments.
BUILDERS: dict[str, Callable[..., Any] | None] = {
    **dict.fromkeys(STORAGE_TYPES),
    **dict.fromkeys(f"torch.{dtype}" for dtype in DTYPES),
    "torch._utils._rebuild_tensor": _rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils._rebuild_tensor_v3": _rebuild_tensor_v3,
    "torch._utils._rebuild_parameter": _first,
    "torch._utils._rebuild_parameter_with_state": _first,
    "torch._utils._rebuild_device_tensor_from_numpy": _first,
    "torch.nn.parameter.Parameter": _first,
    "torch.Size": _first,
    "torch.device": _nothing,
    "collections.OrderedDict": _ordered_dict,
    "collections.Counter": _nothing,
    "collections.defaultdict": _nothing,
    "argparse.Namespace": _nothing,
    "builtins.set": _first,
    "__builtin__.set": _first,
    "builtins.dict": _nothing,
    "__builtin__.dict": _nothing,
    "numpy.dtype": lambda text, *_: NumpyType(text),
    "numpy.ndarray": None,
    "numpy.core.multiarray.scalar": _numpy_scalar,
    "numpy._core.multiarray.scalar": _numpy_scalar,
    "numpy.core.multiarray._reconstruct": lambda *_: NumpyArray(),
    "numpy._core.multiarray._reconstruct": lambda *_: NumpyArray(),
    "_codecs.encode": _encode,
}


def set_item(target: dict[str, Any], key: Any, value: Any) -> None:
    """Adds an entry to a dict if its key may name a weight."""
    # Weights are named by text and optimizer states by numbers; no other keys are needed.
    if isinstance(key, str | int | float):
        target[str(key)] = value


def _bytes(data: Any) -> bytes:
    return data.encode("latin1") if isinstance(data, str) else bytes(memoryview(data))


def shown(value: Any) -> str:
    """Returns text from a file in a form that is safe and short enough for a message."""
    text = value if isinstance(value, str) else type(value).__name__
    return "".join(letter if letter.isprintable() else "?" for letter in text[:100])
