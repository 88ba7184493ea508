"""The client against servers that check what it sends."""

import base64
import contextlib
import http.server
import json
import os
import threading
import time
from concurrent import futures

import cv2
import grpc
import numpy as np
import pytest
import tensorflow as tf

from tfvfi.errors import InputError
from tfvfi.export import protos
from tfvfi.export.client import PREDICT, Server, rest_body


@pytest.fixture
def pair(tmp_path, triplet):
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path, frame in zip(paths, (triplet[0], triplet[2]), strict=True):
        cv2.imwrite(str(path), frame[:40, :56, ::-1])
    return paths


@contextlib.contextmanager
def rest_server(answer):
    """Gives `answer(path, body) -> (status, object)` for every request; yields url and requests."""
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append((self.path, body))
            status, content = answer(self.path, body)
            content = json.dumps(content).encode()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        server.server_close()


def test_files_are_sent_as_the_documented_request(pair):
    image = cv2.imencode(".png", np.full((4, 5, 3), 7, np.uint8))[1].tobytes()
    outputs = [{"b64": base64.b64encode(image).decode()}]
    with rest_server(lambda *_: (200, {"outputs": outputs})) as (url, requests):
        assert Server(url, "ifrnet_s", version=3).interpolate(*pair, 0.25) == image
    ((path, body),) = requests
    assert path == "/v1/models/ifrnet_s/versions/3:predict"
    encoded = [base64.b64encode(path.read_bytes()).decode() for path in pair]
    assert body.decode() == (
        '{"signature_name":"interpolate_encoded","inputs":{'
        f'"frame0_bytes":[{{"b64":"{encoded[0]}"}}],"frame1_bytes":[{{"b64":"{encoded[1]}"}}],'
        '"time":[0.25]}}'
    )


def test_pixels_are_sent_as_the_documented_request(pair):
    frame = np.arange(2 * 3 * 3).reshape(2, 3, 3).tolist()
    with rest_server(lambda *_: (200, {"outputs": [frame]})) as (url, requests):
        png = Server(url, "m").interpolate(*pair, 0.5, "interpolate_uint8")
    written = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    np.testing.assert_array_equal(written, frame)
    ((path, body),) = requests
    assert path == "/v1/models/m:predict"
    sent = json.loads(body)
    assert sent["signature_name"] == "interpolate_uint8" and sent["inputs"]["time"] == [0.5]
    first = cv2.imread(str(pair[0]))[..., ::-1]
    np.testing.assert_array_equal(sent["inputs"]["frame0"], first[None])


def test_a_body_is_small_json():
    body = rest_body("interpolate_uint8", {"frame0": np.zeros((1, 1, 2, 3), np.uint8)})
    assert body == (
        b'{"signature_name":"interpolate_uint8","inputs":{"frame0":[[[[0,0,0],[0,0,0]]]]}}'
    )


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (404, "Servable not found for request: Latest(m)", "serves no model m"),
        (400, 'Serving signature name: "interpolate_encoded" not found', "export it with --enc"),
        (413, "Request Entity Too Large", "too large"),
        (400, "frames of two sizes", "frames of two sizes"),
    ],
)
def test_a_refusal_is_told_with_what_to_do(pair, status, error, said):
    with (
        rest_server(lambda *_: (status, {"error": error})) as (url, requests),
        pytest.raises(InputError, match=said),
    ):
        Server(url, "m").interpolate(*pair, 0.5)
    assert len(requests) == 1


def test_an_answer_that_is_none_is_told(pair):
    with (
        rest_server(lambda *_: (200, ["hello"])) as (url, _),
        pytest.raises(InputError, match="not that of a predict request"),
    ):
        Server(url, "m").interpolate(*pair, 0.5)


def test_a_busy_server_is_asked_again(pair):
    outputs = [{"b64": base64.b64encode(b"image").decode()}]
    answers = iter([(503, {}), (503, {}), (200, {"outputs": outputs})])
    with rest_server(lambda *_: next(answers)) as (url, requests):
        assert Server(url, "m").interpolate(*pair, 0.5) == b"image"
    assert len(requests) == 3


def test_a_silent_server_is_given_up(pair):
    def sleep(*_):
        time.sleep(1)
        return 200, {}

    with (
        rest_server(sleep) as (url, _),
        pytest.raises(InputError, match=r"does not answer .* asked 2 times"),
    ):
        Server(url, "m", timeout=0.1, retries=1).interpolate(*pair, 0.5)


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_no_server_is_told(pair, scheme):
    with pytest.raises(InputError, match="does not answer"):
        Server(f"{scheme}://127.0.0.1:9", "m", timeout=2, retries=0).interpolate(*pair, 0.5)


@pytest.mark.parametrize("url", ["localhost:8501", "ftp://host", "http://"])
def test_a_url_of_another_kind_is_refused(pair, url):
    with pytest.raises(InputError, match=r"a server is http://"):
        Server(url, "m").interpolate(*pair, 0.5)


def test_a_missing_image_is_told(tmp_path, pair):
    with pytest.raises(InputError, match="cannot be read"):
        Server("http://127.0.0.1:9", "m").interpolate(tmp_path / "no.png", pair[1], 0.5)


@contextlib.contextmanager
def grpc_server(folder):
    """Serves an export by the official method name, as "ifrnet_s"."""
    signatures = tf.saved_model.load(str(folder)).signatures

    def predict(request, context):
        if request.model_spec.name != "ifrnet_s":
            context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found")
        inputs = {
            entry.key: tf.constant(protos.from_tensor(entry.value)) for entry in request.inputs
        }
        response = protos.message("PredictResponse")
        for key, value in signatures[request.model_spec.signature_name](**inputs).items():
            response.outputs.add(key=key, value=protos.to_tensor(value.numpy()))
        return response

    _, service, method = PREDICT.split("/")
    handler = grpc.unary_unary_rpc_method_handler(
        predict,
        request_deserializer=protos.message_class("PredictRequest").FromString,
        response_serializer=lambda message: message.SerializeToString(),
    )
    server = grpc.server(
        futures.ThreadPoolExecutor(2), options=[("grpc.max_receive_message_length", 2**16)]
    )
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(service, {method: handler})]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"grpc://127.0.0.1:{port}"
    finally:
        server.stop(None)


def test_an_export_answers_over_grpc(exported, pair, tmp_path):
    with grpc_server(exported / "1") as url:
        server = Server(url, "ifrnet_s")
        files = server.interpolate(*pair, 0.5)
        pixels = server.interpolate(*pair, 0.5, "interpolate_uint8")
        with pytest.raises(InputError, match="serves no model other"):
            Server(url, "other").interpolate(*pair, 0.5)
        large = tmp_path / "large.png"
        noise = np.random.default_rng(0).integers(0, 255, (400, 400, 3), np.uint8)
        cv2.imwrite(str(large), noise)
        with pytest.raises(InputError, match="too large"):
            server.interpolate(large, large, 0.5)
    decoded = [
        cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR) for png in (files, pixels)
    ]
    np.testing.assert_array_equal(*decoded)
    assert decoded[0].shape == (40, 56, 3)


if os.environ.get("TFVFI_SERVING_URL"):

    @pytest.mark.parametrize("signature", ["interpolate_encoded", "interpolate_uint8"])
    def test_a_real_server_answers(pair, signature):
        """Needs `ifrnet_s` served there, exported with --encoded."""
        server = Server(os.environ["TFVFI_SERVING_URL"], "ifrnet_s")
        png = server.interpolate(*pair, 0.5, signature)
        assert cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR).shape == (40, 56, 3)
