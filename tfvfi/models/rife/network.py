"""RIFE: direct estimation of the flow from the intermediate frame to both frames.

A pyramid of blocks estimates both flows, and a mask that blends the two warped frames. Version 4
also reads the time and so supports any time; version 3 supports the middle only. Version 4.0
refines the blended frame with a U-Net, and versions since 4.7 encode the frames and warp the
encodings along with them.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from tfvfi import images
from tfvfi.errors import InputError
from tfvfi.models.base import Interpolator
from tfvfi.models.middle import MIDDLE, check_middle
from tfvfi.models.rife.blocks import FORMS, MOTION, Encoder, MotionBlock
from tfvfi.models.rife.pyramid import DOUBLINGS, Maps, Motion, Pyramid
from tfvfi.models.rife.refinement import Context, Refiner, warped_contexts
from tfvfi.ops import backward_warp
from tfvfi.ops.channels import join, split
from tfvfi.ops.tensor import Tensor

SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)
COLORS = 3
# A block downsamples its input by 4; the refinement's context downsamples frames by 16.
SHRINKING, COARSEST_CONTEXT = 4, 16
ENCODER_WIDTH = 16


@keras.saving.register_keras_serializable("tfvfi")
class RIFE(Interpolator):
    """RIFE of version 3.8 or 4.

    Args:
        widths: Channels of the blocks, from coarse to fine.
        scales: The factors by which the blocks' inputs are smaller than the frames.
        form: The form of the blocks, see `blocks`: "pairs", "chain" or "scaled".
        encoded: Channels that an encoder adds to a frame's colors; 0 for no encoder. With an
            encoder every block estimates a new mask, without one it corrects the mask.
        features: Channels that a block passes on to the next one.
        doubling: When the scales are doubled for a pair with large motion. "first" (3.8): if the
            first block, tried at twice its scale, estimates flow above 16 times its scale.
            "second" (4.0): if the second block corrects both flows by more than 32 pixels
            anywhere. None: never. Each pair of a batch is judged separately.
        context: Channels of the refinement's finest features; 0 for a version without refinement.
        refine: Whether a version with refinement uses it; it is faster without.
        scale: Size at which motion is estimated, relative to the frames: 0.5 suits 4K video.
        ensemble: Whether to estimate motion in both directions of time and average the results,
            which doubles the work.
        padded_to: The multiple to which `interpolate` pads sides, divided by a scale below 1.
        teacher: Whether to add the block that is used in training only, see `objective`.

    Example:
        >>> import numpy as np, tfvfi
        >>> model = tfvfi.load("rife_v4_6", weights=None)
        >>> frames = np.zeros((2, 1, 64, 96, 3), "float32")
        >>> out = model({"frame0": frames[0], "frame1": frames[1], "time": np.array([0.3])})
        >>> sorted(out), tuple(out["frame"].shape)
        (['flow0', 'flow1', 'frame', 'mask', 'warped0', 'warped1'], (1, 64, 96, 3))
    """

    def __init__(
        self,
        widths: Sequence[int] = (192, 128, 96, 64),
        scales: Sequence[int] = (8, 4, 2, 1),
        form: str = "scaled",
        encoded: int = 0,
        features: int = 0,
        doubling: str | None = None,
        context: int = 0,
        refine: bool = True,
        scale: float = 1.0,
        ensemble: bool = False,
        padded_to: int = 32,
        teacher: bool = False,
        **kwargs: Any,
    ):
        _check_one_of("form", form, FORMS)
        _check_one_of("doubling", doubling, DOUBLINGS)
        _check_one_of("scale", scale, SCALES)
        if ensemble and features:
            raise InputError("this version of RIFE has no ensemble. Received: ensemble=True")
        super().__init__(**kwargs)
        if form == "pairs" and self.times != (MIDDLE,):
            raise InputError(f"this version answers time {MIDDLE} only. Received: {self.times!r}")
        self.widths, self.scales = tuple(widths), tuple(scales)
        self.form, self.encoded, self.features = form, encoded, features
        self.doubling, self.context_width, self.refine = doubling, context, refine
        self.scale, self.ensemble, self.padded_to = scale, ensemble, padded_to
        coarsest = SHRINKING * self.scales[0] / scale * (2 if doubling else 1)
        self.multiple = max(int(coarsest), COARSEST_CONTEXT if context else 1)

        policy = self.dtype_policy
        self.pyramid = Pyramid(
            self.widths,
            tuple(each / scale for each in self.scales),
            form,
            encoded,
            features,
            doubling,
            ensemble,
            dtype=policy,
            name="pyramid",
        )
        self.encoder = self.context = self.refiner = self.teacher = None
        if encoded:
            self.encoder = Encoder(ENCODER_WIDTH, encoded, dtype=policy, name="encoder")
        if context:
            self.context = Context(context, dtype=policy, name="context")
            self.refiner = Refiner(context, dtype=policy, name="refiner")
        if teacher:
            self.teacher = MotionBlock(self.widths[-1], form, dtype=policy, name="teacher")

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments from which this network can be recreated."""
        return {
            **super().get_config(),
            "widths": self.widths,
            "scales": self.scales,
            "form": self.form,
            "encoded": self.encoded,
            "features": self.features,
            "doubling": self.doubling,
            "context": self.context_width,
            "refine": self.refine,
            "scale": self.scale,
            "ensemble": self.ensemble,
            "padded_to": self.padded_to,
            "teacher": self.teacher is not None,
        }

    def build(self, input_shape: Any = None) -> None:
        """Creates every variable, including those of layers that only training or `refine` uses."""
        super().build(input_shape)

        def maps(channels: int, smaller: int = 1) -> keras.KerasTensor:
            side = self.build_side // smaller
            return keras.KerasTensor((None, side, side, channels), dtype="float32")

        if self.context and not self.refine:
            halves = enumerate(self.context.halves, start=1)
            joined = [maps(2 * halve.width, 2**level) for level, halve in halves]
            self.context(maps(COLORS))
            self.refiner(maps(4 * COLORS + MOTION), joined)
        if self.teacher:
            frames = 5 if self.pyramid.timed else 3
            self.teacher(maps(frames * COLORS + self.pyramid.timed + MOTION))

    def prepare(self, frame0: Tensor, frame1: Tensor) -> dict[str, Tensor]:
        """Returns both frames with their encodings, and their contexts for the refinement."""
        pair = frame0, frame1
        prepared = {"pair": tuple([frame] for frame in pair)}
        if self.encoder:
            codes = [ops.cast(self.encoder(frame), "float32") for frame in pair]
            prepared["pair"] = tuple(list(maps) for maps in zip(pair, codes, strict=True))
        if self.context and self.refine:
            prepared["contexts"] = tuple(self.context(frame) for frame in pair)
        return prepared

    def render(self, prepared: dict[str, Tensor], time: Tensor) -> dict[str, Tensor]:
        """Renders the frame at `time` and returns it with all intermediate results.

        Returns:
            "frame"; "flow0" and "flow1", from the new frame to both frames; "warped0" and
            "warped1", the frames warped by them; "mask", the weight of frame0.
        """
        if not self.pyramid.timed:
            check_middle(self.name, time)
        return self.finish(prepared, self.pyramid(prepared["pair"], moment(time)))

    def finish(self, prepared: dict[str, Tensor], motion: Motion) -> dict[str, Tensor]:
        """Returns the outputs of `render` for a motion: blended and, if enabled, refined."""
        outputs = blended(prepared["pair"], motion)
        if "contexts" in prepared:
            warped = [outputs["warped0"], outputs["warped1"]]
            known = [*colors(prepared["pair"]), *warped, motion.mask, motion.flow]
            contexts = warped_contexts(*prepared["contexts"], motion.flow)
            residual = self.refiner(join(known, self.compute_dtype), contexts)
            outputs["frame"] = ops.clip(outputs["frame"] + residual, 0, 1)
        return outputs

    def padding(self, height: Tensor, width: Tensor) -> images.Padding:
        """Returns the padding on the right and at the bottom, as published: see `padded_to`."""
        multiple = max(self.padded_to, int(self.padded_to / self.scale))
        return images.pad_end(height, width, multiple)

    def pad(self, frames: Tensor) -> Tensor:
        """Pads frames with zeros, as published."""
        return images.pad_zeros(frames, self.padding(*images.size(frames)))


def moment(time: Tensor) -> Tensor:
    """Returns the times of a batch in the shape that the pyramid reads, (B, 1, 1, 1)."""
    return ops.reshape(ops.cast(time, "float32"), (-1, 1, 1, 1))


def colors(pair: tuple[Maps, Maps]) -> list[Tensor]:
    """Returns both frames without their encodings."""
    return [maps[0] for maps in pair]


def blended(pair: tuple[Maps, Maps], motion: Motion) -> dict[str, Tensor]:
    """Warps both frames by a motion and blends them by its mask, without any refinement."""
    flow0, flow1 = split(motion.flow, (2, 2))
    frame0, frame1 = colors(pair)
    warped0, warped1 = backward_warp(frame0, flow0), backward_warp(frame1, flow1)
    mask = ops.sigmoid(motion.mask)
    return {
        "frame": warped0 * mask + warped1 * (1 - mask),
        "flow0": flow0,
        "flow1": flow1,
        "warped0": warped0,
        "warped1": warped1,
        "mask": mask,
    }


def _check_one_of(name: str, value: Any, choices: Sequence[Any]) -> None:
    if value not in choices:
        listed = ", ".join(map(str, choices))
        raise InputError(f"{name} is one of {listed}. Received: {value!r}")
