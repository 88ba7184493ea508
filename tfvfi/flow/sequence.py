"""Estimates the flow of a frame sequence: .flo files, pictures, an animation and a table.

Flow is written as it is estimated, and read back for the pictures, which share one scale. Memory
therefore holds two frames however long the sequence is, and .flo files can also be the input.
"""

import csv
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tfvfi.errors import ArgumentError, InputError
from tfvfi.flow.animation import write_gif
from tfvfi.flow.estimator import FlowEstimator
from tfvfi.flow.flo import read_flo, write_flo
from tfvfi.flow.pictures import flow_to_color, longest_shown, statistics, with_legend
from tfvfi.media import pictures
from tfvfi.media.storage import write_bytes
from tfvfi.media.tables import write_csv

# A row of the table, for one flow.
Row = dict[str, float | str]

TABLE, ANIMATION = "statistics.csv", "flow.gif"
# The palette is made from all pictures of the animation at once, so the animation of a longer
# sequence shows only every n-th picture.
ANIMATION_PICTURES = 200


def estimate_sequence(
    inputs: Sequence[str | Path],
    output: str | Path,
    estimator: FlowEstimator | None = None,
    longest: float | None = None,
    fps: float = 8.0,
    overwrite: bool = False,
) -> list[Row]:
    """Estimates the flow from each frame to the next and renders it in color.

    Args:
        inputs: Any source of `tfvfi.interpolate_video`: pictures in order, a folder or pattern of
            pictures, or a video; or .flo files, or a folder of them, which are only rendered.
        output: A folder for a .flo file and a .png picture of each pair, `statistics.csv`, and
            `flow.gif` if there are several pairs.
        estimator: The flow estimator; not needed for .flo files.
        longest: The length in pixels that gets the full hue; by default that of the sequence.
        fps: Pictures per second in the animation.
        overwrite: Whether to replace the files of an earlier run.

    Returns:
        The rows of the table.

    Raises:
        InputError: The input cannot be read, or has fewer than two frames.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> folder = tempfile.mkdtemp()
        >>> write_flo(folder + "/right.flo", np.full((48, 64, 2), (3, 0), "float32"))
        >>> rows = estimate_sequence([folder + "/right.flo"], folder + "/pictures")
        >>> rows[0]["mean_x"], rows[0]["mean_y"]
        (3.0, 0.0)
    """
    output = Path(output)
    for name, value in (("fps", fps), ("longest", longest)):
        if value is not None and not value > 0:
            raise ArgumentError(f"`{name}` must be above 0. Received: {value}")
    before = _made(output)
    if before and not overwrite:
        raise InputError(
            f"{output} already holds flow; choose another `output`, or pass `overwrite=True`"
        )
    paths = [Path(path) for path in inputs]
    folders = {(path if path.is_dir() else path.parent).resolve() for path in paths}
    if output.resolve() in folders:
        raise InputError(f"{output} holds the input; choose another folder as `output`")
    flows = flow_files(paths)
    if not flows:
        if estimator is None:
            raise ArgumentError("`estimator` is needed unless the inputs are .flo files")
        flows = list(_estimate(paths, output, estimator))
    output.mkdir(parents=True, exist_ok=True)
    rows = _render(flows, output, longest, fps)
    # An earlier, longer sequence would otherwise leave files behind.
    for name in before - _made(output):
        (output / name).unlink(missing_ok=True)
    return rows


def flow_files(inputs: Sequence[str | Path]) -> list[Path]:
    """Returns the .flo files of the inputs of `estimate_sequence`; none if these are frames."""
    paths = [Path(path) for path in inputs]
    if len(paths) == 1 and paths[0].is_dir():
        return pictures.in_order(paths[0].glob("*.flo"))
    return paths if all(path.suffix.lower() == ".flo" for path in paths) else []


def _made(output: Path) -> set[str]:
    """Returns the names of the files that an earlier run wrote, according to its table."""
    if not (output / TABLE).exists():
        return set()
    with (output / TABLE).open(newline="") as file:
        flows = [Path(row["flow"]) for row in csv.DictReader(file)]
    names = {path.with_suffix(ending).name for path in flows for ending in (".flo", ".png")}
    return names | {TABLE} | ({ANIMATION} if len(flows) > 1 else set())


def _names(paths: Sequence[Path]) -> list[str]:
    """Returns names for the flows of files: their own, or numbers if two have the same name."""
    stems = [path.stem for path in paths]
    if len(set(stems)) == len(stems):
        return stems
    return [f"{number:06d}" for number in range(len(stems))]


def _estimate(inputs: list[Path], output: Path, estimator: FlowEstimator) -> Iterator[Path]:
    """Writes the flow of each pair, named after its first frame, and yields the paths."""
    from tfvfi.media.sequence import Pictures
    from tfvfi.media.source import open_source

    source = open_source(inputs)
    # The frames of a video have no names of their own.
    names = _names(source.paths) if isinstance(source, Pictures) else ()
    number = -1
    total = source.frames_expected - 1 if source.frames_expected else None
    # Flow is estimated between frames as players show them.
    turns = round(source.look.rotation / 90) % 4
    upright = (np.ascontiguousarray(np.rot90(shown.image, turns)) for shown in source)
    pairs = tqdm(pairwise(upright), total=total, unit="flow", disable=None)
    for number, (first, second) in enumerate(pairs):
        path = output / f"{names[number] if names else f'{number:06d}'}.flo"
        write_flo(path, estimator.estimate(first, second))
        yield path
    if number < 0:
        raise InputError("flow leads from one frame to the next; give at least two frames")


def _render(flows: list[Path], output: Path, longest: float | None, fps: float) -> list[Row]:
    import cv2

    longest = longest or max(longest_shown([read_flo(path)]) for path in flows)
    names = _names(flows)
    rows: list[Row] = []
    for path, name in zip(flows, names, strict=True):
        flow = read_flo(path)
        rows.append({"flow": f"{name}.flo", **statistics(flow)})
        picture = with_legend(flow_to_color(flow, longest), longest)
        _, data = cv2.imencode(".png", picture[..., ::-1])
        write_bytes(output / f"{name}.png", data.tobytes())
    if len(flows) > 1:
        shown = names[:: -(-len(flows) // ANIMATION_PICTURES)]
        shown_pictures = (pictures.read(output / f"{name}.png") for name in shown)
        write_gif(output / ANIMATION, shown_pictures, fps)
    # The table is written last, so that its existence shows that everything else is complete.
    write_csv(output / TABLE, rows)
    return rows
