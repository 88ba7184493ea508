"""Converts a published checkpoint to Keras weights, without the framework that wrote it.

It reads the .pth, .pt, .pth.tar, .pytorch and .ckpt files that torch.save writes, .safetensors,
.npz, the .h5 files of Keras 2, SavedModels and checkpoints of TensorFlow. No code in them is run.
The output records the origin of the weights, their licence, the times that they support, and
options such as superslomo,flow_scale=2.

    python tools/convert_checkpoint.py --model=ifrnet --checkpoint=IFRNet_Vimeo90K.pth \\
        --output=ifrnet_vimeo90k.weights.h5
    python tools/convert_checkpoint.py --model=film --checkpoint=film_net/Style/saved_model \\
        --output=film_style.weights.h5
"""

from absl import flags

FLAGS = flags.FlagValues()
flags.DEFINE_string("model", None, "network, name or name,option=value,...", flag_values=FLAGS)
flags.DEFINE_string("checkpoint", None, "the published file or folder", flag_values=FLAGS)
flags.DEFINE_string("output", None, "file to write, *.weights.h5", flag_values=FLAGS)
flags.DEFINE_boolean("overwrite", False, "replace an existing output", flag_values=FLAGS)
flags.mark_flags_as_required(["model", "checkpoint", "output"], flag_values=FLAGS)


def main() -> None:
    """Converts the checkpoint that the flags name."""
    from tfvfi import porting
    from tfvfi.registry import ModelSpec

    spec = ModelSpec.parse(FLAGS.model)
    porting.convert(spec.name, FLAGS.checkpoint, FLAGS.output, FLAGS.overwrite, **spec.options)
    print(f"wrote {FLAGS.output}")
