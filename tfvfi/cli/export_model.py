"""Exports a network as a SavedModel for an unmodified TensorFlow Serving.

It writes the next version (1, 2, ...) below --output, checks it in a process without Keras and
tfvfi, and writes a model card beside it.

    python tools/export_model.py --model=ifrnet_s --weights=ifrnet_s.weights.h5 \\
        --output=saved_models/ifrnet_s --warm_up=1280x720
"""

from absl import flags

from tfvfi import startup
from tfvfi.options import frame_size

FLAGS = flags.FlagValues()
flags.DEFINE_string("model", None, "network, name or name,option=value,...", flag_values=FLAGS)
flags.DEFINE_string(
    "weights",
    "default",
    "*.weights.h5; left out, the bundled weights; 'none', fresh random ones",
    flag_values=FLAGS,
)
flags.DEFINE_string("output", None, "folder of all versions of this model", flag_values=FLAGS)
flags.DEFINE_string(
    "flow", None, "flow estimator of flow_interpolation, for instance pwcnet", flag_values=FLAGS
)
flags.DEFINE_string("flow_weights", None, "weights of that estimator", flag_values=FLAGS)
flags.DEFINE_boolean(
    "encoded", False, "add a signature that takes and returns image files", flag_values=FLAGS
)
flags.DEFINE_enum(
    "encoded_as", "png", ["png", "jpeg"], "what that signature returns", flag_values=FLAGS
)
flags.DEFINE_enum(
    "precision",
    "float32",
    ["float32", "float16", "bfloat16", "mixed_bfloat16"],
    "how weights are stored; mixed_bfloat16 computes in bfloat16, too",
    flag_values=FLAGS,
)
flags.DEFINE_boolean(
    "optimize", False, "freeze the weights where that is measurably faster", flag_values=FLAGS
)
flags.DEFINE_list(
    "warm_up", [], "sizes a server tries before it answers: 1280x720,...", flag_values=FLAGS
)
flags.DEFINE_string("lite", None, "also a LiteRT file of one size: 448x256", flag_values=FLAGS)
flags.DEFINE_boolean("onnx", False, "also an ONNX file of any size", flag_values=FLAGS)
flags.mark_flags_as_required(["model", "output"], flag_values=FLAGS)


def main() -> None:
    """Exports the network that the flags name."""
    # Exports expect the height first.
    sizes = [frame_size(text)[::-1] for text in FLAGS.warm_up]
    lite = frame_size(FLAGS.lite)[::-1] if FLAGS.lite else None
    startup.import_keras()
    from tfvfi.export.saved_model import Options, export_model
    from tfvfi.registry import ModelSpec

    given = None if FLAGS.weights == "none" else FLAGS.weights
    spec = ModelSpec.parse(FLAGS.model, given)
    flow = {key: FLAGS[key].value for key in ("flow", "flow_weights") if FLAGS[key].value}
    about = export_model(
        spec.name,
        FLAGS.output,
        spec.weights,
        Options(
            encoded_as=FLAGS.encoded_as if FLAGS.encoded else None,
            precision=FLAGS.precision,
            optimize=FLAGS.optimize,
            warm_up=sizes,
            lite=lite,
            onnx=FLAGS.onnx,
        ),
        **{**spec.options, **flow},
    )
    worst = max(about["differences"].values())
    print(f"wrote {about['folder']}: differs from Keras by at most {worst:.1e}; see card.md there")
