"""Sends two images to a TensorFlow Serving server and writes the frame between them.

    python tools/serving_client.py --url=http://localhost:8501 --model=ifrnet_s \\
        --input=a.png --input=b.png --output=between.png

--url=grpc://localhost:8500 uses gRPC, which is faster for --signature=interpolate_uint8.
"""

from pathlib import Path

from absl import flags

from tfvfi.errors import ArgumentError, InputError

FLAGS = flags.FlagValues()
flags.DEFINE_string(
    "url", "http://localhost:8501", "http://... (REST) or grpc://...", flag_values=FLAGS
)
flags.DEFINE_string("model", "ifrnet_s", "name it is served under", flag_values=FLAGS)
flags.DEFINE_integer("version", None, "one of its versions, else the newest", flag_values=FLAGS)
flags.DEFINE_multi_string("input", [], "first and second image", flag_values=FLAGS)
flags.DEFINE_string("output", None, "image to write: .png or .jpg", flag_values=FLAGS)
flags.DEFINE_float("time", 0.5, "0 is the first image, 1 the second", 0, 1, flag_values=FLAGS)
flags.DEFINE_enum(
    "signature",
    "interpolate_encoded",
    ["interpolate_encoded", "interpolate_uint8"],
    "send files, which needs an export made with --encoded, or pixels",
    flag_values=FLAGS,
)
flags.DEFINE_float("timeout", 60, "seconds to wait for an answer", 0, flag_values=FLAGS)
flags.DEFINE_integer("retries", 3, "how often to ask again", 0, flag_values=FLAGS)
flags.DEFINE_boolean("overwrite", False, "replace an existing output", flag_values=FLAGS)
flags.mark_flag_as_required("output", flag_values=FLAGS)


def main() -> None:
    """Requests a frame from the server and writes it to a file."""
    if len(FLAGS.input) != 2:
        raise ArgumentError(f"`input` is given twice, once for each image; received {FLAGS.input}")
    output = Path(FLAGS.output)
    if output.exists() and not FLAGS.overwrite:
        raise InputError(f"{output} exists; choose another `output`, or pass `overwrite=True`")
    from tfvfi.export import pictures
    from tfvfi.export.client import Server
    from tfvfi.media.storage import write_bytes

    pictures.check_ending(output)
    server = Server(FLAGS.url, FLAGS.model, FLAGS.version, FLAGS.timeout, FLAGS.retries)
    image = server.interpolate(*FLAGS.input, FLAGS.time, FLAGS.signature)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(output, pictures.as_ending_says(image, output))
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}") from None
    print(f"wrote {output}")
