"""The routes: actions with JSON, uploads, and files."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tfvfi.errors import InputError
from tfvfi.studio.actions import ACTIONS
from tfvfi.studio.archive import ZippedFolder
from tfvfi.studio.guard import Guard
from tfvfi.studio.jobs import DONE
from tfvfi.studio.state import Studio
from tfvfi.studio.worker import StoppedError

PAGE = Path(__file__).parent / "page"
PAGE_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# Content types of media. None of them is a type that a browser would execute.
MEDIA_TYPES = {
    **{".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/mp4", ".webm": "video/webm"},
    **{".mkv": "video/x-matroska", ".ogv": "video/ogg", ".gif": "image/gif", ".png": "image/png"},
    **{".apng": "image/apng", ".webp": "image/webp", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"},
}
OPAQUE = "application/octet-stream"
# The size limit of a request that is not an upload, in bytes.
LONGEST_REQUEST = 2**20
# The pictures that a training produces.
ROLES = ("truth", "before", "now")


def create_app(studio: Studio, token: str, host: str, port: int) -> Guard:
    """The application, with its guard in front.

    Args:
        studio: What it shows; it is started and closed with the application.
        token: The secret of the printed address.
        host: The address that it is bound to.
        port: Its port.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        studio.start()
        yield
        await to_thread.run_sync(studio.close)

    app = Starlette(
        routes=[
            Route("/", _index),
            Route("/page/{name}", _page_file),
            Route("/api/upload", _upload, methods=["PUT"]),
            Route("/api/pictures/{key}", _picture),
            Route("/api/media", _media),
            Route("/api/results/{id}", _result),
            Route("/api/results/{id}/{role}", _training_picture),
            Route("/api/{action}", _action, methods=["POST"]),
        ],
        exception_handlers={InputError: _mistake, StoppedError: _stopped, Exception: _defect},
        lifespan=lifespan,
    )
    app.state.studio = studio
    return Guard(app, token, host, port)


async def _index(request: Request) -> Response:
    return FileResponse(PAGE / "index.html", media_type="text/html")


async def _page_file(request: Request) -> Response:
    path = PAGE / request.path_params["name"]
    if path.suffix not in PAGE_TYPES or path.parent != PAGE or not path.is_file():
        return _nothing()
    return FileResponse(path, media_type=PAGE_TYPES[path.suffix])


async def _action(request: Request) -> Response:
    """Runs an action in a thread."""
    action = ACTIONS.get(request.path_params["action"])
    if action is None:
        return _nothing()
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise InputError("actions are asked for in JSON")
    given = await _json(request)
    return JSONResponse(await to_thread.run_sync(action, request.app.state.studio, given))


async def _json(request: Request) -> dict[str, Any]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_REQUEST:
            raise InputError("the request is too long")
    try:
        given = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise InputError("the request is no JSON object")
    return given


async def _upload(request: Request) -> Response:
    """Streams a file to the disk."""
    query, length = request.query_params, request.headers.get("content-length")
    path = await request.app.state.studio.folders.receive(
        query.get("name", ""),
        query.get("group"),
        int(length) if length and length.isascii() and length.isdigit() else None,
        request.stream(),
    )
    return JSONResponse({"path": str(path), "folder": str(path.parent)})


async def _picture(request: Request) -> Response:
    data = request.app.state.studio.picture(request.path_params["key"])
    return _nothing() if data is None else Response(data, media_type="image/png")


async def _media(request: Request) -> Response:
    """A source, so that the browser can play it beside the result."""
    (path,) = request.app.state.studio.folders.sources([request.query_params.get("path", "")])
    return _file(path) if path.is_file() else _nothing()


async def _result(request: Request) -> Response:
    """The output of a job, to play or to download."""
    job = request.app.state.studio.queue.find(request.path_params["id"])
    path = Path(job.output)
    if job.state != DONE or not path.exists():
        raise InputError(f"{path.name} is not there; run the job again")
    # The result may have been replaced by a link in the meantime.
    path = request.app.state.studio.folders.resolve(str(path))
    if path.is_dir():
        return ZippedFolder(path)
    return _file(path, download="download" in request.query_params)


async def _training_picture(request: Request) -> Response:
    job = request.app.state.studio.queue.find(request.path_params["id"])
    role = request.path_params["role"]
    if job.folder is None or role not in ROLES or not (job.folder / f"{role}.png").is_file():
        return _nothing()
    return FileResponse(job.folder / f"{role}.png", media_type="image/png")


async def _mistake(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)


async def _stopped(request: Request, error: Exception) -> Response:
    return JSONResponse({"stopped": True, "error": "stopped"}, 409)


async def _defect(request: Request, error: Exception) -> Response:
    """An unexpected error: one sentence for the page, the details for the terminal."""
    sentence = f"an unexpected {type(error).__name__}; the terminal shows the details"
    return JSONResponse({"error": sentence}, 500)


def _file(path: Path, download: bool = False) -> Response:
    kind = MEDIA_TYPES.get(path.suffix.lower(), OPAQUE)
    if download or kind == OPAQUE:
        return FileResponse(path, media_type=OPAQUE, filename=path.name)
    return FileResponse(path, media_type=kind)


def _nothing() -> Response:
    return PlainTextResponse("There is nothing here.", 404)
