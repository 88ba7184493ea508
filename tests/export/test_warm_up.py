import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from tests.export.conftest import WARM_UP
from tfvfi import registry
from tfvfi.export import protos, warm_up
from tfvfi.export.signatures import FLOAT_PAIR, TIME, Signature


def test_requests_are_read_back(exported):
    path = exported / "1" / warm_up.FILE
    found = {}
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        assert len(record) < 700
        request = protos.message_class("PredictionLog").FromString(record).predict_log.request
        assert request.model_spec.name == "ifrnet_s"
        inputs = {
            entry.key: tf.make_ndarray(
                tensor_pb2.TensorProto.FromString(entry.value.SerializeToString())
            )
            for entry in request.inputs
        }
        found.setdefault(request.model_spec.signature_name, []).append(inputs)
    doors = tf.saved_model.load(str(exported / "1")).signatures
    assert set(found) == set(doors)
    for name, requests in found.items():
        for size, inputs in zip(WARM_UP, requests, strict=True):
            (answer,) = doors[name](**{k: tf.constant(v) for k, v in inputs.items()}).values()
            if name == "interpolate_encoded":
                answer = tf.io.decode_png(answer[0])[None]
            assert answer.shape == (1, *size, 3)


def test_requests_ask_for_a_time_that_the_weights_answer(tmp_path):
    model = registry.build("ifrnet_s", times=(0.25, 0.75))
    door = Signature(None, FLOAT_PAIR | TIME)
    warm_up.write(tmp_path, model, {"serving_default": door}, [(64, 96)])
    (record,) = tf.data.TFRecordDataset(str(tmp_path / warm_up.FILE)).as_numpy_iterator()
    log = protos.message_class("PredictionLog").FromString(record)
    (time,) = [e.value for e in log.predict_log.request.inputs if e.key == "time"]
    np.testing.assert_array_equal(protos.from_tensor(time), [0.25])
