"""FILM of google-research/frame-interpolation, which is written in TensorFlow.

Its functions are traced as one graph, as its published SavedModels are.
"""

import os
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np

from originals.subject import Subject

ALIGN, TIME = 64, 0.5
# The published settings, from the repository's training/config.
SETTINGS = {
    "pyramid_levels": 7,
    "fusion_pyramid_levels": 5,
    "specialized_levels": 3,
    "sub_levels": 4,
    "flow_convs": [3, 3, 3, 3],
    "flow_filters": [32, 64, 128, 256],
    "filters": 64,
    "use_aux_outputs": False,
}


def build(clone: Path, name: str, frames: list[np.ndarray]) -> Subject:
    """Returns the authors' network with random weights."""
    # The code was written for Keras 2, which TensorFlow takes from the package tf-keras.
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tensorflow as tf

    _replace_packages()
    sys.path.insert(0, str(clone))
    from models.film_net import interpolator, options

    tf.keras.utils.set_random_seed(0)
    named = {key: tf.keras.Input((None, None, 3)) for key in ("x0", "x1")}
    named["time"] = tf.keras.Input((1,))
    model = interpolator.create_model(*named.values(), options.Options(**SETTINGS))

    @tf.function(autograph=False)
    def network(frame0: Any, frame1: Any, time: Any) -> Any:
        return model({"x0": frame0, "x1": frame1, "time": time}, training=False)["image"]

    height, width = frames[0].shape[1:3]
    more_rows, more_columns = -height % ALIGN, -width % ALIGN
    top, left = more_rows // 2, more_columns // 2
    around = ((0, 0), (top, more_rows - top), (left, more_columns - left), (0, 0))
    inputs = [tf.constant(np.pad(frame, around)) for frame in frames]

    def output(made: Any) -> np.ndarray:
        return np.clip(made.numpy(), 0, 1)[:, top : top + height, left : left + width]

    return Subject(network, (*inputs, tf.constant([[TIME]])), output, _state(model))


def dense_image_warp(image: Any, flow: Any) -> Any:
    """Samples an image at positions minus flow, (y, x), within the border: TensorFlow Addons'."""
    import tensorflow as tf

    image, flow = tf.convert_to_tensor(image), tf.cast(flow, tf.float32)
    batch, height, width, channels = tf.unstack(tf.shape(image))
    rows = tf.range(tf.cast(height, tf.float32))[:, None]
    columns = tf.range(tf.cast(width, tf.float32))
    y, x = rows - flow[..., 0], columns - flow[..., 1]
    top = tf.clip_by_value(tf.floor(y), 0.0, tf.cast(height - 2, tf.float32))
    left = tf.clip_by_value(tf.floor(x), 0.0, tf.cast(width - 2, tf.float32))
    down = tf.cast(tf.clip_by_value(y - top, 0.0, 1.0)[..., None], image.dtype)
    across = tf.cast(tf.clip_by_value(x - left, 0.0, 1.0)[..., None], image.dtype)
    plane = tf.range(batch)[:, None, None] * height * width
    # Once more as whole numbers: rewritten in bfloat16, positions may lie outside.
    top = tf.clip_by_value(tf.cast(top, tf.int32), 0, height - 2)
    left = tf.clip_by_value(tf.cast(left, tf.int32), 0, width - 2)
    index = plane + top * width + left
    pixels = tf.reshape(image, (-1, channels))
    above, above_right, below, below_right = (
        tf.gather(pixels, index + more) for more in (0, 1, width, width + 1)
    )
    above += across * (above_right - above)
    below += across * (below_right - below)
    return above + down * (below - above)


def _replace_packages() -> None:
    """Provides what the authors' modules import and what is not needed, or is no longer there."""
    for name, contents in {
        "gin": {},
        "gin.tf": {"configurable": lambda _: lambda cls: cls},
        "tensorflow_addons": {},
        "tensorflow_addons.image": {"dense_image_warp": dense_image_warp},
    }.items():
        sys.modules[name] = module = types.ModuleType(name)
        vars(module).update(contents)
        owner, _, attribute = name.rpartition(".")
        if owner:
            setattr(sys.modules[owner], attribute, module)
    # Their file says `import gin.tf` and then uses `gin.configurable`.
    sys.modules["gin"].configurable = sys.modules["gin.tf"].configurable


def _state(model: Any) -> dict[str, np.ndarray]:
    """Returns the weights by their names in the published SavedModels."""
    found = {}
    for conv in model.get_layer("feat_net").extract_sublevels.convs:
        found |= _kernel_and_bias(f"feat_net/sub_extractor/{conv.name}", conv)
    for predictor in model.get_layer("predict_flow")._predictors:
        for conv in predictor._convs:
            found |= _kernel_and_bias(f"predict_flow/{predictor.name}/{conv.name}", conv)
    fusion = model.get_layer("fusion")
    decoder = [conv for level in fusion.convs for conv in level]
    for number, conv in enumerate([*decoder, fusion.output_conv]):
        found |= _kernel_and_bias(f"fusion/conv2d_{number}" if number else "fusion/conv2d", conv)
    return found


def _kernel_and_bias(name: str, conv: Any) -> dict[str, np.ndarray]:
    # The reader of SavedModels hands kernels on in PyTorch's order, and so does this.
    kernel = conv.kernel.numpy().transpose(3, 2, 0, 1)
    return {f"{name}/kernel": kernel, f"{name}/bias": conv.bias.numpy()}
