"""Bundles trained weights with the package, at 16 bits per value and with their description.

python recipes/bundle.py --trained=3_longer.weights.h5 --output=tfvfi/bundled/ifrnet_s.weights.h5
"""

from absl import flags

from tfvfi import registry, startup, weights
from tfvfi.cli import command
from tfvfi.errors import InputError

FLAGS = flags.FlagValues()
flags.DEFINE_string("trained", None, "what tools/train.py exported", flag_values=FLAGS)
flags.DEFINE_string("output", None, "a .weights.h5 file of the package", flag_values=FLAGS)
flags.mark_flags_as_required(["trained", "output"], flag_values=FLAGS)

ABOUT = {
    "origin": "trained by recipes/ifrnet_s.sh",
    "trained_on": "procedural scenes of the pictures that tfvfi/bundled/sources.md lists",
    "licence": "Apache-2.0",
}
# The parts of a training's description that reveal no local paths.
KEPT = ("options", "metrics", "git")


def main() -> None:
    """Writes the bundled file."""
    startup.import_keras()
    about = weights.describe(FLAGS.trained)
    if not {"model", *KEPT} <= about.keys():
        raise InputError(f"{FLAGS.trained} was not exported by tools/train.py; name what was")
    network = registry.load(about["model"], FLAGS.trained)
    told = {key: about[key] for key in KEPT}
    weights.save(network, FLAGS.output, half=True, **ABOUT, **told)


if __name__ == "__main__":
    command.run(main, FLAGS)
