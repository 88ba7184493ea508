"""Access control: every request needs the token, one of our host names, and our own origin."""

import ipaddress
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

# Programs send the token in this header; browsers send the cookie.
TOKEN_HEADER = "x-studio-token"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """Refuses requests without the token or from elsewhere, and adds security headers to responses.

    Args:
        app: The application behind the guard.
        token: The secret that the printed address carries.
        host: The address that the server is bound to.
        port: Its port, which keeps the cookies of several studios apart.
    """

    def __init__(self, app: App, token: str, host: str, port: int):
        self.app = app
        self.token = token
        self.host = host
        self.cookie = f"tfvfi_studio_{port}"

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        request = HTTPConnection(scope)
        refusal = self._refusal(request, scope["method"])

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if refusal is None and self._opens(request):
                    headers["set-cookie"] = (
                        f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict"
                    )
            await send(message)

        answer = self.app if refusal is None else PlainTextResponse(refusal, 403)
        await answer(scope, receive, send_with_headers)

    def _refusal(self, request: HTTPConnection, method: str) -> str | None:
        """The reason to refuse a request; None to accept it."""
        headers = request.headers
        if not self._is_ours(headers.get("host", "")):
            return "This studio is not reached by that host name."
        if _is_foreign(headers, method, opens=self._opens(request)):
            return "This studio answers its own page only."
        given = (
            request.cookies.get(self.cookie),
            headers.get(TOKEN_HEADER),
            request.query_params.get("token") if self._opens(request) else None,
        )
        if not any(map(self._is_token, given)):
            return (
                "Open the address that `tfvfi studio` printed in the terminal: it holds the token "
                "that this page needs."
            )
        return None

    def _opens(self, request: HTTPConnection) -> bool:
        """Whether a request is the printed address, which carries the token."""
        query: QueryParams = request.query_params
        return request.url.path == "/" and self._is_token(query.get("token"))

    def _is_token(self, text: str | None) -> bool:
        return text is not None and secrets.compare_digest(text.encode(), self.token.encode())

    def _is_ours(self, header: str) -> bool:
        """Whether a Host header names this server: a rebound name of a foreign site does not."""
        name = _host_name(header)
        if name in LOOPBACK or name == self.host:
            return True
        if self.host in LOOPBACK:
            return False
        # Other machines use an IP address or this machine's name.
        own = socket.gethostname().lower()
        return _is_address(name) or name in (own, f"{own}.local", own.split(".")[0])


def _is_foreign(headers: Headers, method: str, opens: bool) -> bool:
    """Whether the request comes from a page of another origin.

    The printed address may be opened from anywhere, say from the page of a remote terminal.
    """
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != headers.get("host"):
        return True
    site = headers.get("sec-fetch-site", "same-origin")
    navigates = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
    return site not in ("same-origin", "none") and not (opens and navigates)


def _host_name(header: str) -> str:
    """The name without its port, in lower case.

    Example:
        >>> _host_name("LocalHost:8765"), _host_name("[::1]:8765")
        ('localhost', '::1')
    """
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
