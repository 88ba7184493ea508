"""Interpolates the sample clip 4x and writes a video and three comparisons.

python tools/demo.py --output=out
"""

from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

if TYPE_CHECKING:
    from tfvfi.registry import ModelSpec

FLAGS = flags.FlagValues()
flags.DEFINE_string("input", "samples/clip.mp4", "a video", flag_values=FLAGS)
flags.DEFINE_string("output", "out", "a folder", flag_values=FLAGS)
flags.DEFINE_string(
    "model",
    None,
    "the network, name or name,option=value,...; by default that of --quality=best, whose weights "
    "are downloaded first, or the default network if they cannot be",
    flag_values=FLAGS,
)
flags.DEFINE_string("weights", "default", "its .weights.h5 file", flag_values=FLAGS)
flags.DEFINE_bool("overwrite", False, "replace what an earlier run made", flag_values=FLAGS)


def main() -> None:
    """Writes the four files and prints their paths."""
    from tfvfi.registry import ModelSpec
    from tfvfi.video import demo

    model = ModelSpec.parse(FLAGS.model, FLAGS.weights) if FLAGS.model else best()
    for path in demo.run(Path(FLAGS.input), Path(FLAGS.output), model, FLAGS.overwrite):
        print(path)


def best() -> "ModelSpec":
    """Returns the model of the best quality whose weights are in the cache or can be downloaded."""
    from tfvfi import porting
    from tfvfi.errors import InputError
    from tfvfi.models.index import with_members
    from tfvfi.registry import DEFAULT_QUALITY, QUALITIES

    model = QUALITIES["best"]
    try:
        for member in with_members(model.name)[1:]:
            if member.has_weights:
                porting.download(member.name, note=print)
    except InputError as problem:
        model = QUALITIES[DEFAULT_QUALITY]
        print(f"{model.name}, which needs no weights, renders the demo: {problem}")
    return model
