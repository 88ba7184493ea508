"""The description of trained weights, in their file and on a card beside it."""

from pathlib import Path
from typing import Any

from tfvfi import registry, weights
from tfvfi.data.records import Records
from tfvfi.data.sources import RecordSource
from tfvfi.media.storage import write_bytes
from tfvfi.training.folder import Row, git_revision
from tfvfi.training.job import Job

# Settings that concern locations and reporting rather than what was learned.
PLACES = ("output", "export", "records", "model", "flow", "validation", "interval", "pictures")


def describe(job: Job, row: Row) -> dict[str, Any]:
    """Returns the description that the file of weights holds beside its variables.

    Args:
        job: The training that produced them.
        row: Their metrics.
    """
    settings = job.settings
    before = weights.describe(settings.weights) if settings.weights else {}
    return {
        "origin": f"trained by tfvfi{f' from {settings.weights}' if settings.weights else ''}",
        "trained_on": ", ".join(filter(None, [before.get("trained_on"), job.samples.source.name])),
        "licence": before.get("licence", "as whoever trained them decides"),
        "data": _data(job),
        # Weights are used with the options of their training, which a flow network does not have.
        "options": {} if settings.flow else dict(settings.options),
        "settings": {
            name: value
            for name, value in vars(settings).items()
            if name not in PLACES and value is not None
        },
        "metrics": dict(row),
        "git": git_revision(),
    }


def write(path: str | Path, job: Job) -> Path:
    """Writes the card, a text for people, as NAME.md beside NAME.weights.h5."""
    path, about = Path(path), weights.describe(path)
    name = path.name.removesuffix(weights.SUFFIX)
    preset = registry.preset(job.settings.flow or job.settings.model)
    data = about["data"]
    times = "any between 0 and 1" if about["times"] == "any" else about["times"]
    lines = [
        f"# {name}",
        "",
        f"Weights of `{preset.name}` ({preset.description}), {about['origin']}.",
        "",
        f'    tfvfi.load("{preset.name}", weights="{path.name}")',
        "",
        "| | |",
        "|---|---|",
        f"| network | {preset.origin} |",
        *([f"| times | {times} |"] if times else []),
        f"| licence | {about['licence']} |",
        f"| steps | {about['metrics']['step']} of {job.settings.steps} |",
        f"| tfvfi | {weights.__version__}, {about['git'] or 'no git'} |",
        "",
        "## Data",
        f"{data['name']}: {data['examples']} examples of {data['frames']} frames"
        + (f", from {', '.join(data['videos'])}." if data["videos"] else "."),
        "",
        "## Metrics",
        *_table({name: value for name, value in about["metrics"].items() if name != "step"}),
        "",
        "## Settings",
        *_table(about["settings"]),
        "",
    ]
    card = path.with_name(f"{name}.md")
    write_bytes(card, "\n".join(lines).encode())
    return card


def _data(job: Job) -> dict[str, Any]:
    source = job.samples.source
    videos = []
    if isinstance(source, RecordSource):
        manifest = Records(job.settings.records).manifest
        sources = manifest.get("sources", [])
        videos = [video["name"] for video in sources if video["split"] == "train"]
    return {
        "name": source.name,
        "examples": len(source),
        "frames": source.layout.frames,
        "videos": videos,
    }


def _table(values: dict[str, Any]) -> list[str]:
    rows = [
        f"| {name} | {f'{value:.5g}' if isinstance(value, float) else value} |"
        for name, value in values.items()
    ]
    return ["| | |", "|---|---|", *rows]
