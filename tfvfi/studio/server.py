"""Binds an address, prints it, opens a browser, and serves until it is interrupted."""

import contextlib
import os
import secrets
import socket
import threading
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from tfvfi.errors import InputError
from tfvfi.media import storage
from tfvfi.studio.folders import Folders

# Hidden, so that the page cannot read it.
TOKEN_FILE = ".token"


def serve(
    folders: Sequence[str | Path] = (".",),
    host: str = "127.0.0.1",
    port: int = 8765,
    browser: bool = True,
) -> None:
    """Runs the studio until it is interrupted.

    Args:
        folders: What the page may read. Uploads, results and the queue go into a folder
            `tfvfi-studio` in the first of them.
        host: The address to bind; anything but 127.0.0.1 opens the studio to the network.
        port: The port; 0 for any that is free.
        browser: Open the page in the user's browser.

    Raises:
        InputError: A folder is missing, another studio works there, or the port is taken.
    """
    try:
        import uvicorn

        from tfvfi.studio.app import create_app
        from tfvfi.studio.guard import LOOPBACK
        from tfvfi.studio.state import Studio
    except ImportError as error:
        raise InputError(
            f"the studio needs the package {error.name}: pip install 'tfvfi[studio]'"
        ) from None
    chosen = Folders(folders)
    with contextlib.ExitStack() as stack:
        stack.enter_context(storage.only_one(chosen.work))
        listener = stack.enter_context(_bound(host, port))
        port = listener.getsockname()[1]
        token = kept_token(chosen.work / TOKEN_FILE)
        address = f"http://{_in_address(host)}:{port}/?token={token}"
        print(f"The studio is at {address}")
        print(f"It reads {', '.join(map(str, chosen.roots))}; results go to {chosen.results}.")
        if host not in LOOPBACK:
            print(f"Anyone who reaches port {port} of this machine and has the token can use it.")
        print("Ctrl-C stops it; unfinished work continues at the next start.", flush=True)
        if browser:
            threading.Timer(0.5, webbrowser.open, (address,)).start()
        app = create_app(Studio(chosen), token, host, port)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="on",
            timeout_graceful_shutdown=2,
        )
        uvicorn.Server(config).run(sockets=[listener])


def kept_token(path: Path) -> str:
    """The token of this folder, kept so that an open page reconnects to a restarted studio.

    Args:
        path: A file that only its owner can read; made if it is not there.
    """
    with contextlib.suppress(OSError):
        if not path.is_symlink() and path.stat().st_mode & 0o077 == 0:
            token = path.read_text().strip()
            if len(token) >= 43:
                return token
    token = secrets.token_urlsafe(32)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as file:
        file.write(token)
    return token


def _bound(host: str, port: int) -> socket.socket:
    """A socket that listens there."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # A browser that opens the address at once then waits instead of being refused.
        listener.listen()
    except (OSError, OverflowError) as error:
        said = getattr(error, "strerror", None) or error
        raise InputError(
            f"the studio cannot listen at {host}, port {port} ({said}); choose another host or "
            "port, or port 0 for any that is free"
        ) from None
    return listener


def _in_address(host: str) -> str:
    """The host as a browser on this machine reaches it."""
    if host in ("0.0.0.0", "::"):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
