"""Estimates optical flow: .flo files, color pictures with their legend, a GIF and statistics.

The input is a folder of images, images in order, or a video; or .flo files, which are only shown.
In the pictures the hue is the direction and the saturation the length (Middlebury's wheel).

    python tools/estimate_flow.py --input=frames --output=out/flow
    python tools/estimate_flow.py --model=flownet2 --weights=flownet2.weights.h5 \\
        --input=a.png --input=b.png --output=out/flow
"""

from absl import flags

from tfvfi import command

FLAGS = flags.FlagValues()
flags.DEFINE_multi_string(
    "input", None, "folder, video, image or .flo file; repeatable", flag_values=FLAGS
)
flags.DEFINE_string("output", None, "folder to write into", flag_values=FLAGS)
flags.DEFINE_string("model", "dis", "flow estimator, as in tfvfi.list_models()", flag_values=FLAGS)
flags.DEFINE_string("weights", "default", "its *.weights.h5 file", flag_values=FLAGS)
flags.DEFINE_float(
    "longest",
    None,
    "length in pixels that gets the full hue; the sequence's own by default",
    flag_values=FLAGS,
)
flags.DEFINE_float("fps", 8.0, "pictures a second in the GIF", flag_values=FLAGS)
flags.DEFINE_boolean("overwrite", False, "replace what an earlier run wrote", flag_values=FLAGS)
flags.mark_flags_as_required(["input", "output"], flag_values=FLAGS)


def main() -> None:
    """Flags in, a folder of flows out."""
    from tfvfi.evaluation.flow_sequence import estimate_sequence

    rows = estimate_sequence(
        FLAGS.input,
        FLAGS.output,
        model=FLAGS.model,
        weights=FLAGS.weights,
        longest=FLAGS.longest,
        fps=FLAGS.fps,
        overwrite=FLAGS.overwrite,
    )
    for row in rows:
        print(
            f"{row['flow']}: mean ({row['mean_x']:.2f}, {row['mean_y']:.2f}) px, "
            f"length mean {row['mean_length']:.2f}, median {row['median_length']:.2f}, "
            f"longest {row['max_length']:.2f}"
        )
    print(f"wrote {len(rows)} flows to {FLAGS.output}")


if __name__ == "__main__":
    command.run(main, FLAGS)
