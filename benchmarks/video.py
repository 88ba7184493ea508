"""Measures whole videos with twice the rate: time, the network's share of it, and memory.

    python benchmarks/video.py --input=clip.mp4 --sources=CLONES
    python benchmarks/video.py --sizes=256x144 --frames=6 --longer=0 --others=

The content of --input is enlarged to each of the --sizes. Our chains are what `tools/interpolate.py
--factor=2` runs. Beside them run the filter minterpolate, if FFmpeg is installed, and a script that
decodes with OpenCV, renders with the authors' IFRNet small in PyTorch, and encodes with OpenCV; its
repository is cloned into --sources. All chains take turns in every round. Our chains also run on a
clip of the first size that is --longer times as long: memory must not grow.

The table is written after every clip; measuring a clip again replaces its rows.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from absl import flags
from originals import arguments, sources
from originals.catalog import ORIGINALS
from videos import chains, clip, table

from tfvfi import machine, registry
from tfvfi.cli import command
from tfvfi.errors import ArgumentError, InputError
from tfvfi.options import frame_size

OTHERS = ["minterpolate", "torch"]
SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "clip.mp4"
IFRNET = "ifrnet_s"

FLAGS = flags.FlagValues()
flags.DEFINE_string("input", str(SAMPLE), "a clip, for the content", flag_values=FLAGS)
flags.DEFINE_list("sizes", ["1920x1080", "3840x2160"], "width x height", flag_values=FLAGS)
flags.DEFINE_list("frames", ["12", "6"], "source frames, for each size", flag_values=FLAGS)
flags.DEFINE_integer("longer", 3, "times; 0 for no longer clip", 0, flag_values=FLAGS)
flags.DEFINE_list("models", [IFRNET], "our networks, by name", flag_values=FLAGS)
flags.DEFINE_list("qualities", ["balanced"], "our settings of --quality", flag_values=FLAGS)
flags.DEFINE_list("others", OTHERS, "minterpolate, torch", flag_values=FLAGS)
flags.DEFINE_integer("rounds", 1, "runs of every chain", 1, flag_values=FLAGS)
flags.DEFINE_float("limit", 900.0, "seconds that a run may take", 1.0, flag_values=FLAGS)
arguments.define_folders(FLAGS)


def main() -> None:
    """Measures every clip and writes the table after each."""
    lengths = _lengths()
    if not Path(FLAGS.input).is_file():
        raise InputError(f"there is no video {FLAGS.input}")
    ours, others = _ours(), _others()
    print(machine.describe(), flush=True)
    for at, (size, frames) in enumerate(lengths.items()):
        _measure(size, frames, {**ours, **others})
        if at == 0 and FLAGS.longer:
            _measure(size, FLAGS.longer * frames, ours)


def _measure(size: str, frames: int, compared: Mapping[str, chains.Chain]) -> None:
    """Measures all chains with one clip, and adds their rows to the table."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        made = clip.enlarged(Path(FLAGS.input), scratch / "clip.mp4", _sides(size), frames)
        runs: dict[str, list[chains.Run]] = {name: [] for name in compared}
        for number in range(FLAGS.rounds):
            for name, chain in compared.items():
                if any(run.refused for run in runs[name]):
                    continue
                run = chains.run(chain, made, scratch, FLAGS.limit)
                runs[name].append(run)
                seen = run.refused or f"{run.seconds:.1f} s"
                print(f"{frames} of {size}, round {number + 1}, {name}: {seen}", flush=True)
    content = Path(FLAGS.input).name
    found = list(table.rows(size, frames, content, runs, first=next(iter(compared))))
    table.write(found, Path(FLAGS.results))


def _ours() -> dict[str, chains.Chain]:
    for name in FLAGS.models:
        registry.preset(name)
    for name in FLAGS.qualities:
        registry.chosen(None, name)
    choices = [f"--model={name}" for name in FLAGS.models]
    choices += [f"--quality={name}" for name in FLAGS.qualities]
    if not choices:
        raise ArgumentError("name at least one of `models` or `qualities`")
    return {choice: chains.ours(choice) for choice in choices}


def _others() -> dict[str, chains.Chain]:
    unknown = [name for name in FLAGS.others if name not in OTHERS]
    if unknown:
        raise ArgumentError(f"`others` takes {', '.join(OTHERS)}. Received: {unknown[0]!r}")
    found: dict[str, chains.Chain] = {}
    if "minterpolate" in FLAGS.others:
        found |= chains.minterpolated()
    if "torch" in FLAGS.others:
        found |= chains.in_torch(sources.fetch(ORIGINALS[IFRNET], Path(FLAGS.sources)).resolve())
    return found


def _lengths() -> dict[str, int]:
    """Returns the number of source frames for each size."""
    for size in FLAGS.sizes:
        _sides(size)
    if not FLAGS.sizes or len(FLAGS.frames) != len(FLAGS.sizes):
        raise ArgumentError(
            f"`frames` takes one number for each of `sizes`. Received: {','.join(FLAGS.frames)} "
            f"for {','.join(FLAGS.sizes)}"
        )
    if not all(each.isdigit() and int(each) > 1 for each in FLAGS.frames):
        raise ArgumentError(f"`frames` takes numbers from 2 on. Received: {','.join(FLAGS.frames)}")
    return dict(zip(FLAGS.sizes, map(int, FLAGS.frames), strict=True))


def _sides(size: str) -> tuple[int, int]:
    width, height = frame_size(size)
    if width % 2 or height % 2:
        raise ArgumentError(f"the sides of `sizes` are even, as H.264 requires. Received: {size}")
    return width, height


if __name__ == "__main__":
    command.run(main, FLAGS)
