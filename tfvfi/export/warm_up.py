"""Requests that TensorFlow Serving runs while it loads a model, so that no user waits for it.

The file is assets.extra/tf_serving_warmup_requests: TFRecords of PredictionLog. A failing request
would keep the server from loading the model, so each one uses a time that the weights answer.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfvfi.export import files, protos
from tfvfi.models.base import Network

FILE = Path("assets.extra", "tf_serving_warmup_requests")
GREY = {tf.float32: 0.5, tf.uint8: 128}


def write(folder: Path, model: Network, doors: dict, sizes: Sequence[tuple[int, int]]) -> None:
    """Writes one request for every size and signature.

    Args:
        folder: A SavedModel.
        model: Its network.
        doors: Its signatures by name.
        sizes: Heights and widths.
    """
    path = folder / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, door in doors.items():
            for height, width in sizes:
                if "frame0" in door.inputs or height * width <= files.MOST_PIXELS:
                    request = _request(model, signature, door.inputs, height, width)
                    writer.write(request.SerializeToString(deterministic=True))


def _request(model: Network, signature: str, inputs: dict, height: int, width: int) -> Any:
    """A pair of grey frames, at a time that the weights answer."""
    log = protos.message("PredictionLog")
    request = log.predict_log.request
    request.CopyFrom(protos.predict_request(model.name, signature, {}))
    for key, spec in inputs.items():
        tensor = request.inputs.add(key=key).value
        if key == "time":
            tensor.CopyFrom(protos.to_tensor(np.float32([_time(model)])))
        elif spec.dtype == tf.string:
            tensor.CopyFrom(protos.to_tensor(np.array([_file(height, width)], object)))
        else:
            tensor.CopyFrom(_one_value(spec.dtype, (1, height, width, 3)))
    return log


def _one_value(dtype: tf.DType, shape: Sequence[int]) -> Any:
    """A grey tensor that takes a few bytes, whatever its size."""
    tensor = protos.message("Tensor")
    tensor.dtype = dtype.as_datatype_enum
    for side in shape:
        tensor.tensor_shape.dim.add(size=side)
    values = tensor.int_val if dtype == tf.uint8 else tensor.float_val
    values.append(GREY[dtype])
    return tensor


def _file(height: int, width: int) -> bytes:
    return tf.io.encode_png(
        tf.fill([height, width, 3], tf.constant(GREY[tf.uint8], tf.uint8))
    ).numpy()


def _time(model: Network) -> float:
    return 0.5 if model.times == "any" or 0.5 in model.times else model.times[0]
