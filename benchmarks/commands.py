"""Times whole commands side by side: the settings of `--quality`, networks, and minterpolate.

    python benchmarks/commands.py --input=clip_720p.mp4 --rounds=3
    python benchmarks/commands.py --input=clip_720p.mp4 --model=ifrnet_s --model=rife_v4_0

Every round runs every command once, in the same order, so that other work on the machine affects
all of them. The table names the machine and relates every median to that of the first model.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import minterpolate
from absl import flags

from tfvfi import machine, registry
from tfvfi.cli import command
from tfvfi.errors import InputError
from tfvfi.media.source import open_source

FLAGS = flags.FlagValues()
flags.DEFINE_string("input", None, "a video", flag_values=FLAGS)
flags.DEFINE_multi_string("model", ["ifrnet_s"], "a network; repeatable", flag_values=FLAGS)
flags.DEFINE_integer("rounds", 3, "runs of every command", 1, flag_values=FLAGS)
flags.DEFINE_string("results", "benchmarks/results", "where the table goes", flag_values=FLAGS)
flags.mark_flag_as_required("input", flag_values=FLAGS)

INTERPOLATE = Path(__file__).resolve().parents[1] / "tools" / "interpolate.py"


def main() -> None:
    """Runs the commands and writes the table."""
    if not Path(FLAGS.input).is_file():
        raise InputError(f"there is no video {FLAGS.input}")
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(FLAGS.rounds):
            for name, line in commands(Path(folder)).items():
                start = time.perf_counter()
                subprocess.run(line, check=True, capture_output=True)
                seconds.setdefault(name, []).append(time.perf_counter() - start)
                print(number + 1, name, f"{seconds[name][-1]:.1f} s", flush=True)
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    first = next(iter(medians.values()))
    clip = Path(FLAGS.input).name
    lines = [
        "# Whole commands, twice the rate",
        "",
        f"Written by `benchmarks/commands.py` for {clip} on {machine.processor()}, "
        f"{machine.cores()} cores; medians of {FLAGS.rounds} interleaved rounds.",
        "",
        f"| command | seconds | relative to {next(iter(medians))} |",
        "|---|---|---|",
        *(f"| {name} | {each:.1f} | {each / first:.2f} |" for name, each in medians.items()),
    ]
    folder = Path(FLAGS.results)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "commands.md").write_text("\n".join(lines) + "\n")


def commands(folder: Path) -> dict[str, list[str]]:
    """Returns the commands by the names of the table."""
    ours = [sys.executable, str(INTERPOLATE), f"--input={FLAGS.input}", "--overwrite", "--factor=2"]
    found = {name: [*ours, f"--model={name}"] for name in FLAGS.model}
    found |= {f"--quality={name}": [*ours, f"--quality={name}"] for name in registry.QUALITIES}
    found = {
        name: [*line, f"--output={folder / f'{at}.mp4'}"]
        for at, (name, line) in enumerate(found.items())
    }
    if minterpolate.installed():
        rate = 2 * open_source([FLAGS.input]).rate
        found[minterpolate.NAME] = minterpolate.command_line(
            FLAGS.input, rate, folder / "ffmpeg.mp4"
        )
    return found


if __name__ == "__main__":
    command.run(main, FLAGS)
