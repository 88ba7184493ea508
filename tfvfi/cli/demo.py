"""Interpolates the sample clip 4x and writes a video, a comparison and a contact sheet.

python tools/demo.py --output=out
"""

from pathlib import Path

from absl import flags

FLAGS = flags.FlagValues()
flags.DEFINE_string("input", "samples/clip.mp4", "a video", flag_values=FLAGS)
flags.DEFINE_string("output", "out", "a folder", flag_values=FLAGS)
flags.DEFINE_string(
    "model", "flow_interpolation", "the network, name or name,option=value,...", flag_values=FLAGS
)
flags.DEFINE_string("weights", "default", "its .weights.h5 file", flag_values=FLAGS)
flags.DEFINE_bool("overwrite", False, "replace what an earlier run made", flag_values=FLAGS)


def main() -> None:
    """Writes the three files and prints their paths."""
    from tfvfi.registry import ModelSpec
    from tfvfi.video import demo

    model = ModelSpec.parse(FLAGS.model, FLAGS.weights)
    for path in demo.run(Path(FLAGS.input), Path(FLAGS.output), model, FLAGS.overwrite):
        print(path)
