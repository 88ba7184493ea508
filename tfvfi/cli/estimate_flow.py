"""Estimates optical flow: .flo files, color pictures with their legend, a GIF and statistics.

The input is a folder of images, images in order, or a video; or .flo files, which are only shown.
In the pictures the hue is the direction and the saturation the length (Middlebury's wheel).
Or writes flow into records, from the frames between to both ends, for other networks to learn.

    python tools/estimate_flow.py --input=frames --output=out/flow
    python tools/estimate_flow.py --model=flownet2 --weights=flownet2.weights.h5 \\
        --input=a.png --input=b.png --output=out/flow
    python tools/estimate_flow.py --model=flownet2 --weights=flownet2.weights.h5 \\
        --records=records/mine --output=records/mine_flow
"""

from typing import Any

from absl import flags

FLAGS = flags.FlagValues()
flags.DEFINE_multi_string(
    "input", None, "folder, video, image or .flo file; repeatable", flag_values=FLAGS
)
flags.DEFINE_string("records", None, "records folder, to make one with flow of", flag_values=FLAGS)
flags.DEFINE_string("output", None, "folder to write into", flag_values=FLAGS)
flags.DEFINE_string(
    "model", "dis", "flow estimator, name or name,option=value,...", flag_values=FLAGS
)
flags.DEFINE_string("weights", "default", "its *.weights.h5 file", flag_values=FLAGS)
flags.DEFINE_float(
    "longest",
    None,
    "length in pixels that gets the full hue; the sequence's own by default",
    flag_values=FLAGS,
)
flags.DEFINE_float("fps", 8.0, "pictures a second in the GIF", flag_values=FLAGS)
flags.DEFINE_boolean("overwrite", False, "replace what an earlier run wrote", flag_values=FLAGS)
flags.mark_flags_as_mutual_exclusive(["input", "records"], required=True, flag_values=FLAGS)
flags.mark_flag_as_required("output", flag_values=FLAGS)


def main() -> None:
    """Flags in, a folder of flows or of records out."""
    label() if FLAGS.records else show()


def label() -> None:
    """Records with flow."""
    from tfvfi.flow.sequence import label_records

    made = label_records(FLAGS.records, FLAGS.output, **_model(), overwrite=FLAGS.overwrite)
    for split in made.splits:
        examples = sum(shard.examples for shard in made.shards(split))
        print(f"{split}: {examples} examples with flow in {FLAGS.output}")


def _model() -> dict[str, Any]:
    from tfvfi.options import named

    model, options = named(FLAGS.model)
    weights = options.pop("weights", FLAGS.weights)
    return {"model": model, "weights": weights, "options": options}


def show() -> None:
    """Files of flow and pictures."""
    from tfvfi.flow.sequence import estimate_sequence

    rows = estimate_sequence(
        FLAGS.input,
        FLAGS.output,
        **_model(),
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
