"""What an export tells of itself, for programs (card.json) and for people (card.md)."""

import hashlib
import json
from pathlib import Path
from typing import Any

from tfvfi import __version__, registry, weights

BLOCK = 2**20


def describe(
    model: Any, name: str, weight_file: Any, options: Any, signatures: dict[str, Any]
) -> dict[str, Any]:
    """What is known before the export is checked."""
    known = registry.preset(name)
    path = registry.weight_path(known, weight_file)
    told = {} if path is None else weights.describe(path)
    return {
        "model": name,
        "description": known.description,
        "network": known.origin,
        "weights": {
            "file": path.name if path else "fresh random weights",
            "sha256": sha256(path) if path else None,
            "origin": told.get("origin"),
            "trained_on": told.get("trained_on"),
            "licence": told.get("licence", "unknown" if path else "none"),
        },
        "times": getattr(model, "times", None),
        "precision": options.precision,
        "signatures": {
            signature: {
                "inputs": _tensors(door.inputs),
                "outputs": _tensors(door.outputs),
            }
            for signature, door in signatures.items()
        },
        "tfvfi": __version__,
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


def _tensors(specs: dict[str, Any]) -> dict[str, str]:
    return {
        key: f"{spec.dtype.name} {[side or '?' for side in spec.shape]}".replace("'", "")
        for key, spec in sorted(specs.items())
    }


def _for_people(about: dict[str, Any]) -> str:
    origin = about["weights"]
    answers = "any between 0 and 1" if about["times"] == "any" else about["times"]
    rows = [
        ("network", about["network"]),
        ("weights", origin["file"]),
        ("SHA-256 of the weights", origin["sha256"] or "none"),
        ("trained on", origin["trained_on"] or "not told"),
        ("licence of the weights", origin["licence"]),
        ("precision", about["precision"]),
        *([("times", answers)] if about["times"] else []),
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
            "Frames are RGB, any height and width; batches are N pairs of one size.",
            "",
            "| signature | inputs | outputs |",
            "|---|---|---|",
            *doors,
            "",
            "| batch x height x width | largest difference to Keras | seconds a call here |",
            "|---|---|---|",
            *speeds,
            "",
            f"Stock TensorFlow operations only: {', '.join(about['operations'])}.",
            "",
        ]
    )


def _listed(tensors: dict[str, str]) -> str:
    return ", ".join(f"`{key}` {kind}" for key, kind in tensors.items())
