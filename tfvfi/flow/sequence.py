"""Flows of a sequence of frames: .flo files, then pictures, an animation and a table of them.

Flows are written as they are estimated and read back for the pictures, which share one scale: so
memory holds two frames however long the sequence is, and .flo files alone are input as well.
"""

import contextlib
import csv
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from tfvfi.errors import InputError
from tfvfi.evaluation.results import write_csv
from tfvfi.flow.flo import read_flo, write_flo
from tfvfi.flow.pictures import flow_to_color, longest_shown, statistics, with_legend
from tfvfi.media.pictures import in_order
from tfvfi.media.storage import write_bytes

if TYPE_CHECKING:
    from tfvfi.data.records import Records
    from tfvfi.models.base import FlowEstimator

TABLE, ANIMATION = "statistics.csv", "flow.gif"
# An animation is a preview: GIF has 256 colors and compresses little.
ANIMATION_SIDE = 480
# Its palette is made from all pictures at once; of a longer sequence it shows every n-th.
ANIMATION_PICTURES = 200


def estimate_sequence(
    inputs: Sequence[str | Path],
    output: str | Path,
    model: str = "dis",
    weights: str | Path | None = "default",
    options: Mapping[str, Any] | None = None,
    longest: float | None = None,
    fps: float = 8.0,
    overwrite: bool = False,
) -> list[dict[str, float | str]]:
    """Estimates the flow from each frame to the next and shows it.

    Args:
        inputs: Whatever `tfvfi.interpolate_video` takes: images in order, a folder or pattern of
            them, a video; or .flo files, or a folder that has some, which are then only shown.
        output: A folder: gets a .flo file and a .png picture for each pair, `statistics.csv`, and
            for several pairs `flow.gif`.
        model: A flow estimator of `tfvfi.list_models()`.
        weights: As for `tfvfi.load`.
        options: Arguments of the model, such as {"fit": "pad"}.
        longest: The length in pixels that gets the full hue; left out, that of the sequence.
        fps: Pictures a second in the animation.
        overwrite: Replace what an earlier run wrote.

    Returns:
        The rows of the table.

    Raises:
        InputError: The input cannot be read, has fewer than two frames, or the model estimates no
            flow.
    """
    output = Path(output)
    if fps <= 0 or (longest is not None and longest <= 0):
        raise InputError(f"fps and longest are positive. Received: {fps} and {longest}")
    before = _made(output)
    if before and not overwrite:
        raise InputError(f"{output} holds flows already; name another folder, or pass --overwrite")
    inputs = [Path(path) for path in inputs]
    folders = {(path if path.is_dir() else path.parent).resolve() for path in inputs}
    if output.resolve() in folders:
        raise InputError(f"{output} is where the input lies; name another folder for the pictures")
    flows = _flow_files(inputs)
    if not flows:
        flows = list(_estimate(inputs, output, _estimator(model, weights, options)))
    output.mkdir(parents=True, exist_ok=True)
    rows = _show(flows, output, longest, fps)
    # Of a longer sequence something would be left.
    for name in before - _made(output):
        (output / name).unlink(missing_ok=True)
    return rows


def label_records(
    records: str | Path,
    output: str | Path,
    model: str = "dis",
    weights: str | Path | None = "default",
    options: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> "Records":
    """Makes records with flow, as a teacher sees it, out of records without.

    Args:
        records: A records folder; it stays as it is.
        output: The folder of the new ones; what an interrupted call left in it is completed.
        model: A flow estimator of `tfvfi.list_models()`.
        weights: As for `tfvfi.load`.
        options: Arguments of the model.
        overwrite: Replaces records that exist.

    Returns:
        The new records, whose batches hold "flow", see `tfvfi.data.load`.

    Raises:
        InputError: The records cannot be read, or the model estimates no flow.
    """
    from tfvfi.data.pseudo_labels import add_flow
    from tfvfi.evaluation.contestants import Contestant

    network = _estimator(model, weights, options)
    known = Contestant(model, weights, dict(options or {})).identity()
    estimator = {key: known[key] for key in ("model", "weights_sha256", "options") if known[key]}
    return add_flow(records, output, network.estimate_batch, estimator, overwrite)


def _flow_files(inputs: list[Path]) -> list[Path]:
    """The .flo files meant; none where frames are."""
    if len(inputs) == 1 and inputs[0].is_dir():
        return in_order(inputs[0].glob("*.flo"))
    return inputs if all(path.suffix.lower() == ".flo" for path in inputs) else []


def _estimator(
    name: str, weights: str | Path | None, options: Mapping[str, Any] | None
) -> "FlowEstimator":
    from tfvfi import registry

    if registry.preset(name).kind != "flow":
        names = [name for name, known in registry.presets().items() if known.kind == "flow"]
        raise InputError(f"{name} estimates no flow; those that do are: {', '.join(names)}")
    return registry.load(name, weights=weights, **options or {})


def _made(output: Path) -> set[str]:
    """Names of the files that a run left in the folder, as its table tells."""
    if not (output / TABLE).exists():
        return set()
    with (output / TABLE).open(newline="") as file:
        flows = [Path(row["flow"]) for row in csv.DictReader(file)]
    names = {path.with_suffix(ending).name for path in flows for ending in (".flo", ".png")}
    return names | {TABLE} | ({ANIMATION} if len(flows) > 1 else set())


def _names(paths: Sequence[Path]) -> list[str]:
    """What their flows are called: as they are, or by number where two have one name."""
    stems = [path.stem for path in paths]
    if len(set(stems)) == len(stems):
        return stems
    return [f"{number:06d}" for number in range(len(stems))]


def _estimate(inputs: list[Path], output: Path, model: "FlowEstimator") -> Iterator[Path]:
    """Writes the flow of each pair, named as its first frame; yields where it was written."""
    from tfvfi.media.sequence import Pictures
    from tfvfi.media.source import open_source

    source = open_source(inputs)
    # The frames of a video have no names, its own is no frame's.
    names = _names(source.paths) if isinstance(source, Pictures) else ()
    number = -1
    total = source.frames_expected - 1 if source.frames_expected else None
    # Flow is of frames as players show them.
    turns = round(source.look.rotation / 90) % 4
    upright = (np.ascontiguousarray(np.rot90(shown.image, turns)) for shown in source)
    pairs = tqdm(pairwise(upright), total=total, unit="flow", disable=None)
    for number, (first, second) in enumerate(pairs):
        path = output / f"{names[number] if names else f'{number:06d}'}.flo"
        write_flo(path, model.estimate(first, second))
        yield path
    if number < 0:
        raise InputError("a flow leads from one frame to the next: give at least two frames")


def _show(flows: list[Path], output: Path, longest: float | None, fps: float) -> list[dict]:
    import cv2

    longest = longest or max(longest_shown([read_flo(path)]) for path in flows)
    names = _names(flows)
    rows = []
    for path, name in zip(flows, names, strict=True):
        flow = read_flo(path)
        rows.append({"flow": f"{name}.flo", **statistics(flow)})
        picture = with_legend(flow_to_color(flow, longest), longest)
        _, data = cv2.imencode(".png", picture[..., ::-1])
        write_bytes(output / f"{name}.png", data.tobytes())
    if len(flows) > 1:
        shown = names[:: -(-len(flows) // ANIMATION_PICTURES)]
        pictures = (cv2.imread(str(output / f"{name}.png"))[..., ::-1] for name in shown)
        write_gif(output / ANIMATION, pictures, fps)
    # Last: it tells that all is there.
    write_csv(output / TABLE, rows)
    return rows


def write_gif(path: Path, pictures: Iterator[np.ndarray], fps: float) -> None:
    """Writes an animation whose palette is made for its pictures; it appears when complete.

    Args:
        path: Where to.
        pictures: H x W x 3, uint8, RGB; all are shown at the size of the first.
        fps: Pictures a second.
    """
    import av
    import cv2

    # GIF counts time in hundredths of a second.
    beat = Fraction(max(2, round(100 / fps)), 100)
    first = next(pictures)
    shrink = min(1.0, ANIMATION_SIDE / max(first.shape[:2]))
    width, height = (max(1, round(side * shrink)) for side in first.shape[1::-1])

    graph = av.filter.Graph()
    source = graph.add_buffer(width=width, height=height, format="rgb24", time_base=beat)
    split, palette = graph.add("split"), graph.add("palettegen", "stats_mode=full")
    use, sink = graph.add("paletteuse", "dither=sierra2_4a"), graph.add("buffersink")
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(palette, 1, 0)
    palette.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    for number, picture in enumerate((first, *pictures)):
        smaller = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        frame = av.VideoFrame.from_ndarray(smaller, format="rgb24")
        frame.pts, frame.time_base = number, beat
        source.push(frame)
    source.push(None)

    aside = path.with_name(f".{path.name}.partial")
    with av.open(str(aside), "w", format="gif") as file:
        stream = file.add_stream("gif", rate=1 / beat)
        stream.width, stream.height, stream.pix_fmt = width, height, "pal8"
        with contextlib.suppress(av.error.EOFError):
            while True:
                file.mux(stream.encode(sink.pull()))
        file.mux(stream.encode(None))
    aside.replace(path)
