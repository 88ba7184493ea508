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

from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

if TYPE_CHECKING:
    from tfvfi.data.records import Records
    from tfvfi.registry import ModelSpec

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
    """Flags in, a folder of flow or of records out."""
    label() if FLAGS.records else render()


def label() -> None:
    """Writes records with flow."""
    made = label_records(FLAGS.records, FLAGS.output, _spec(), FLAGS.overwrite)
    for split in made.splits:
        examples = sum(shard.examples for shard in made.shards(split))
        print(f"{split}: {examples} examples with flow in {FLAGS.output}")


def label_records(
    records: str | Path, output: str | Path, spec: "ModelSpec", overwrite: bool = False
) -> "Records":
    """Makes records with the flow that a network estimates out of records without.

    Args:
        records: A records folder; it stays as it is.
        output: The folder of the new ones; what an interrupted call left in it is completed.
        spec: The flow estimator.
        overwrite: Replace records that exist.

    Returns:
        The new records, whose batches hold "flow", see `tfvfi.data.load`.
    """
    from tfvfi.data.pseudo_labels import add_flow

    network = spec.load_estimator()
    known = spec.identity()
    estimator = {key: known[key] for key in ("model", "weights_sha256", "options") if known[key]}
    return add_flow(records, output, network.estimate_batch, estimator, overwrite)


def render() -> None:
    """Writes files of flow and pictures."""
    from tfvfi.flow.sequence import estimate_sequence, flow_files

    rows = estimate_sequence(
        FLAGS.input,
        FLAGS.output,
        None if flow_files(FLAGS.input) else _spec().load_estimator(),
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


def _spec() -> "ModelSpec":
    from tfvfi.registry import ModelSpec

    return ModelSpec.parse(FLAGS.model, FLAGS.weights)
