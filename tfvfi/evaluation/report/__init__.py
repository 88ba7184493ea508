"""The report of an evaluation, a self-contained HTML page.

`page.html`, `page.css` and `page.js` are combined into one file, which holds the results and
pictures as JSON and data URLs. Its content security policy forbids all external content.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tfvfi.evaluation import measures, results
from tfvfi.evaluation.prediction import Entry
from tfvfi.evaluation.report.gallery import Gallery, choose
from tfvfi.media.tables import finite

HERE = Path(__file__).parent
PAGE = "index.html"


def write_report(
    folder: Path,
    summary: Mapping[str, Any],
    rows: Mapping[str, Mapping[str, list[results.Row]]],
    entries: Sequence[Entry],
    samples: Iterable[Any],
    shown: int,
    self_ensemble: bool = False,
) -> Path:
    """Writes the page of an evaluation.

    Args:
        folder: The folder of the results.
        summary: The summary of the evaluation.
        rows: For each label, the rows of each sample.
        entries: The networks, which predict the samples with pictures once more.
        samples: The samples that were measured.
        shown: How many samples get pictures: the ten worst, and others evenly spread.
        self_ensemble: Whether predictions were averages over flips and directions of time.

    Returns:
        The path of the page.
    """
    first = rows[entries[0].label]
    chosen, played = choose(results.sample_rows(first, ("psnr",)), shown)
    gallery = Gallery(entries, first, chosen, played, self_ensemble)
    pictures = gallery.paint(samples) if chosen else {}
    path = folder / PAGE
    aside = folder / f".{PAGE}.partial"
    aside.write_text(page(data(summary, rows), pictures), encoding="utf-8")
    os.replace(aside, path)
    return path


def data(
    summary: Mapping[str, Any], rows: Mapping[str, Mapping[str, list[results.Row]]]
) -> dict[str, Any]:
    """Returns the content of the page without pictures: the summary and the rows of samples."""
    names = list(summary["definitions"])
    samples: dict[str, dict[str, Any]] = {}
    for label, of_label in rows.items():
        for row in results.sample_rows(of_label, names):
            values = [row[name] for name in names]
            samples.setdefault(row["sample"], {"frames": row["frames"], "values": {}})
            samples[row["sample"]]["values"][label] = values
    return finite(
        {
            "summary": summary,
            "metrics": names,
            "higher": sorted(measures.HIGHER_IS_BETTER),
            "samples": [{"name": name, **sample} for name, sample in samples.items()],
        }
    )


def page(content: Mapping[str, Any], pictures: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns the HTML text of the page."""
    names = [sample["name"] for sample in content["samples"]]
    holders = [
        _json_holder(f"pictures-{names.index(name)}", of_sample)
        for name, of_sample in pictures.items()
    ]
    parts = {
        "style": (HERE / "page.css").read_text(),
        "script": (HERE / "page.js").read_text(),
        "data": "\n".join([_json_holder("data", content), *holders]),
    }
    text = (HERE / "page.html").read_text()
    for name, part in parts.items():
        before, _, after = text.partition(f"<!-- {name} -->")
        text = before + part + after
    return text


def _json_holder(name: str, value: Any) -> str:
    # A name from a dataset must not be able to close the element.
    escaped = json.dumps(value, allow_nan=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{escaped}</script>'
