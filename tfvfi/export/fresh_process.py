"""A script for a fresh process: loads a SavedModel as a server would.

    python fresh_process.py SAVED_MODEL INPUTS.npz OUTPUTS.npz

Neither Keras nor tfvfi can be imported here, which proves that the export does not need them. The
script writes the outputs of the signature for each case in INPUTS. It prints, as JSON, the
operations, those that stock TensorFlow does not know, and the median seconds of a call.
"""

import json
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    # Hide them, and the files beside this one, before TensorFlow is imported.
    sys.modules["keras"] = sys.modules["tfvfi"] = None
    sys.path[:] = [path for path in sys.path if Path(path) != Path(__file__).parent]

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework import op_def_registry

# How many calls are timed, and after how many seconds timing stops.
CALLS, SECONDS = 5, 10


def main(folder: str, inputs: str, outputs: str) -> None:
    """Answers all cases and prints facts about the model."""
    operations = operations_of(folder)
    loaded = tf.saved_model.load(folder)
    found, seconds = {}, {}
    with np.load(inputs) as cases:
        for name in sorted({key.split("/")[0] for key in cases}):
            signature = str(cases[f"{name}/signature"])
            function = loaded.signatures[signature]
            keys = function.structured_input_signature[1]
            tensors = {key: tf.constant(cases[f"{name}/{key}"]) for key in keys}
            for key, value in function(**tensors).items():
                array = value.numpy()
                # Files are objects to NumPy, which would pickle them.
                found[f"{name}/{key}"] = array.astype("S") if array.dtype == object else array
            seconds[name] = median_seconds(function, tensors)
    np.savez(outputs, **found)
    unknown = [name for name in operations if op_def_registry.get(name) is None]
    print(json.dumps({"operations": operations, "unknown": unknown, "seconds": seconds}))


def operations_of(folder: str) -> list[str]:
    """The names of all operations in the graph and in its functions."""
    saved = saved_model_pb2.SavedModel.FromString(Path(folder, "saved_model.pb").read_bytes())
    names = set()
    for graph in (one.graph_def for one in saved.meta_graphs):
        names |= {node.op for node in graph.node}
        for function in graph.library.function:
            names |= {node.op for node in function.node_def}
    return sorted(names)


def median_seconds(function: object, tensors: dict) -> float:
    """The median time of a call."""
    taken: list[float] = []
    while len(taken) < CALLS and sum(taken) < SECONDS:
        start = time.perf_counter()
        function(**tensors)
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


if __name__ == "__main__":
    main(*sys.argv[1:])
