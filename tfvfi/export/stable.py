"""Makes the same weights give the same bytes, whatever process exports them.

TensorFlow appends a number to every function name, which it increments as long as the process
lives, and gives each SavedModel a random identifier.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tensorflow.core.protobuf import fingerprint_pb2, saved_model_pb2
from tensorflow.python.saved_model import fingerprinting_utils

GIVEN_NAME = "_user_specified_name"
GRADIENT = "_gradient_op_type"
UNUSED = re.compile(r"_\d+(___redundant_placeholder)")


def rewrite(folder: Path) -> None:
    """Renumbers the functions of a SavedModel and derives its identifier from its content."""
    path = folder / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for graph in saved.meta_graphs:
        _number_functions(graph)
    path.write_bytes(saved.SerializeToString(deterministic=True))
    fingerprinting_utils.write_fingerprint(str(folder))
    path = folder / "fingerprint.pb"
    fingerprint = fingerprint_pb2.FingerprintDef.FromString(path.read_bytes())
    fingerprint.uuid = f"{fingerprint.saved_model_checksum}{fingerprint.checkpoint_hash}"
    path.write_bytes(fingerprint.SerializeToString(deterministic=True))


def _number_functions(graph: Any) -> None:
    functions = graph.graph_def.library.function
    functions.sort(key=lambda function: _split(function.signature.name)[1])
    names = {}
    for number, function in enumerate(functions):
        old = function.signature.name
        names[old] = function.signature.name = f"{_split(old)[0]}_{number}"
        # Captured weights and loop variables that a condition does not use carry such numbers,
        # too. Nothing refers to these names.
        for about in function.arg_attr.values():
            if about.attr[GIVEN_NAME].s.isdigit():
                del about.attr[GIVEN_NAME]
        for argument in function.signature.input_arg:
            argument.name = UNUSED.sub(r"\1", argument.name)
    for node in _nodes(graph.graph_def):
        node.op = names.get(node.op, node.op)
        # This number refers to a gradient that is not in the file.
        node.attr.pop(GRADIENT, None)
        for attribute in node.attr.values():
            # Reading a field that is not set would set it.
            called = [attribute.func] if attribute.HasField("func") else attribute.list.func
            for function in called:
                function.name = names.get(function.name, function.name)
    _rename_objects(graph.object_graph_def, names)


def _rename_objects(objects: Any, names: dict[str, str]) -> None:
    """Renames the functions in the description that Python loaders read."""
    for each in objects.nodes:
        if each.HasField("function"):
            each.function.concrete_functions[:] = [
                names[name] for name in each.function.concrete_functions
            ]
        if each.HasField("bare_concrete_function"):
            bare = each.bare_concrete_function
            bare.concrete_function_name = names[bare.concrete_function_name]
    described = {
        names[name]: about.SerializeToString() for name, about in objects.concrete_functions.items()
    }
    objects.concrete_functions.clear()
    for name, about in described.items():
        objects.concrete_functions[name].MergeFromString(about)


def _nodes(graph: Any) -> Iterator[Any]:
    yield from graph.node
    for function in graph.library.function:
        yield from function.node_def


def _split(name: str) -> tuple[str, int]:
    """A function's name and the number at its end."""
    base, _, number = name.rpartition("_")
    return base, int(number)
