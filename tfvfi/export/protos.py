"""The messages of TensorFlow Serving that the client uses, defined by their field numbers.

The official Python package requires one exact version of TensorFlow; these few messages require
only protobuf. Protobuf ignores unknown fields that a server adds.
"""

from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "tfvfi.serving"
_KINDS = {
    name: getattr(descriptor_pb2.FieldDescriptorProto, f"TYPE_{name.upper()}")
    for name in ("int32", "int64", "string", "bytes", "float")
}
# Message -> field -> (number, kind or message, whether it repeats).
_MESSAGES: dict[str, dict[str, tuple[int, str, bool]]] = {
    "Dimension": {"size": (1, "int64", False)},
    "Shape": {"dim": (2, "Dimension", True)},
    "Tensor": {
        "dtype": (1, "int32", False),
        "tensor_shape": (2, "Shape", False),
        "tensor_content": (4, "bytes", False),
        "float_val": (5, "float", True),
        "int_val": (7, "int32", True),
        "string_val": (8, "bytes", True),
    },
    "Int64Value": {"value": (1, "int64", False)},
    "ModelSpec": {
        "name": (1, "string", False),
        "version": (2, "Int64Value", False),
        "signature_name": (3, "string", False),
    },
    # A protobuf map is a repeated message of key and value.
    "NamedTensor": {"key": (1, "string", False), "value": (2, "Tensor", False)},
    "PredictRequest": {"model_spec": (1, "ModelSpec", False), "inputs": (2, "NamedTensor", True)},
    "PredictResponse": {"outputs": (1, "NamedTensor", True)},
    "PredictLog": {"request": (1, "PredictRequest", False)},
    "PredictionLog": {"predict_log": (6, "PredictLog", False)},
}
# TensorFlow's DataType numbers.
FLOAT, UINT8, STRING = 1, 4, 7
DTYPES = {FLOAT: np.dtype("float32"), UINT8: np.dtype("uint8"), STRING: np.dtype(object)}


def predict_request(
    model: str, signature: str, inputs: dict[str, np.ndarray], version: int | None = None
) -> Any:
    """A PredictRequest. Arrays of bytes objects become string tensors."""
    request = message("PredictRequest")
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    if version is not None:
        request.model_spec.version.value = version
    for key, value in inputs.items():
        request.inputs.add(key=key, value=to_tensor(value))
    return request


def to_tensor(array: np.ndarray) -> Any:
    """A Tensor message that holds an array."""
    array = np.asarray(array)
    number = next(key for key, dtype in DTYPES.items() if dtype == array.dtype)
    tensor = message("Tensor")
    tensor.dtype = number
    for side in array.shape:
        tensor.tensor_shape.dim.add(size=side)
    if number == STRING:
        tensor.string_val.extend(array.ravel().tolist())
    else:
        tensor.tensor_content = array.tobytes()
    return tensor


def from_tensor(tensor: Any) -> np.ndarray:
    """The array in a Tensor message, whichever field holds it."""
    shape = [dimension.size for dimension in tensor.tensor_shape.dim]
    if tensor.dtype not in DTYPES:
        raise ValueError(f"a tensor has the unknown TensorFlow type number {tensor.dtype}")
    dtype = DTYPES[tensor.dtype]
    if tensor.dtype == STRING:
        return np.array(list(tensor.string_val), object).reshape(shape)
    if tensor.tensor_content:
        return np.frombuffer(tensor.tensor_content, dtype).reshape(shape)
    values = np.array(tensor.float_val or tensor.int_val, dtype)
    # A single value stands for a tensor that is filled with it.
    return np.broadcast_to(values, shape) if values.size == 1 else values.reshape(shape)


def message(name: str) -> Any:
    """A new, empty message."""
    return message_class(name)()


def message_class(name: str) -> Any:
    """The class of a message."""
    return _CLASSES[name]


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="tfvfi/serving.proto", package=PACKAGE, syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        described = file.message_type.add(name=name)
        for field, (number, kind, repeated) in fields.items():
            entry = described.field.add(name=field, number=number, label=3 if repeated else 1)
            if kind in _KINDS:
                entry.type = _KINDS[kind]
            else:
                entry.type = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
                entry.type_name = f".{PACKAGE}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
        for name in _MESSAGES
    }


_CLASSES = _classes()
