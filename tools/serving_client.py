"""Sends two images to a TensorFlow Serving and writes the frame between them.

    python tools/serving_client.py --url=http://localhost:8501 --model=ifrnet_s \\
        --input=a.png --input=b.png --output=between.png

--url=grpc://localhost:8500 speaks gRPC, which is faster for --signature=interpolate_uint8.
"""

from pathlib import Path

from absl import flags

from tfvfi import command
from tfvfi.errors import InputError

FLAGS = flags.FlagValues()
flags.DEFINE_string(
    "url", "http://localhost:8501", "http://... (REST) or grpc://...", flag_values=FLAGS
)
flags.DEFINE_string("model", "ifrnet_s", "name it is served under", flag_values=FLAGS)
flags.DEFINE_integer("version", None, "one of its versions, else the newest", flag_values=FLAGS)
flags.DEFINE_multi_string("input", [], "first and second image", flag_values=FLAGS)
flags.DEFINE_string("output", None, "image to write", flag_values=FLAGS)
flags.DEFINE_float("time", 0.5, "0 is the first image, 1 the second", 0, 1, flag_values=FLAGS)
flags.DEFINE_string("signature", "interpolate_encoded", "or interpolate_uint8", flag_values=FLAGS)
flags.DEFINE_float("timeout", 60, "seconds to wait for an answer", 0, flag_values=FLAGS)
flags.DEFINE_integer("retries", 3, "how often to ask again", 0, flag_values=FLAGS)
flags.DEFINE_boolean("overwrite", False, "replace an existing output", flag_values=FLAGS)
flags.mark_flag_as_required("output", flag_values=FLAGS)


def main() -> None:
    """Flags in, an image file out."""
    if len(FLAGS.input) != 2:
        raise InputError(f"--input is given twice, once for each image; received {FLAGS.input}")
    output = Path(FLAGS.output)
    if output.exists() and not FLAGS.overwrite:
        raise InputError(f"{output} exists; name another output, or pass --overwrite")
    from tfvfi.export.client import Server

    server = Server(FLAGS.url, FLAGS.model, FLAGS.version, FLAGS.timeout, FLAGS.retries)
    image = server.interpolate(*FLAGS.input, FLAGS.time, FLAGS.signature)
    output.parent.mkdir(parents=True, exist_ok=True)
    aside = output.with_name(f".{output.name}.part")
    aside.write_bytes(image)
    aside.replace(output)
    print(f"wrote {output}")


if __name__ == "__main__":
    command.run(main, FLAGS)
