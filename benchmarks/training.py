"""Compares training steps per second with those of the authors' networks in PyTorch.

    python benchmarks/training.py --networks=ifrnet_s,rife_v4_0,sepconv
    python benchmarks/training.py --networks=ifrnet_s --rounds=3 --results=/tmp/training

The authors' repositories are cloned with git into --sources; none of their code is kept here. All
engines train with the same batch, crop, objective and optimizer, each in a process of its own, and
take turns: a pause in which the threads of the previous engine become idle, a step that is not
counted, because processors need a moment to wake up, and one that is. PyTorch runs eagerly, in
channels-last memory, and through torch.compile. The table is written after every network. Measuring
a network again replaces its rows. An engine that fails, or takes longer than --limit for a step,
gets a row with the reason.
"""

import datetime
import importlib.metadata
import statistics
import time
from pathlib import Path

from absl import flags
from originals import arguments, sources, training_table
from originals.catalog import GITHUB, ORIGINALS
from originals.steps import ENGINES, OBJECTIVES, Work
from originals.trainee import Trainee

from tfvfi import machine
from tfvfi.benchmark.contender import RefusedError
from tfvfi.benchmark.engines import OWN
from tfvfi.benchmark.timing import PAUSE
from tfvfi.cli import command

NETWORKS = ("ifrnet_s", "rife_v4_0", "sepconv", "ifrnet", "ifrnet_l")
# Turns of every engine, with two steps each, that compile and allocate memory.
FIRST = 1

FLAGS = flags.FlagValues()
flags.DEFINE_list("networks", list(NETWORKS[:3]), "our networks, by name", flag_values=FLAGS)
flags.DEFINE_list("engines", list(ENGINES), "what runs the originals", flag_values=FLAGS)
flags.DEFINE_integer("rounds", 10, "turns of each engine", 1, flag_values=FLAGS)
flags.DEFINE_integer("threads", None, "of each engine; one a core by default", 1, flag_values=FLAGS)
flags.DEFINE_integer("batch_size", 8, "examples of a step", 1, flag_values=FLAGS)
flags.DEFINE_integer("crop_size", 128, "side of the crops", 16, flag_values=FLAGS)
flags.DEFINE_float("limit", 600.0, "seconds that a step may take", 1.0, flag_values=FLAGS)
arguments.define_folders(FLAGS)


def main() -> None:
    """Measures every network and writes the table after each."""
    arguments.check_names("networks", FLAGS.networks, list(NETWORKS))
    arguments.check_names("engines", FLAGS.engines, list(ENGINES))
    print(machine.describe(_threads()), flush=True)
    results = Path(FLAGS.results)
    for name in FLAGS.networks:
        earlier = training_table.read(results / "training.csv")
        training_table.write(training_table.merged(earlier, measure(name)), results)


def measure(name: str) -> list[training_table.Row]:
    """Returns a row for every engine."""
    clone = sources.fetch(ORIGINALS[name], Path(FLAGS.sources).resolve())
    sizes = FLAGS.batch_size, FLAGS.crop_size, _threads()
    trainees = {
        engine: Trainee(Work(engine, name, str(clone), *sizes), FLAGS.limit)
        for engine in (OWN, *FLAGS.engines)
    }
    refused: dict[str, str] = {}
    try:
        for number in range(FIRST + FLAGS.rounds):
            for engine, trainee in trainees.items():
                if engine in refused:
                    continue
                time.sleep(PAUSE)
                try:
                    trainee.step(counted=False)
                    seen = f"{trainee.step(counted=number >= FIRST):.3f} s"
                except RefusedError as error:
                    seen = refused[engine] = str(error)
                    trainee.stop()
                print(f"{name}, turn {number + 1}, {engine}: {seen}", flush=True)
    finally:
        for trainee in trainees.values():
            trainee.stop()
    taken = {engine: trainee for engine, trainee in trainees.items() if engine not in refused}
    ours = statistics.median(taken[OWN].seconds) if OWN in taken else None
    return [
        _row(name, engine, trainee, refused.get(engine, ""), ours, sources.commit(clone))
        for engine, trainee in trainees.items()
    ]


def _row(
    name: str, engine: str, trainee: Trainee, refused: str, ours: float | None, commit: str
) -> training_table.Row:
    original, seconds = ORIGINALS[name], trainee.seconds
    median = None if refused else statistics.median(seconds)
    package = "tensorflow" if engine == OWN else "torch"
    return training_table.Row(
        network=name,
        batch_size=FLAGS.batch_size,
        crop_size=FLAGS.crop_size,
        engine=engine,
        version=f"{package} {importlib.metadata.version(package)}",
        objective=OBJECTIVES.get(name, "l1"),
        steps=len(seconds) if median else 0,
        median_s=median and round(median, 4),
        lowest_s=median and round(min(seconds), 4),
        highest_s=median and round(max(seconds), 4),
        ours_is_faster=median and ours and round(median / ours, 3),
        peak_mib=median and round(trainee.peak_mib),
        original=f"{GITHUB}{original.repository} at {commit}",
        licence=original.licence,
        note=refused or original.note * (engine != OWN),
        machine=machine.describe(_threads()),
        threads=_threads(),
        measured=datetime.date.today().isoformat(),
    )


def _threads() -> int:
    return FLAGS.threads or machine.cores()


if __name__ == "__main__":
    command.run(main, FLAGS)
