"""Renders frames between those of a video, an animation, pictures or two images.

python tools/interpolate.py --input=in.mp4 --output=out.mp4 --factor=2
python tools/interpolate.py --input=in.mp4 --output=out.mp4 --fps=60000/1001 --quality=best
python tools/interpolate.py --input=a.png --input=b.png --output=between --factor=8
python tools/interpolate.py --input=drawn.mp4 --output=smooth.mp4 --duplicates=smooth
python tools/interpolate.py --input=videos --output=smooth --container=.mp4 --resume
python tools/interpolate.py --input=in.mp4 --output=out.mp4 --model=sepconv,padding=paper \\
    --weights=sepconv.weights.h5
"""

import sys

from absl import flags

FLAGS = flags.FlagValues()


def _string(name: str, default: str | None, about: str, **more: bool) -> None:
    flags.DEFINE_string(name, default, about, flag_values=FLAGS, **more)


def _enum(name: str, default: str | None, values: list[str], about: str) -> None:
    flags.DEFINE_enum(name, default, values, about, flag_values=FLAGS)


def _bool(name: str, about: str) -> None:
    flags.DEFINE_bool(name, False, about, flag_values=FLAGS)


flags.DEFINE_multi_string(
    "input",
    None,
    "a video, a folder of pictures or of videos, a pattern like frame_%04d.png, or - for y4m on "
    "standard input; repeatable",
    flag_values=FLAGS,
    required=True,
)
_string(
    "output",
    None,
    "a video or animation by its ending, a folder, or - for y4m on standard output",
    required=True,
)
_string("container", None, "for several videos: the ending of their outputs; theirs by default")
_enum(
    "quality",
    None,
    ["fast", "balanced", "best"],
    "what chooses the network where --model does not (balanced); best needs downloaded weights",
)
_string("model", None, "the network, name or name,option=value,...")
_string("weights", "default", "a .weights.h5 file")
_string("flow", None, "the flow estimator of flow_interpolation")
_string("flow_weights", None, "its .weights.h5 file")
_string("mode", None, "how flow_interpolation moves pixels: warp (default) or splat")
flags.DEFINE_float(
    "scale", None, "size at which motion is estimated; below 1 for large motion", flag_values=FLAGS
)
_string("flow_output", None, "a folder for the flow of each pair, as .flo files")

flags.DEFINE_integer("factor", None, "how many frames for one (2)", 1, flag_values=FLAGS)
_string("fps", None, "the rate to come out, 60 or 60000/1001")
_bool("slowmo", "same frames, slower clock")
_enum("sound", "drop", ["drop", "stretch"], "what becomes of sound in slow motion")
_enum("scene_cuts", "hold", ["hold", "fade", "mix"], "what is shown across a cut")
_enum("duplicates", "keep", ["keep", "smooth", "drop"], "what becomes of held frames")
flags.DEFINE_float(
    "duplicate_threshold",
    0.0005,
    "the share of pixels that may differ in a held frame",
    0,
    1,
    flag_values=FLAGS,
)
flags.DEFINE_float(
    "duplicate_tolerance",
    16,
    "by how much, of 255, a pixel may differ without counting; 0 for lossless video",
    0,
    255,
    flag_values=FLAGS,
)
_string("tile", "auto", "auto, off, or the side of the tiles that large frames are cut into")
flags.DEFINE_float(
    "memory", 3, "GiB that the work may take; tiles are chosen by it", flag_values=FLAGS
)
_string("size", None, "of the output: 640x360, 640x or x360")
_string("duration", None, "how many seconds of the input")
_enum("damaged", "stop", ["stop", "keep"], "where the input cannot be decoded")
flags.DEFINE_integer(
    "max_pixels", 2**26, "frames with more pixels are not decoded", 1, flag_values=FLAGS
)

_enum(
    "codec",
    None,
    ["h264", "h265", "av1", "vp9", "prores", "ffv1"],
    "h264, or vp9 for .webm, by default",
)
flags.DEFINE_integer("crf", None, "quality, lower is better", 0, 63, flag_values=FLAGS)
_string("preset", None, "the encoder's speed setting")
_string("pixel_format", None, "FFmpeg's name, e.g. yuv444p")
_enum("pictures", "png", ["png", "jpeg", "webp", "tiff"], "what a folder is filled with")

_bool("resume", "keep finished parts when interrupted, and continue with those there")
_bool("overwrite", "replace an output that exists")
_bool("yes", "make any number of frames, for however many hours")
_bool("dry_run", "only report what would be made, with which tiles and how much memory")
_string("runner", None, "an Apache Beam runner that shares many videos out: DirectRunner, ...")
flags.DEFINE_multi_string("beam", [], "a flag for Beam; repeatable", flag_values=FLAGS)


def main() -> None:
    """Interpolates what the flags name."""
    from tfvfi.data import beam
    from tfvfi.registry import ModelSpec, chosen
    from tfvfi.video import Encoding, Treatment, many

    named = ModelSpec.parse(FLAGS.model, FLAGS.weights) if FLAGS.model else None
    spec = chosen(named, FLAGS.quality, FLAGS.weights)
    flagged = {name: FLAGS[name].value for name in ("flow", "flow_weights", "mode", "scale")}
    options = {name: value for name, value in flagged.items() if value is not None}
    treatment = (
        *("factor", "fps", "slowmo", "sound", "scene_cuts", "tile", "size", "duration", "damaged"),
        *("duplicates", "duplicate_threshold", "duplicate_tolerance", "max_pixels", "memory"),
    )
    spec = ModelSpec(spec.name, spec.weights, {**spec.options, **options})
    treated = Treatment(**{name: FLAGS[name].value for name in treatment})
    encoding = Encoding(FLAGS.codec, FLAGS.crf, FLAGS.preset, FLAGS.pixel_format, FLAGS.pictures)
    where = {"container": FLAGS.container, "overwrite": FLAGS.overwrite}
    if FLAGS.dry_run:
        print(*many.plan_all(FLAGS.input, FLAGS.output, spec, treated, encoding, **where), sep="\n")
        return
    others = ("flow_output", "resume", "yes")
    counts = many.interpolate_all(
        FLAGS.input,
        FLAGS.output,
        spec,
        treated,
        encoding,
        runner=beam.runner(FLAGS.runner, FLAGS.beam, many.treat_once) if FLAGS.runner else None,
        **{name: FLAGS[name].value for name in others},
        **where,
    )
    for output, count in counts.items():
        # If the output is -, standard output carries the video.
        file = sys.stderr if str(output) == "-" else sys.stdout
        print(f"{output}: {count} frames", file=file)
