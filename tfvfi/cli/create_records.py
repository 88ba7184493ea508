"""Creates a training dataset from videos: patches of consecutive frames in TFRecord files.

Patches are taken where there is motion and texture, and never across a cut. The output is a folder
that tfvfi.data.load and TensorFlow Datasets read, with a manifest and, for inspection, a contact
sheet of random samples and a histogram of motion. To continue an interrupted run, repeat the
command.

    python tools/create_records.py --videos=clips/ --output=records/mine
    python tools/create_records.py --videos='clips/**/*.mp4' --output=records/mine8x --frames=9
    python tools/create_records.py --videos=frames/ --output=records/drawn   # frame_0001.png ...
    python tools/create_records.py --videos=clips/ --output=gs://bucket/mine \\
        --runner=FlinkRunner --beam=--flink_master=host:8081
"""

from absl import flags

from tfvfi.errors import InputError

FLAGS = flags.FlagValues()
flags.DEFINE_string("videos", None, "folder of videos or frames, or a pattern", flag_values=FLAGS)
flags.DEFINE_string("output", None, "folder to write", flag_values=FLAGS)
flags.DEFINE_integer(
    "frames",
    3,
    "frames in a row: 3, 9 for times in eighths, 25 for cycle training",
    lower_bound=2,
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "patch_size", 150, "height and width of a patch", lower_bound=16, flag_values=FLAGS
)
flags.DEFINE_integer(
    "shrink",
    1,
    "make frames so many times smaller first: takes traces of compression away",
    lower_bound=1,
    flag_values=FLAGS,
)
flags.DEFINE_integer(
    "patches_per_video", 200, "the most that one video gives", lower_bound=1, flag_values=FLAGS
)
flags.DEFINE_float(
    "validation", 0.1, "share of the videos to validate with", 0.0, 0.9, flag_values=FLAGS
)
flags.DEFINE_enum("encoding", "png", ["png", "jpeg", "webp"], "of the frames", flag_values=FLAGS)
flags.DEFINE_integer("quality", 95, "of JPEG and WebP", 1, 100, flag_values=FLAGS)
flags.DEFINE_integer("shard_mb", 128, "size of a shard", lower_bound=1, flag_values=FLAGS)
flags.DEFINE_integer("seed", 0, "others take other patches", flag_values=FLAGS)
flags.DEFINE_enum(
    "damaged", "stop", ["stop", "keep"], "skip damaged videos, or keep the rest", flag_values=FLAGS
)
flags.DEFINE_integer(
    "workers", None, "processes; one a core by default", lower_bound=1, flag_values=FLAGS
)
flags.DEFINE_string("runner", None, "an Apache Beam runner: DirectRunner, ...", flag_values=FLAGS)
flags.DEFINE_multi_string("beam", [], "a flag for Beam; repeatable", flag_values=FLAGS)
flags.DEFINE_bool("overwrite", False, "replace records that exist", flag_values=FLAGS)
flags.mark_flags_as_required(["videos", "output"], flag_values=FLAGS)


def main() -> None:
    """Creates the records that the flags describe."""
    from tfvfi.data import beam, making
    from tfvfi.data.clip_parts import Taking
    from tfvfi.data.sharding import Sharing
    from tfvfi.machine import cores

    made = making.create(
        FLAGS.videos,
        FLAGS.output,
        Taking(
            frames=FLAGS.frames,
            patch_size=FLAGS.patch_size,
            patches_per_video=FLAGS.patches_per_video,
            encoding=FLAGS.encoding,
            quality=FLAGS.quality,
            seed=FLAGS.seed,
            damaged=FLAGS.damaged,
            shrink=FLAGS.shrink,
        ),
        Sharing(FLAGS.validation, FLAGS.shard_mb << 20),
        processes=FLAGS.workers or cores(),
        runner=beam.runner(FLAGS.runner, FLAGS.beam) if FLAGS.runner else None,
        overwrite=FLAGS.overwrite,
    )
    print(making.summary(made))
    skipped = len(made.manifest["skipped"])
    if skipped:
        raise InputError(f"{FLAGS.output} lacks {skipped} of the videos: they are named above")
