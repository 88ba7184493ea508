"""Draws the worst frames of the bundled weights on a clip, beside the truth and the default.

python recipes/failures.py --clip=samples/clip.mp4 --output=failures.png
"""

from pathlib import Path

import numpy as np
from absl import flags

from tfvfi import registry
from tfvfi.cli import command
from tfvfi.media.source import open_source
from tfvfi.video.show import contact_sheet

# Distance between kept frames, number of pictures shown, and factor that amplifies differences.
APART, SHOWN, GAIN = 4, 3, 4
NAMES = ("ifrnet_s", "flow_interpolation")

FLAGS = flags.FlagValues()
flags.DEFINE_string("clip", "samples/clip.mp4", "a video", flag_values=FLAGS)
flags.DEFINE_string("output", None, "a PNG file", flag_values=FLAGS)
flags.mark_flags_as_required(["output"], flag_values=FLAGS)


def main() -> None:
    """Interpolates between frames that are four apart and shows the worst results."""
    frames = [shown.image for shown in open_source([FLAGS.clip])]
    networks = [registry.load_interpolator(name) for name in NAMES]
    rows = []
    for start in range(0, len(frames) - APART, APART):
        first, truth, second = frames[start : start + APART + 1 : APART // 2]
        painted = [network.interpolate(first, second)[0] for network in networks]
        errors = [np.abs(frame.astype(int) - truth) for frame in painted]
        maps = [np.clip(GAIN * error, 0, 255).astype("uint8") for error in errors]
        shown = [truth, painted[0], maps[0], painted[1], maps[1]]
        rows.append((np.square(errors[0]).mean(), shown))
    rows.sort(key=lambda row: -row[0])
    titles = ["truth", *(text for name in NAMES for text in (name, f"its error x {GAIN}"))]
    contact_sheet([shown for _, shown in rows[:SHOWN]], titles, Path(FLAGS.output))


if __name__ == "__main__":
    command.run(main, FLAGS)
