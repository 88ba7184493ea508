"""Flows of a sequence of frames: .flo files, then pictures, an animation and a table of them.

Flows are written as they are estimated and read back for the pictures, which share one scale: so
memory holds two frames however long the sequence is, and .flo files alone are input as well.
"""

import contextlib
import csv
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfvfi.data.flo import read_flo, write_flo
from tfvfi.errors import InputError
from tfvfi.evaluation.flow_pictures import flow_to_color, longest_shown, statistics, with_legend

if TYPE_CHECKING:
    from tfvfi.models.base import FlowEstimator

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm")
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
    longest: float | None = None,
    fps: float = 8.0,
    overwrite: bool = False,
) -> list[dict[str, float | str]]:
    """Estimates the flow from each frame to the next and shows it.

    Args:
        inputs: Images in order, or one folder of them, or one video; or .flo files, or a folder
            that has some, which are then only shown.
        output: A folder: gets a .flo file and a .png picture for each pair, `statistics.csv`, and
            for several pairs `flow.gif`.
        model: A flow estimator of `tfvfi.list_models()`.
        weights: As for `tfvfi.load`.
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
    if (output / TABLE).exists() and not overwrite:
        raise InputError(f"{output} holds flows already; name another folder, or pass --overwrite")
    paths = _expand([Path(path) for path in inputs])
    if output.resolve() in {path.parent.resolve() for path in paths}:
        raise InputError(f"{output} is where the input lies; name another folder for the pictures")
    if all(path.suffix.lower() == ".flo" for path in paths):
        flows = paths
    else:
        flows = list(_estimate(paths, output, _estimator(model, weights)))
        if not flows:
            raise InputError("a flow leads from one frame to the next: give at least two frames")
    output.mkdir(parents=True, exist_ok=True)
    return _show(flows, output, longest, fps)


def _expand(paths: list[Path]) -> list[Path]:
    """The files meant: those of a folder, in order, or the ones named."""
    if not paths:
        raise InputError("no input was named")
    for path in paths:
        if not path.exists():
            raise InputError(f"there is no input {path}")
    if len(paths) > 1 or not paths[0].is_dir():
        if any(path.is_dir() for path in paths):
            raise InputError("name one folder, or files, but not both")
        return paths
    found = sorted(path for path in paths[0].iterdir() if path.is_file())
    for suffixes in ((".flo",), IMAGES):
        wanted = [path for path in found if path.suffix.lower() in suffixes]
        if wanted:
            return wanted
    raise InputError(f"{paths[0]} holds neither images ({', '.join(IMAGES)}) nor .flo files")


def _estimator(name: str, weights: str | Path | None) -> "FlowEstimator":
    from tfvfi import registry

    if registry.preset(name).kind != "flow":
        names = [name for name, known in registry.presets().items() if known.kind == "flow"]
        raise InputError(f"{name} estimates no flow; those that do are: {', '.join(names)}")
    return registry.load(name, weights=weights)


def _estimate(paths: list[Path], output: Path, model: "FlowEstimator") -> Iterator[Path]:
    """Writes the flow of each pair; yields where it was written."""
    stems = [path.stem for path in paths]
    named = len(set(stems)) == len(stems) > 1
    before = None
    for number, frame in enumerate(_frames(paths)):
        if before is not None:
            path = output / f"{stems[number - 1] if named else f'{number - 1:06d}'}.flo"
            write_flo(path, model.estimate(before, frame))
            yield path
        before = frame


def _frames(paths: list[Path]) -> Iterator[np.ndarray]:
    if len(paths) == 1 and paths[0].suffix.lower() not in IMAGES:
        yield from _decode(paths[0])
        return
    import cv2

    for path in paths:
        frame = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
        if frame is None:
            raise InputError(f"{path} cannot be read as an image")
        yield np.ascontiguousarray(frame[..., ::-1])


def _decode(path: Path) -> Iterator[np.ndarray]:
    import av

    try:
        with av.open(str(path)) as video:
            if not video.streams.video:
                raise InputError(f"{path} has no video in it")
            for frame in video.decode(video=0):
                yield frame.to_ndarray(format="rgb24")
    except av.error.FFmpegError as error:
        raise InputError(f"{path} cannot be decoded: {error.strerror}") from None


def _show(flows: list[Path], output: Path, longest: float | None, fps: float) -> list[dict]:
    import cv2

    longest = longest or max(longest_shown([read_flo(path)]) for path in flows)
    rows = []
    for path in flows:
        flow = read_flo(path)
        rows.append({"flow": path.name, **statistics(flow)})
        picture = with_legend(flow_to_color(flow, longest), longest)
        cv2.imwrite(str(output / f"{path.stem}.png"), picture[..., ::-1])
    if len(flows) > 1:
        shown = flows[:: -(-len(flows) // ANIMATION_PICTURES)]
        pictures = (cv2.imread(str(output / f"{path.stem}.png"))[..., ::-1] for path in shown)
        write_gif(output / ANIMATION, pictures, fps)
    with (output / TABLE).open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(rows)
    return rows


def write_gif(path: Path, pictures: Iterator[np.ndarray], fps: float) -> None:
    """Writes an animation whose palette is made for its pictures.

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
    use, sink = graph.add("paletteuse", "dither=none"), graph.add("buffersink")
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

    with av.open(str(path), "w", format="gif") as file:
        stream = file.add_stream("gif", rate=1 / beat)
        stream.width, stream.height, stream.pix_fmt = width, height, "pal8"
        with contextlib.suppress(av.error.EOFError):
            while True:
                file.mux(stream.encode(sink.pull()))
        file.mux(stream.encode(None))
