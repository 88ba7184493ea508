"""The actions that the page requests with `POST /api/<action>`: JSON in, JSON out."""

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tfvfi import __version__
from tfvfi.errors import InputError
from tfvfi.studio.folders import WEIGHTS, safe_name, unused
from tfvfi.studio.jobs import INTERPOLATE, TUNE, Job
from tfvfi.studio.order import Order, choices, parse_model, source_name
from tfvfi.studio.state import Studio
from tfvfi.studio.tuning import TuneOrder

Given = Mapping[str, Any]
# Longer times, in seconds, are not believed.
LONGEST = 1e9


def begin(studio: Studio, given: Given) -> dict[str, Any]:
    """What the page needs when it starts."""
    return {
        "version": __version__,
        "folders": [str(root) for root in studio.folders.roots],
        "work": str(studio.folders.work),
        "results": str(studio.folders.results),
        "largest_upload": studio.folders.largest_upload,
        **choices(),
    }


def browse(studio: Studio, given: Given) -> dict[str, Any]:
    """The contents of a folder."""
    return studio.folders.listing(given.get("path"))


def uploads(studio: Studio, given: Given) -> dict[str, Any]:
    """The uploads, and the weights that were trained here."""
    folders = studio.folders
    uploaded = folders.listing(str(folders.uploads))["entries"]
    tuned = folders.listing(str(folders.tuned))["entries"]
    return {
        "media": [each for each in uploaded if each["kind"] != "weights"],
        "weights": [each for each in (*uploaded, *tuned) if each["kind"] == "weights"],
    }


def forget_upload(studio: Studio, given: Given) -> dict[str, Any]:
    """Deletes an upload."""
    studio.folders.forget_upload(str(given.get("path")))
    return {}


def facts(studio: Studio, given: Given) -> dict[str, Any]:
    """Describes a source and starts to scan it for cuts and repeated frames."""
    inputs = _inputs(studio, given)
    found = studio.about(inputs)
    studio.scans.start(inputs)
    return {"inputs": inputs, "name": source_name(inputs), **found}


def scan(studio: Studio, given: Given) -> dict[str, Any]:
    """The progress or the result of the scan of a source."""
    return studio.scans.start(_inputs(studio, given))


def pair(studio: Studio, given: Given) -> dict[str, Any]:
    """The frame at a position, and the next one."""
    found = studio.looker.run("pair", {"inputs": _inputs(studio, given), **_position(given)})
    return studio.with_pictures(found, "frame0", "frame1")


def preview(studio: Studio, given: Given) -> dict[str, Any]:
    """A new frame at a position."""
    arguments = {
        "inputs": _inputs(studio, given),
        "model": parse_model(given.get("model"), studio.folders),
        "skip_repeats": given.get("skip_repeats") is True,
        **_position(given),
    }
    found = studio.renderer.run("preview", arguments)
    return studio.with_pictures(found, "frame0", "frame1", "middle")


def trial(studio: Studio, given: Given) -> dict[str, Any]:
    """How long a new frame takes."""
    arguments = {
        "inputs": _inputs(studio, given),
        "model": parse_model(given.get("model"), studio.folders),
        **_position(given),
    }
    return studio.renderer.run("trial", arguments)


def stop_preview(studio: Studio, given: Given) -> dict[str, Any]:
    """Stops whatever is being rendered for a preview."""
    studio.renderer.stop()
    return {}


def plan(studio: Studio, given: Given) -> dict[str, Any]:
    """Describes the output that an order would produce, and the equivalent command line."""
    inputs = _inputs(studio, given)
    order = Order.parse(given.get("order"), studio.folders)
    each = given.get("seconds_each")
    if each is not None and not (type(each) in (int, float) and 0 <= each < LONGEST):
        raise InputError(f"seconds_each is a number of seconds; received {each!r}")
    output = _output(studio, given, inputs, order.ending)
    return {
        **order.plan(studio.about(inputs), each),
        "output": output.name,
        "command": order.command(inputs, str(output)),
    }


def jobs(studio: Studio, given: Given) -> dict[str, Any]:
    """All jobs."""
    return {"jobs": studio.queue.jobs()}


def add(studio: Studio, given: Given) -> dict[str, Any]:
    """Queues an interpolation."""
    inputs = _inputs(studio, given)
    order = Order.parse(given.get("order"), studio.folders)
    output = _output(studio, given, inputs, order.ending)
    arguments = {
        "inputs": inputs,
        "output": str(output),
        "model": dict(order.model),
        "treatment": dict(order.treatment),
        "encoding": dict(order.encoding),
    }
    command = order.command(inputs, str(output))
    return _queued(studio, Job(INTERPOLATE, output.name, arguments, str(output), command))


def tune(studio: Studio, given: Given) -> dict[str, Any]:
    """Queues a fine-tuning."""
    inputs = _inputs(studio, given)
    order = TuneOrder.parse(given, studio.folders)
    name = f"{order.model['name']} on {source_name(inputs)}"
    stem = safe_name(f"{order.model['name']}_{source_name(inputs)}".replace(" ", "_"))
    output = unused(studio.folders.tuned, stem, WEIGHTS, studio.queue.outputs())
    folder = studio.folders.work / "runs" / secrets.token_hex(6)
    folder.mkdir(parents=True)
    arguments = order.arguments(inputs, folder, output)
    command = order.command(inputs, str(folder), str(output))
    return _queued(studio, Job(TUNE, name, arguments, str(output), command))


def cancel(studio: Studio, given: Given) -> dict[str, Any]:
    """Stops a job."""
    studio.queue.cancel(str(given.get("id")))
    return jobs(studio, given)


def again(studio: Studio, given: Given) -> dict[str, Any]:
    """Continues a job that was stopped."""
    studio.queue.again(str(given.get("id")))
    return jobs(studio, given)


def remove(studio: Studio, given: Given) -> dict[str, Any]:
    """Removes a job from the queue."""
    studio.queue.remove(str(given.get("id")))
    return jobs(studio, given)


ACTIONS: dict[str, Callable[[Studio, Given], dict[str, Any]]] = {
    each.__name__: each
    for each in (
        *(begin, browse, uploads, forget_upload, facts, scan, pair, preview, trial, stop_preview),
        *(plan, jobs, add, tune, cancel, again, remove),
    )
}


def _inputs(studio: Studio, given: Given) -> list[str]:
    return [str(path) for path in studio.folders.sources(given.get("inputs"))]


def _position(given: Given) -> dict[str, float]:
    seconds = given.get("seconds", 0)
    if type(seconds) not in (int, float) or not 0 <= seconds < LONGEST:
        raise InputError(f"a position is a number of seconds from 0 on; received {seconds!r}")
    return {"seconds": seconds}


def _output(studio: Studio, given: Given, inputs: list[str], ending: str) -> Path:
    """The path of the result: an unused name in the folder of results."""
    name = safe_name(given.get("output") or f"{source_name(inputs)} smooth").removesuffix(ending)
    return unused(studio.folders.results, name, ending, studio.queue.outputs())


def _queued(studio: Studio, job: Job) -> dict[str, Any]:
    studio.queue.add(job)
    return {"id": job.id, **jobs(studio, {})}
