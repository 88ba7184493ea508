"""The client against servers that check what it sends."""

import base64
import contextlib
import http.server
import json
import os
import socket
import sys
import threading
import time
from concurrent import futures

import cv2
import grpc
import numpy as np
import pytest
import tensorflow as tf

from tfvfi.cli import command, serving_client
from tfvfi.errors import InputError
from tfvfi.export import pictures, protos
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
        (
            400,
            'Serving signature name: "interpolate_encoded" not found',
            "has no signature",
        ),
        (413, "Request Entity Too Large", "too large"),
        (400, "input tensor alias not found in signature: frame0_bytes", "refused"),
        (
            400,
            "Graph execution error:\n\nDetected at\nassertion failed: [of two sizes] [4]\n\t [[",
            r"refused \(HTTP 400: assertion failed: \[of two sizes\] \[4\]\)$",
        ),
    ],
)
def test_a_refusal_is_told_with_what_to_do(pair, status, error, said):
    with (
        rest_server(lambda *_: (status, {"error": error})) as (url, requests),
        pytest.raises(InputError, match=said),
    ):
        Server(url, "m").interpolate(*pair, 0.5)
    assert len(requests) == 1


@pytest.mark.parametrize("signature", ["interpolate_encoded", "interpolate_uint8"])
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (["hello"], "not that of a predict request"),
        ({"outputs": {"flow": [1]}}, "not that of a predict request"),
        ({"outputs": [{"b64": "?"}]}, "not that of a predict request"),
        ({"outputs": [[[[300, 0, 0]]]]}, "not that of a predict request"),
        ({"outputs": []}, "was not exported by tfvfi"),
    ],
)
def test_an_answer_that_is_none_is_told(pair, signature, answer, said):
    with (
        rest_server(lambda *_: (200, answer)) as (url, _),
        pytest.raises(InputError, match=said),
    ):
        Server(url, "m").interpolate(*pair, 0.5, signature)


def test_an_answer_that_breaks_off_is_asked_for_again(pair):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def break_off():
            for _ in range(2):
                connection, _ = server.accept()
                connection.recv(1 << 20)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
                connection.close()

        threading.Thread(target=break_off, daemon=True).start()
        with pytest.raises(InputError, match=r"does not answer .* asked 2 times"):
            Server(f"http://127.0.0.1:{server.getsockname()[1]}", "m", retries=1).interpolate(
                *pair, 0.5
            )


def test_a_name_with_any_letters_stays_one_part_of_the_address(pair):
    with (
        rest_server(lambda *_: (404, {"error": "Servable not found"})) as (url, requests),
        pytest.raises(InputError, match="serves no model a/b c"),
    ):
        Server(url, "a/b c").interpolate(*pair, 0.5)
    assert requests[0][0] == "/v1/models/a%2Fb%20c:predict"


def test_pixels_of_two_sizes_are_not_sent(tmp_path, pair):
    cv2.imwrite(str(tmp_path / "low.png"), np.zeros((8, 9, 3), np.uint8))
    with pytest.raises(InputError, match=r"of one size. Received: 56x40 and 9x8"):
        Server("http://127.0.0.1:9", "m").interpolate(
            pair[0], tmp_path / "low.png", 0.5, "interpolate_uint8"
        )


def test_other_files_and_turned_photographs_are_sent_as_png(tmp_path, pair):
    frame = cv2.imread(str(pair[0]))
    cv2.imwrite(str(tmp_path / "a.webp"), frame, [cv2.IMWRITE_WEBP_QUALITY, 101])
    sent = pictures.sendable(tmp_path / "a.webp")
    np.testing.assert_array_equal(tf.io.decode_png(sent).numpy(), frame[..., ::-1])
    jpeg = cv2.imencode(".jpg", frame)[1].tobytes()
    for orientation in (1, 6):
        # "Turn me a quarter to the right", as a camera that was held upright writes it.
        exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0%c\0\0\0\0\0\0"
        exif %= orientation
        head = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
        path = tmp_path / f"{orientation}.jpg"
        path.write_bytes(jpeg[:2] + head + jpeg[2:])
        sent = pictures.sendable(path)
        if orientation == 1:
            assert sent == path.read_bytes()
        else:
            np.testing.assert_array_equal(tf.io.decode_png(sent).numpy(), pictures.pixels(path))
            assert tf.io.decode_png(sent).shape == (56, 40, 3)


def run_command(*flags):
    """The exit code of the command."""
    # Another test may have left values.
    for name in serving_client.FLAGS:
        serving_client.FLAGS[name].unparse()
    return command.exit_code(serving_client.main, serving_client.FLAGS, ["client", *flags])


def test_the_command_writes_what_the_ending_says(tmp_path, pair):
    image = cv2.imencode(".png", np.full((4, 5, 3), 7, np.uint8))[1].tobytes()
    outputs = [{"b64": base64.b64encode(image).decode()}]
    with rest_server(lambda *_: (200, {"outputs": outputs})) as (url, _):
        inputs = [f"--input={path}" for path in pair]
        for name, magic in (("c.png", pictures.PNG), ("new/c.jpg", pictures.JPEG)):
            flags = [f"--url={url}", *inputs, f"--output={tmp_path / name}"]
            assert run_command(*flags) == 0
            assert (tmp_path / name).read_bytes().startswith(magic)
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            "a.png",
            "b.png",
            "c.png",
            "new",
        ]


@pytest.mark.parametrize(
    ("output", "code", "said"),
    [
        ("a.png", 1, "exists; choose another"),
        ("c.bmp", 1, "the output ends in .png, .jpg, .jpeg"),
        ("a.png/c.png", 1, "does not answer"),
    ],
)
def test_the_command_refuses_in_a_sentence(tmp_path, pair, capsys, output, code, said):
    flags = ["--url=http://127.0.0.1:9", "--retries=0", *(f"--input={path}" for path in pair)]
    flags.append(f"--output={tmp_path / output}")
    assert run_command(*flags) == code
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_grpc_that_is_not_installed_is_told(pair, monkeypatch):
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(InputError, match="needs grpcio, which is not installed"):
        Server("grpc://127.0.0.1:9", "m").interpolate(*pair, 0.5)


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


@pytest.mark.parametrize(
    "url", ["localhost:8501", "ftp://host", "http://", "http://host:port", "http://[host"]
)
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


# What an export returns and what the client sends are tested apart, and fast.
@pytest.mark.slow
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
