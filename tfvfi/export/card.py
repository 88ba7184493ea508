"""The card of an export, for programs (card.json) and for people (card.md)."""

import datetime
import hashlib
import json
from pathlib import Path
from typing import Any

from tfvfi import __version__, machine, registry, weights
from tfvfi.export.files import MOST_PIXELS
from tfvfi.models.base import FlowEstimator, Network

BLOCK = 2**20
FRAMES = (
    "Frames are RGB, N x height x width x 3, float32 in [0, 1] or uint8, of any height and width; "
    "frame0 and frame1 are N pairs of one size."
)
TIMES = "Time is float32, N: one for each pair; 0 is the first frame, 1 the second."
FLOWS = "Flow is N x height x width x 2: x and y, in pixels, from frame0 to frame1."
FILES = (
    f"Files are PNG or JPEG, N of one size, of {MOST_PIXELS} pixels together at most; "
    "each is returned as a file. REST sends them as base64."
)


def describe(
    model: Network, weight_file: Any, options: Any, network: dict[str, Any]
) -> dict[str, Any]:
    """What is known before the export is made.

    Args:
        model: The network.
        weight_file: As `tfvfi.load` takes it.
        options: The `saved_model.Options`.
        network: Arguments of the network, as `tfvfi.load` takes them.
    """
    known = registry.preset(model.name)
    estimates = isinstance(model, FlowEstimator)
    rules = [FRAMES, FLOWS] if estimates else [FRAMES, TIMES]
    about = {
        "model": model.name,
        "description": known.description,
        "network": known.origin,
        "options": {key: str(value) for key, value in network.items()},
        "weights": _weights(known, weight_file),
        "times": None if estimates else model.times,
        "precision": options.precision,
        "contract": rules + ([FILES] if options.encoded_as else []),
        "warm_up": [f"{width}x{height}" for height, width in options.warm_up],
        "machine": machine.describe(machine.cores()),
        "made": datetime.date.today().isoformat(),
        "tfvfi": __version__,
    }
    if "flow" in network:
        about["flow"] = _estimator(network["flow"], network.get("flow_weights", "default"))
    return about


def tensors(doors: dict[str, Any]) -> dict[str, dict[str, dict[str, str]]]:
    """What each signature takes and gives."""
    return {
        signature: {"inputs": _tensors(door.inputs), "outputs": _tensors(door.outputs)}
        for signature, door in doors.items()
    }


def write(folder: Path, about: dict[str, Any]) -> None:
    """Writes the card into the folder of the export."""
    (folder / "card.json").write_text(json.dumps(about, indent=2, sort_keys=True) + "\n")
    (folder / "card.md").write_text(_for_people(about))


def sha256(path: Path) -> str:
    """The SHA-256 of a file, read block by block."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _weights(known: Any, weight_file: Any) -> dict[str, Any]:
    path = registry.weight_path(known, weight_file)
    if path is None:
        name = "fresh random weights" if known.has_weights else "needs none"
        return {"file": name, "sha256": None, "origin": None, "licence": "none"}
    told = weights.describe(path)
    return {
        "file": path.name,
        "sha256": sha256(path),
        "licence": told.get("licence", "unknown"),
        **{key: told.get(key) for key in ("origin", "checkpoint", "trained_on")},
    }


def _estimator(flow: Any, weight_file: Any) -> dict[str, Any]:
    """The flow estimator of a network that has one."""
    if isinstance(flow, FlowEstimator):
        unknown = {"file": "loaded before", "sha256": None, "origin": None, "licence": "unknown"}
        return {"model": flow.name, "weights": unknown}
    return {"model": flow, "weights": _weights(registry.preset(flow), weight_file)}


def _tensors(specs: dict[str, Any]) -> dict[str, str]:
    return {
        key: f"{spec.dtype.name} {[side or '?' for side in spec.shape]}".replace("'", "")
        for key, spec in sorted(specs.items())
    }


def _for_people(about: dict[str, Any]) -> str:
    answers = "any between 0 and 1" if about["times"] == "any" else about["times"]
    rows = [
        ("network", about["network"]),
        *((f"option {key}", value) for key, value in about["options"].items()),
        *_rows_of_weights("weights", about["weights"]),
        *(_rows_of_weights("flow weights", about["flow"]["weights"]) if "flow" in about else []),
        ("precision", about["precision"]),
        *(
            [("... differs from float32 by", f"{about['rounding']:.1e}")]
            if "rounding" in about
            else []
        ),
        *([("times", answers)] if about["times"] else []),
        *([("warm-up requests", ", ".join(about["warm_up"]))] if about["warm_up"] else []),
        ("made", f"{about['made']} by tfvfi {about['tfvfi']}"),
    ]
    doors = [
        f"| `{name}` | {_listed(door['inputs'])} | {_listed(door['outputs'])} |"
        for name, door in about["signatures"].items()
    ]
    speeds = [
        f"| {size} | {about['differences'][size]:.1e} | {seconds:.3f} |"
        for size, seconds in about["seconds"].items()
    ]
    return "\n".join(
        [
            f"# {about['model']}",
            "",
            about["description"],
            "",
            "| | |",
            "|---|---|",
            *(f"| {key} | {value} |" for key, value in rows),
            "",
            *about["contract"],
            "",
            "| signature | inputs | outputs |",
            "|---|---|---|",
            *doors,
            "",
            "| batch x height x width | largest difference to Keras | seconds a call |",
            "|---|---|---|",
            *speeds,
            "",
            f"Measured on {about['machine']}.",
            *_forms(about),
            "",
            f"Stock TensorFlow operations only: {', '.join(about['operations'])}.",
            "",
        ]
    )


def _rows_of_weights(name: str, told: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [(name, told["file"])]
    if told["sha256"]:
        rows.append((f"SHA-256 of the {name}", told["sha256"]))
    for key in ("origin", "checkpoint", "trained_on"):
        if told.get(key):
            rows.append((f"{key.replace('_', ' ')} ({name})", told[key]))
    return [*rows, (f"licence of the {name}", told["licence"])]


def _forms(about: dict[str, Any]) -> list[str]:
    """Sentences on what is beside the SavedModel, and on freezing."""
    said = [
        f"`{about[form]['file']}` differs from the SavedModel by {about[form]['difference']:.1e}."
        for form in ("lite", "onnx")
        if form in about
    ]
    if freezing := about.get("freezing"):
        reason = freezing.get("reason") or f"speed times {freezing['speedup']:.2f}"
        said.append(f"Weights {'are' if freezing['kept'] else 'are not'} frozen: {reason}.")
    return said


def _listed(tensors: dict[str, str]) -> str:
    return ", ".join(f"`{key}` {kind}" for key, kind in tensors.items())
