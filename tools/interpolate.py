"""Makes a video smoother: video, pictures or two images in; video or pictures out.

python tools/interpolate.py --input=in.mp4 --output=out.mp4 --factor=2
python tools/interpolate.py --input=in.mp4 --output=out.mp4 --fps=60000/1001
python tools/interpolate.py --input=a.png --input=b.png --output=between --factor=8
"""

from absl import flags

from tfvfi import command

FLAGS = flags.FlagValues()
flags.DEFINE_multi_string(
    "input",
    None,
    "a video, a folder of pictures, or a pattern like frame_%04d.png; twice for two images",
    flag_values=FLAGS,
    required=True,
)
flags.DEFINE_string(
    "output", None, "a video by its ending, or a folder", flag_values=FLAGS, required=True
)
flags.DEFINE_string("model", "flow_interpolation", "the network", flag_values=FLAGS)
flags.DEFINE_string("weights", "default", "a .weights.h5 file", flag_values=FLAGS)
flags.DEFINE_integer("factor", None, "how many frames for one (2)", 1, flag_values=FLAGS)
flags.DEFINE_string("fps", None, "the rate to come out, 60 or 60000/1001", flag_values=FLAGS)
flags.DEFINE_bool("slowmo", False, "same frames, slower clock, no sound", flag_values=FLAGS)
flags.DEFINE_bool("scene_cuts", True, "hold the frame at cuts, never mix", flag_values=FLAGS)
flags.DEFINE_enum(
    "codec",
    None,
    ["h264", "h265", "av1", "vp9", "prores", "ffv1"],
    "h264, or vp9 for .webm, by default",
    flag_values=FLAGS,
)
flags.DEFINE_integer("crf", None, "quality, lower is better", 0, 63, flag_values=FLAGS)
flags.DEFINE_string("preset", None, "the encoder's speed setting", flag_values=FLAGS)
flags.DEFINE_string("pixel_format", None, "FFmpeg's name, e.g. yuv444p", flag_values=FLAGS)
flags.DEFINE_bool("overwrite", False, "replace an output that exists", flag_values=FLAGS)


def main() -> None:
    """Interpolates what the flags name."""
    from tfvfi.video import interpolate_video
    from tfvfi.video.sink import Encoding

    inputs = FLAGS.input
    count = interpolate_video(
        inputs[0] if len(inputs) == 1 else inputs,
        FLAGS.output,
        model=FLAGS.model,
        weights=FLAGS.weights,
        factor=FLAGS.factor,
        fps=FLAGS.fps,
        slowmo=FLAGS.slowmo,
        scene_cuts=FLAGS.scene_cuts,
        encoding=Encoding(FLAGS.codec, FLAGS.crf, FLAGS.preset, FLAGS.pixel_format),
        overwrite=FLAGS.overwrite,
    )
    print(f"{FLAGS.output}: {count} frames")


if __name__ == "__main__":
    command.run(main, FLAGS)
