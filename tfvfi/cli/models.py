"""Lists the networks with their kind, the times they support, their weights and licence.

    tfvfi models
    tfvfi models --kind=flow --parameters
    tfvfi models --json

Weights are bundled (they come with tfvfi), downloadable (tfvfi download-weights downloads them),
cached (they have been downloaded), to convert (tfvfi convert-checkpoint converts the published
file), to train (none are published) or none needed (the method has no parameters).
"""

import json
from typing import TYPE_CHECKING, Any

from absl import flags

if TYPE_CHECKING:
    from tfvfi.models.preset import Preset

FLAGS = flags.FlagValues()
flags.DEFINE_enum(
    "kind", None, ["interpolator", "flow"], "list only networks of this kind", flag_values=FLAGS
)
flags.DEFINE_bool(
    "parameters", False, "count the parameters, which takes seconds", flag_values=FLAGS
)
flags.DEFINE_bool("json", False, "print JSON instead of a table", flag_values=FLAGS)


def main() -> None:
    """Prints the list."""
    rows = [_row(each) for each in _presets() if FLAGS.kind in (None, each.kind)]
    if FLAGS.json:
        print(json.dumps(rows, indent=1))
    else:
        print(_table(rows))


def _presets() -> "list[Preset]":
    from tfvfi.registry import presets

    return list(presets().values())


def _row(known: "Preset") -> dict[str, Any]:
    from tfvfi.registry import list_models

    about = list_models()[known.name]
    row: dict[str, Any] = {"name": known.name, "kind": known.kind, "times": _times(known)}
    if FLAGS.parameters:
        row["parameters"] = _parameters(known)
    return {
        **row,
        "weights": about["weights"],
        "licence": about["licence"],
        "description": known.description,
    }


def _times(known: "Preset") -> str:
    if known.kind == "flow":
        return "-"
    return known.times if isinstance(known.times, str) else ", ".join(map(str, known.times or ()))


def _parameters(known: "Preset") -> int:
    from tfvfi import startup

    startup.import_keras()
    from tfvfi.benchmark.cost import parameters
    from tfvfi.registry import ModelSpec

    return parameters(ModelSpec(known.name, None).load())


def _table(rows: list[dict[str, Any]]) -> str:
    """Returns the rows as aligned text, with thousands separators in numbers."""
    cells = [list(rows[0])] if rows else []
    for row in rows:
        cells.append([f"{value:,}" if isinstance(value, int) else value for value in row.values()])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )
