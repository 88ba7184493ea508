"""Formats the summary of an evaluation as text."""

from collections.abc import Mapping, Sequence
from typing import Any

PLACES = {"psnr": 2, "ssim": 4, "ssim_uniform": 4, "ssim_3d": 4, "lpips": 4}


def as_text(summary: Mapping[str, Any]) -> str:
    """Returns tables of the means of every network and of comparisons with published scores."""
    names = list(summary["definitions"])
    head = ["", *names]
    rows = [
        [one["label"], *(shown(name, one["means"][name]) for name in names)]
        for one in summary["contestants"]
    ]
    first = summary["contestants"][0]
    of_all = "" if summary["complete"] else f" of {summary['published_samples']}"
    parts = [
        f"{summary['dataset']}: {first['samples']}{of_all} samples, {first['frames']} frames, "
        f"rounding {summary['protocol']['rounding']}, "
        f"self-ensemble {'on' if summary['self_ensemble'] else 'off'}",
        aligned([head, *rows]),
    ]
    for one in summary["contestants"]:
        parts += _by_time(one, names) + _published(one, summary)
    return "\n\n".join(parts)


def shown(name: str, value: float | None) -> str:
    """Returns a value with the significant digits of its metric."""
    return "inf" if value is None else f"{value:.{PLACES.get(name, 3)}f}"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Returns rows with the first column aligned to the left and the others to the right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _by_time(one: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    if not one["by_time"]:
        return []
    rows = [["time", *names]]
    rows += [
        [time, *(shown(name, means[name]) for name in names)]
        for time, means in one["by_time"].items()
    ]
    return [f"{one['label']} at each time\n{aligned(rows)}"]


def _published(one: Mapping[str, Any], summary: Mapping[str, Any]) -> list[str]:
    if not one["published"]:
        return []
    rows = [["metric", "ours", "published", "difference", "source"]]
    for row in one["published"]:
        ours, published = (shown(row["means"], row[key]) for key in ("ours", "published"))
        difference = f"{row['difference']:+.{PLACES.get(row['means'], 3)}f}"
        source = "; ".join(filter(None, (row["source"], row["note"])))
        rows.append([row["metric"], ours, published, difference, source])
    heading = f"{one['label']} beside published numbers"
    if not summary["complete"]:
        heading += (
            f" (only {one['samples']} of {summary['published_samples']} samples were measured: "
            "not comparable)"
        )
    return [f"{heading}\n{aligned(rows)}"]
