"""Exports a network as a SavedModel that a stock TensorFlow Serving loads.

Writes the next version (1, 2, ...) below --output, checks it in a process that has neither Keras
nor tfvfi, and leaves a card of what it is beside it.

    python tools/export_model.py --model=ifrnet_s --weights=ifrnet_s.weights.h5 \\
        --output=saved_models/ifrnet_s --warm_up=1280x720
"""

from absl import flags

from tfvfi import startup
from tfvfi.errors import InputError

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
    """Flags in, a version folder out."""
    sizes = [_size(text) for text in FLAGS.warm_up]
    lite = _size(FLAGS.lite) if FLAGS.lite else None
    startup.import_keras()
    from tfvfi.export.saved_model import Options, export_model
    from tfvfi.options import named

    model, network = named(FLAGS.model)
    weights = network.pop("weights", FLAGS.weights)
    network |= {key: FLAGS[key].value for key in ("flow", "flow_weights") if FLAGS[key].value}
    about = export_model(
        model,
        FLAGS.output,
        None if weights == "none" else weights,
        Options(
            encoded_as=FLAGS.encoded_as if FLAGS.encoded else None,
            precision=FLAGS.precision,
            optimize=FLAGS.optimize,
            warm_up=sizes,
            lite=lite,
            onnx=FLAGS.onnx,
        ),
        **network,
    )
    worst = max(about["differences"].values())
    print(f"wrote {about['folder']}: differs from Keras by at most {worst:.1e}; see card.md there")


def _size(text: str) -> tuple[int, int]:
    """Height and width, which people write the other way round."""
    width, _, height = text.partition("x")
    if not (height.isdecimal() and width.isdecimal() and int(height) and int(width)):
        raise InputError(f"a size is written as width x height, 1280x720. Received: {text}")
    return int(height), int(width)
