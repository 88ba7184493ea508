"""Requests frames from TensorFlow Serving over REST or gRPC without importing TensorFlow."""

import base64
import http.client
import itertools
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np

from tfvfi.errors import InputError
from tfvfi.export import pictures, protos

PREDICT = "/tensorflow.serving.PredictionService/Predict"
SIGNATURES = ("interpolate_encoded", "interpolate_uint8")
# gRPC's own limit of 4 MiB is less than a pair of frames.
LARGEST_MESSAGE = 2**30
# HTTP codes after which a server, or a gateway in front of it, may answer a moment later.
BUSY = 429, 502, 503, 504
LONGEST_REASON = 300
# Seconds before the second attempt. Each further pause is twice as long.
FIRST_PAUSE = 0.25


class UnavailableError(Exception):
    """The server did not answer, but may a moment later."""


@dataclass(frozen=True)
class Server:
    """A served model.

    Attributes:
        url: http://host:8501 for REST, grpc://host:8500 for gRPC.
        model: The name it is served under.
        version: One of its versions; the newest if None.
        timeout: Seconds to wait for one answer.
        retries: How often to try again when the server cannot be reached.

    Example:
        >>> server = Server("http://localhost:8501", "ifrnet_s")
        >>> frame = server.interpolate("a.png", "b.png", 0.5)  # doctest: +SKIP
    """

    url: str
    model: str
    version: int | None = None
    timeout: float = 60.0
    retries: int = 3

    def interpolate(
        self, file0: str | Path, file1: str | Path, at: float, signature: str = SIGNATURES[0]
    ) -> bytes:
        """The frame between two image files, as the bytes of an image file.

        Args:
            file0: The first frame, PNG or JPEG.
            file1: The second, of the same size.
            at: Between 0, the first frame, and 1.
            signature: `interpolate_encoded` sends the files; `interpolate_uint8` decodes them
                here and sends the pixels.

        Raises:
            InputError: The server cannot be reached, does not have the model or signature, or
                refuses the request; the sentence says which.
        """
        if signature not in SIGNATURES:
            raise InputError(f"signature is one of {', '.join(SIGNATURES)}. Received: {signature}")
        middle = np.array([at], np.float32)
        if signature == "interpolate_encoded":
            sent = [np.array([pictures.sendable(path)], object) for path in (file0, file1)]
            inputs = {"frame0_bytes": sent[0], "frame1_bytes": sent[1], "time": middle}
            return bytes(self._first("frame_bytes", self.predict(signature, inputs)))
        pair = [pictures.pixels(path)[None] for path in (file0, file1)]
        if pair[0].shape != pair[1].shape:
            sizes = " and ".join(f"{frame.shape[2]}x{frame.shape[1]}" for frame in pair)
            raise InputError(f"both images must be of one size. Received: {sizes}")
        inputs = {"frame0": pair[0], "frame1": pair[1], "time": middle}
        return pictures.png(self._first("frame", self.predict(signature, inputs)))

    def _first(self, name: str, outputs: dict[str, np.ndarray]) -> Any:
        """The answer for the only pair in the request."""
        answer = outputs.get(name)
        if answer is None or answer.ndim not in (1, 4) or len(answer) != 1:
            raise InputError(
                f"{self.url} answered without a {name}; {self.model} was not exported by tfvfi"
            )
        return answer[0]

    def predict(self, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs of a signature. Tries again while the server cannot be reached."""
        transport = self._transport()
        for attempt in itertools.count():
            try:
                return transport(signature, inputs)
            except UnavailableError as error:
                if attempt == self.retries:
                    raise InputError(
                        f"{self.url} does not answer ({error}), asked {attempt + 1} times; is the "
                        "server running, and is `timeout` long enough?"
                    ) from None
            time.sleep(FIRST_PAUSE * 2**attempt)

    def _transport(self) -> Callable[[str, dict[str, np.ndarray]], dict[str, np.ndarray]]:
        transports = {"http": self._rest, "https": self._rest, "grpc": self._grpc}
        try:
            parts = urlsplit(self.url)
            if parts.hostname and parts.port != 0:  # A port that is not a number raises.
                return transports[parts.scheme]
        except (ValueError, KeyError):
            pass
        raise InputError(
            f"a server is http://host:8501 (REST) or grpc://host:8500 (gRPC). Received: {self.url}"
        )

    def _rest(self, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        version = "" if self.version is None else f"/versions/{self.version}"
        request = urllib.request.Request(
            f"{self.url.rstrip('/')}/v1/models/{quote(self.model, safe='')}{version}:predict",
            data=rest_body(signature, inputs),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            if error.code in BUSY:
                raise UnavailableError(f"HTTP {error.code}") from None
            raise self._refusal(signature, f"HTTP {error.code}", _rest_reason(error)) from None
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError(getattr(error, "reason", error)) from None
        return rest_outputs(signature, content)

    def _grpc(self, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        try:
            import grpc
        except ImportError:
            raise InputError(
                "gRPC needs grpcio, which is not installed: pip install grpcio, or ask by REST, "
                "http://host:8501"
            ) from None

        limits = [
            ("grpc.max_send_message_length", LARGEST_MESSAGE),
            ("grpc.max_receive_message_length", LARGEST_MESSAGE),
        ]
        request = protos.predict_request(self.model, signature, inputs, self.version)
        with grpc.insecure_channel(urlsplit(self.url).netloc, options=limits) as channel:
            ask = channel.unary_unary(
                PREDICT,
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=protos.message_class("PredictResponse").FromString,
            )
            try:
                response = ask(request, timeout=self.timeout)
            except grpc.RpcError as error:
                if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                    raise UnavailableError(error.code().name) from None
                raise self._refusal(signature, error.code().name, error.details()) from None
        try:
            return {entry.key: protos.from_tensor(entry.value) for entry in response.outputs}
        except ValueError as error:
            raise InputError(f"{self.url} gave an answer that cannot be read: {error}") from None

    def _refusal(self, signature: str, status: str, reason: str) -> InputError:
        """The server's refusal, with what to do about it."""
        about = f"{self.url} refused ({status}: {_sentence(reason)})"
        if status in ("HTTP 413", "RESOURCE_EXHAUSTED"):
            return InputError(
                f"{about}: the message is too large for the server; use interpolate_encoded, "
                "smaller frames, or raise its limit (--grpc_max_message_size...)"
            )
        if "signature" in reason.lower() and signature in reason:
            return InputError(
                f"{about}: the model has no signature {signature}; export it with that signature, "
                f"or use another of {', '.join(SIGNATURES)}"
            )
        if status in ("HTTP 404", "NOT_FOUND"):
            return InputError(
                f"{about}: it serves no model {self.model}"
                f"{'' if self.version is None else f' of version {self.version}'}; name the one "
                "that it was started with"
            )
        return InputError(about)


def rest_body(signature: str, inputs: dict[str, np.ndarray]) -> bytes:
    """The JSON of a predict request in the column format of TensorFlow Serving."""
    columns = {
        key: [{"b64": base64.b64encode(file).decode()} for file in value]
        if value.dtype == object
        else value.tolist()
        for key, value in inputs.items()
    }
    body = {"signature_name": signature, "inputs": columns}
    return json.dumps(body, separators=(",", ":")).encode()


def rest_outputs(signature: str, answer: bytes) -> dict[str, np.ndarray]:
    """The outputs in an answer. A single output comes without its name."""
    name = "frame_bytes" if signature == "interpolate_encoded" else "frame"
    try:
        outputs = json.loads(answer)["outputs"]
        found = outputs[name] if isinstance(outputs, dict) and name in outputs else outputs
        if name == "frame":
            return {name: np.array(found, np.uint8)}
        files = [base64.b64decode(file["b64"], validate=True) for file in found]
        return {name: np.array(files, object)}
    except (ValueError, KeyError, TypeError, OverflowError):
        raise InputError("the server's answer is not that of a predict request") from None


def _rest_reason(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["error"])
    except (ValueError, KeyError, TypeError, OSError):
        return str(error.reason)


def _sentence(reason: str) -> str:
    """The sentence of a server, without the traces that TensorFlow adds in further lines."""
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    sentence = next((line for line in lines if line.startswith("assertion failed")), *lines[:1])
    return sentence[:LONGEST_REASON]
