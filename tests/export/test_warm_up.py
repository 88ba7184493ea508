import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from tests.export.conftest import WARM_UP
from tfvfi.export import protos, warm_up


def test_requests_are_read_back(exported):
    path = exported / "1" / warm_up.FILE
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(path))]
    found = {}
    for record in records:
        assert len(record) < 300
        request = protos.message_class("PredictionLog").FromString(record).predict_log.request
        assert request.model_spec.name == "ifrnet_s"
        inputs = {
            entry.key: tf.make_ndarray(
                tensor_pb2.TensorProto.FromString(entry.value.SerializeToString())
            )
            for entry in request.inputs
        }
        assert set(inputs) == {"frame0", "frame1", "time"} and inputs["time"].shape == (1,)
        key = request.model_spec.signature_name, inputs["frame0"].shape[1:3]
        found[key] = inputs
    doors = tf.saved_model.load(str(exported / "1")).signatures
    assert set(found) == {
        (name, size) for name in ("serving_default", "interpolate_uint8") for size in WARM_UP
    }
    for (name, size), inputs in found.items():
        tensors = {key: tf.constant(value) for key, value in inputs.items()}
        assert doors[name](**tensors)["frame"].shape == (1, *size, 3)
