"""Requests that TensorFlow Serving plays to a model as it loads it, so that no user waits.

The file is assets.extra/tf_serving_warmup_requests: TFRecords of PredictionLog.
"""

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from tfvfi.export import protos

FILE = Path("assets.extra", "tf_serving_warmup_requests")


def write(folder: Path, model: str, signatures: dict, sizes: Sequence[tuple[int, int]]) -> None:
    """Writes one request for every size and signature that takes frames as numbers.

    Args:
        folder: A SavedModel.
        model: The name it is served under.
        signatures: Its signatures by name.
        sizes: Heights and widths.
    """
    path = folder / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, door in signatures.items():
            for height, width in sizes if "frame0" in door.inputs else ():
                request = _request(model, name, door.inputs, height, width)
                writer.write(request.SerializeToString())


def _request(model: str, signature: str, inputs: dict, height: int, width: int) -> object:
    """A pair of grey frames; a tensor of one value takes a few bytes, whatever its size."""
    log = protos.message("PredictionLog")
    request = log.predict_log.request
    request.CopyFrom(protos.predict_request(model, signature, {}))
    for key, spec in inputs.items():
        tensor = request.inputs.add(key=key).value
        tensor.dtype = spec.dtype.as_datatype_enum
        for side in (1,) if key == "time" else (1, height, width, 3):
            tensor.tensor_shape.dim.add(size=side)
        values = tensor.int_val if spec.dtype == tf.uint8 else tensor.float_val
        values.append(128 if spec.dtype == tf.uint8 else 0.5)
    return log
