"""Measures our networks beside the ones their authors published, and writes one table.

    python benchmarks/peers.py --networks=ifrnet_s,rife_v4_0 --size=1280x720
    python benchmarks/peers.py --networks=film --size=256x128 --rounds=1 --results=/tmp/peers

The authors' repositories are cloned with git into --sources; none of their code is kept here. All
engines take their turns in every round, each in a process of its own. The table is written after
every network. Measuring a network again replaces its rows, so that the table can be filled network
by network. An engine that fails, or takes longer than --limit, gets a row with the reason.
"""

import tempfile
from pathlib import Path

from absl import flags
from originals import arguments, measuring, table
from originals.catalog import ORIGINALS
from originals.engines import ENGINES

from tfvfi import machine
from tfvfi.cli import command
from tfvfi.options import frame_size

PRECISIONS = ["float32", "bfloat16"]
OTHERS = [name for kind in ENGINES.values() for name in kind]

FLAGS = flags.FlagValues()
flags.DEFINE_list("networks", list(ORIGINALS), "our networks, by name", flag_values=FLAGS)
flags.DEFINE_string("size", "1280x720", "width x height of the frames", flag_values=FLAGS)
flags.DEFINE_integer("rounds", 2, "turns of every engine", 1, flag_values=FLAGS)
flags.DEFINE_integer("runs", 3, "runs in a turn, after a first one", 1, flag_values=FLAGS)
flags.DEFINE_integer("threads", None, "of each engine; one a core by default", 1, flag_values=FLAGS)
flags.DEFINE_list("engines", OTHERS, "what runs the originals", flag_values=FLAGS)
flags.DEFINE_list("precisions", PRECISIONS, "float32, bfloat16", flag_values=FLAGS)
flags.DEFINE_float("limit", 600.0, "seconds that a turn may take", 1.0, flag_values=FLAGS)
arguments.define_folders(FLAGS)


def main() -> None:
    """Measures every network and writes the table after each."""
    arguments.check_names("networks", FLAGS.networks, list(ORIGINALS))
    arguments.check_names("engines", FLAGS.engines, OTHERS)
    arguments.check_names("precisions", FLAGS.precisions, PRECISIONS)
    width, height = frame_size(FLAGS.size)
    plan = measuring.Plan(
        width=width,
        height=height,
        precisions=FLAGS.precisions,
        engines=FLAGS.engines,
        rounds=FLAGS.rounds,
        runs=FLAGS.runs,
        limit=FLAGS.limit,
        threads=FLAGS.threads or machine.cores(),
        sources=Path(FLAGS.sources),
    )
    print(machine.describe(plan.threads), flush=True)
    results = Path(FLAGS.results)
    for name in FLAGS.networks:
        with tempfile.TemporaryDirectory() as folder:
            found = measuring.measure(name, plan, Path(folder), _note)
        table.write(
            table.merged(table.read(results / "peers.csv"), found, list(ORIGINALS)), results
        )


def _note(sentence: str) -> None:
    print(sentence, flush=True)


if __name__ == "__main__":
    command.run(main, FLAGS)
