"""Looking into networks and what they export."""

import sys
from pathlib import Path
from typing import Any

import keras
import pytest
import tensorflow as tf
from tensorflow.core.framework import graph_pb2
from tensorflow.core.protobuf import saved_model_pb2


def pick(outputs: Any, name: str) -> Any:
    """An output by name; "levels/0" is the first of a list."""
    for part in name.split("/"):
        outputs = outputs[int(part)] if isinstance(outputs, list | tuple) else outputs[part]
    return outputs


def watch_flows(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Lets the operations of a package fail when they are given flow in half precision."""

    def watched(operation):
        def checked(values, flow, *args, **kwargs):
            assert keras.backend.standardize_dtype(flow.dtype) == "float32"
            return operation(values, flow, *args, **kwargs)

        return checked

    for module in [sys.modules[name] for name in sys.modules if name.startswith(package)]:
        for name in ("backward_warp", "splat", "softmax_splat"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, watched(getattr(module, name)))


def serving(model: Any) -> Any:
    """The main output as a `tf.function` of the inputs in their order, of any size."""
    signature = [
        tf.TensorSpec((None,) if name == "time" else (None, None, None, 3), name=name)
        for name in model.input_names
    ]

    def serve(*inputs: Any) -> Any:
        return model(dict(zip(model.input_names, inputs, strict=True)))[model.main_output]

    return tf.function(serve, input_signature=signature, autograph=False)


def operations(graph: graph_pb2.GraphDef) -> set[str]:
    """The types of all operations in a graph, its functions included."""
    nodes = list(graph.node)
    for function in graph.library.function:
        nodes.extend(function.node_def)
    return {node.op for node in nodes}


def exported_operations(path: Path) -> set[str]:
    """The types of all operations in a SavedModel."""
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    return set().union(*(operations(meta.graph_def) for meta in saved.meta_graphs))


def foreign(found: set[str]) -> set[str]:
    """Those that stock TensorFlow lacks, or that only this process can run."""
    ours = ("Tfvfi", "PyFunc", "EagerPyFunc")
    return {name for name in found if name.startswith(ours) or "XlaMustCompile" in name}
