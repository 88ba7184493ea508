"""Estimates optical flow as .flo files, color pictures with a legend, a GIF and statistics.

The input is a folder of images, images in order, or a video. It may also be .flo files, which are
only rendered as pictures. In the pictures the hue is the direction and the saturation the length
(Middlebury's color wheel). With --records, it writes records that also hold the flow from the
frames between to both outer frames, from which other networks can learn.

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
    """Writes the flow or the records that the flags describe."""
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
    """Creates records with estimated flow from records without flow.

    Args:
        records: The folder of the given records, which is not changed.
        output: The folder for the new records. An interrupted call is resumed.
        spec: The flow estimator.
        overwrite: Whether to replace existing records.

    Returns:
        The new records, whose batches hold "flow"; see `tfvfi.data.load`.
    """
    from tfvfi.data.pseudo_labels import add_flow

    network = spec.load_estimator()
    known = spec.identity()
    estimator = {key: known[key] for key in ("model", "weights_sha256", "options") if known[key]}
    return add_flow(records, output, network.estimate_batch, estimator, overwrite)


def render() -> None:
    """Writes flow files and pictures, and prints statistics."""
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
