"""TensorFlow's `Example` message without TensorFlow: named lists of bytes, floats or integers."""

import functools
from collections.abc import Mapping, Sequence

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from tfvfi.data.tfrecord import CorruptRecordError

# The message has a name of our own because TensorFlow registers `tensorflow.Example` when it is
# imported later. The encoded bytes hold only the numbers of the fields, no names.
PACKAGE = "tfvfi.records"
Field = descriptor_pb2.FieldDescriptorProto


def encode(features: Mapping[str, Sequence]) -> bytes:
    """Encodes lists as a message; equal lists always give the same bytes.

    Args:
        features: Non-empty lists by name, each of bytes, floats or integers.

    Example:
        >>> decode(encode({"start": [7], "times": [0.0, 1.0], "source": [b"clip"]}))
        {'source': [b'clip'], 'start': [7], 'times': [0.0, 1.0]}
    """
    example = _example_class()()
    for name, values in features.items():
        feature = example.features.feature[name]
        getattr(feature, _kind(values)).value.extend(values)
    return example.SerializeToString(deterministic=True)


def decode(data: bytes) -> dict[str, list]:
    """Returns the lists of a message by name; raises `CorruptRecordError` if it is invalid."""
    try:
        example = _example_class().FromString(data)
    except DecodeError:
        raise CorruptRecordError("the record holds no tf.train.Example") from None
    features = example.features.feature
    return {name: _values(features[name]) for name in sorted(features)}


def _kind(values: Sequence) -> str:
    if isinstance(values[0], bytes):
        return "bytes_list"
    return "float_list" if isinstance(values[0], float) else "int64_list"


def _values(feature) -> list:
    kind = feature.WhichOneof("kind")
    return list(getattr(feature, kind).value) if kind else []


@functools.cache
def _example_class() -> type:
    file = descriptor_pb2.FileDescriptorProto(
        name="tfvfi/records.proto", package=PACKAGE, syntax="proto3"
    )
    for name, kind in (
        ("BytesList", Field.TYPE_BYTES),
        ("FloatList", Field.TYPE_FLOAT),
        ("Int64List", Field.TYPE_INT64),
    ):
        file.message_type.add(name=name).field.add(
            name="value", number=1, type=kind, label=Field.LABEL_REPEATED
        )
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, name in enumerate(("bytes_list", "float_list", "int64_list"), start=1):
        _message_field(feature, name, number, name.title().replace("_", ""), oneof_index=0)
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=Field.TYPE_STRING, label=Field.LABEL_OPTIONAL)
    _message_field(entry, "value", 2, "Feature")
    _message_field(features, "feature", 1, "Features.FeatureEntry", label=Field.LABEL_REPEATED)
    _message_field(file.message_type.add(name="Example"), "features", 1, "Features")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.Example"))


def _message_field(message, name: str, number: int, type_name: str, **options: int) -> None:
    settings = {"label": Field.LABEL_OPTIONAL, **options}
    message.field.add(
        name=name,
        number=number,
        type=Field.TYPE_MESSAGE,
        type_name=f".{PACKAGE}.{type_name}",
        **settings,
    )
