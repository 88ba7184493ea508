"""Runs the tests' native operations in another process, which may be one of another processor.

It is loaded by `pytest -p tests.arm.plugin`. TFVFI_STAND_IN is the command that starts the process;
see `stand_in.cc`.
"""

import functools
import math
import os
import re
import shlex
import struct
import subprocess
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import tensorflow as tf

from tfvfi.ops.native import library


class Library:
    """The operations as functions, as in the module that TensorFlow makes of a library."""

    def __init__(self, command: list[str]):
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._lock = threading.Lock()
        self._gradients: dict[str, Callable] = {}
        for line in iter(self._process.stdout.readline, b"\n"):
            (name, *inputs), outputs = (
                half.split("\t") for half in line.decode().rstrip("\n").split("\t->\t")
            )
            types = [[term.split(": ")[1] for term in terms] for terms in (inputs, outputs)]
            operation = functools.partial(self._call, name, *types)
            setattr(self, re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(), operation)
        self._register_gradients()

    def _register_gradients(self) -> None:
        registered = tf.RegisterGradient
        tf.RegisterGradient = lambda name: functools.partial(self._gradients.__setitem__, name)
        library._register_gradients(self)
        tf.RegisterGradient = registered

    def _call(
        self, name: str, inputs: list[str], outputs: list[str], /, *values: Any, **attributes: Any
    ) -> Any:
        if inputs == ["types"]:  # One list of tensors of several types.
            (values,), inputs = values, ["T"] * len(values[0])
        tensors = [
            tf.convert_to_tensor(value, None if kind == "T" else kind)
            for value, kind in zip(values, inputs, strict=True)
        ]
        known = {"T": tensors[0].dtype, "type": attributes.get("type")}
        several = outputs == ["count * T"]  # One list.
        kinds = ["T"] * attributes["count"] if several else outputs
        types = [known.get(kind, kind) for kind in kinds]

        @tf.custom_gradient
        def operation(*tensors: tf.Tensor) -> tuple[Any, Callable]:
            run = functools.partial(self._run, name, attributes, len(types))
            eager = tf.executing_eagerly()
            results = run(*tensors) if eager else tf.py_function(run, tensors, types)

            def gradient(*upstream: tf.Tensor) -> list[tf.Tensor | None]:
                op = SimpleNamespace(inputs=tensors, outputs=results, get_attr=attributes.get)
                found = self._gradients[name](op, *upstream)
                return found if isinstance(found, (list, tuple)) else [found]

            return results, gradient

        results = operation(*tensors)
        return results[0] if len(outputs) == 1 and not several else results

    def _run(
        self, name: str, attributes: dict[str, Any], outputs: int, *tensors: tf.Tensor
    ) -> list[tf.Tensor]:
        request = [_text(name), _numbers(len(attributes))]
        for key, value in attributes.items():
            number = tf.as_dtype(value).as_datatype_enum if key == "type" else value
            request.append(_text(key) + _numbers(number))
        request.append(_numbers(outputs, len(tensors)))
        for tensor in tensors:
            kind, shape = tensor.dtype.as_datatype_enum, tensor.shape
            request += [_numbers(kind, len(shape), *shape), tensor.numpy().tobytes()]
        with self._lock:
            self._process.stdin.write(b"".join(request))
            self._process.stdin.flush()
            (length,) = self._read_numbers(1)
            if length:
                message = self._process.stdout.read(length).decode()
                raise tf.errors.InvalidArgumentError(None, None, message)
            return [self._read_tensor() for _ in range(outputs)]

    def _read_tensor(self) -> tf.Tensor:
        kind, rank = self._read_numbers(2)
        shape = self._read_numbers(rank)
        dtype = tf.dtypes.as_dtype(kind)
        data = self._process.stdout.read(math.prod(shape) * dtype.size)
        return tf.constant(np.frombuffer(data, dtype.as_numpy_dtype).reshape(shape))

    def _read_numbers(self, count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}q", self._process.stdout.read(8 * count))


def _text(text: str) -> bytes:
    return _numbers(len(text)) + text.encode()


def _numbers(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}q", *numbers)


_library = Library(shlex.split(os.environ["TFVFI_STAND_IN"]))
library.load = lambda: _library
