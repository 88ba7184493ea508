"""Draws where the bundled weights fail: the worst frames of a clip, beside truth and the default.

python recipes/failures.py --clip=samples/clip.mp4 --output=failures.png
"""

from pathlib import Path

import numpy as np
from absl import flags

from tfvfi import registry
from tfvfi.cli import command
from tfvfi.media.source import open_source
from tfvfi.video.show import contact_sheet

# Frames between two that are kept, pictures shown, and what differences are multiplied by.
APART, SHOWN, GAIN = 4, 3, 4
NAMES = ("ifrnet_s", "flow_interpolation")

FLAGS = flags.FlagValues()
flags.DEFINE_string("clip", "samples/clip.mp4", "a video", flag_values=FLAGS)
flags.DEFINE_string("output", None, "a PNG file", flag_values=FLAGS)
flags.mark_flags_as_required(["output"], flag_values=FLAGS)


def main() -> None:
    """Interpolates between frames four apart and shows the worst."""
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
