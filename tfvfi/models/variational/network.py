"""Motion by a variational solver, corrected and painted by small learned networks.

From coarse to fine, down to half the size, a solver finds the motion through the moment that is
asked for (`solver`), and a small network, the same at every size, corrects what no solver can
know: occlusions, repeated patterns, thin things. Both frames are warped along the motion, and a
U-Net sees the result. It says where each of them should rather be read, how sharply, which one to
believe and what to add. At times 0 and 1 the result is the frame itself.
"""

from collections.abc import Sequence
from typing import Any

from keras import initializers, ops

from tfvfi.models import images
from tfvfi.models.base import Interpolator
from tfvfi.models.blocks import Block, Conv2D, Double, leaky_relu
from tfvfi.models.variational import solver
from tfvfi.models.variational.sampling import sharp_warp, with_bends
from tfvfi.ops import backward_warp

# Sizes of the motion: 1/2, 1/4 and so on of the frames', the coarsest 1/128.
LEVELS = 7
# What the painter tells of every pixel: two corrections of flow, two gains, the mask, the residual.
TOLD = (2, 2, 1, 1, 1, 3)
# Motion is told to the networks in these many pixels, relative to its surroundings.
PIXELS, SURROUNDINGS = 4.0, 9


class Variational(Interpolator):
    """A variational solver for motion, and small networks that correct it and paint.

    Args:
        widths: Channels of the painter at 1/2, 1/4 and 1/8 of the frames' size.
        corrector: Channels of the network that corrects motion.

    Example:
        >>> import numpy as np, tfvfi
        >>> model = tfvfi.load("variational", weights=None)
        >>> frames = np.zeros((2, 1, 64, 96, 3), "float32")
        >>> out = model({"frame0": frames[0], "frame1": frames[1], "time": np.array([0.5])})
        >>> sorted(out), tuple(out["motion"].shape)
        (['flow0', 'flow1', 'frame', 'mask', 'motion', 'motion_levels', 'residual'], (1, 64, 96, 2))
    """

    multiple = 8

    def __init__(self, widths: Sequence[int] = (32, 64, 96), corrector: int = 32, **kwargs: Any):
        super().__init__(**kwargs)
        self.widths = tuple(widths)
        policy = self.dtype_policy
        self.corrector = Corrector(corrector, dtype=policy, name="corrector")
        self.painter = Painter(self.widths, dtype=policy, name="painter")

    def get_config(self) -> dict[str, Any]:
        """The arguments that build this network again."""
        config = {"widths": self.widths, "corrector": self.corrector.width}
        return {**super().get_config(), **config}

    def prepare(self, frame0: Any, frame1: Any) -> dict[str, Any]:
        """Both frames at every size, and with their second derivatives at their own."""
        return {
            "bent0": with_bends(frame0),
            "bent1": with_bends(frame1),
            "smaller0": smaller(frame0),
            "smaller1": smaller(frame1),
        }

    def render(self, prepared: dict[str, Any], time: Any) -> dict[str, Any]:
        """The frame at `time` and how it came about.

        Returns:
            "frame"; "motion", from the first frame to the second, through each pixel at `time`;
            "flow0" and "flow1", from there to both frames as the painter corrects them; "mask",
            the share of frame0; "residual"; and for the objective "motion_levels", the motion at
            1/2, 1/4, ... of the size.
        """
        time = ops.reshape(ops.cast(time, "float32"), (-1, 1, 1, 1))
        levels = self.motion(prepared["smaller0"], prepared["smaller1"], time)
        bent0, bent1 = prepared["bent0"], prepared["bent1"]
        motion = images.resize_flow(levels[0], images.size(bent0))
        seen = [
            sharp_warp(bent, flow, 1.0)
            for bent, flow in ((bent0, -time * motion), (bent1, (1 - time) * motion))
        ]
        more0, more1, gain0, gain1, belief, residual = self.painter(
            ops.concatenate([*seen, shape_of(motion), everywhere(time, motion)], axis=-1)
        )
        flow0, flow1 = -time * (motion + more0), (1 - time) * (motion + more1)
        # By the time, unless the painter knows better.
        mask = (1 - time) * ops.exp(belief)
        mask = mask / (mask + time * ops.exp(-belief))
        blend = mask * sharp_warp(bent0, flow0, 1 + gain0)
        blend = blend + (1 - mask) * sharp_warp(bent1, flow1, 1 + gain1)
        residual = 4 * time * (1 - time) * residual
        return {
            "frame": ops.clip(blend + residual, 0, 1),
            "motion": motion,
            "flow0": flow0,
            "flow1": flow1,
            "mask": mask,
            "residual": residual,
            "motion_levels": levels,
        }

    def motion(self, smaller0: Sequence[Any], smaller1: Sequence[Any], time: Any) -> list[Any]:
        """The motion at `time` at every size, from fine to coarse."""
        found = []
        motion = ops.zeros_like(smaller0[-1][..., :2])
        for frame0, frame1 in zip(reversed(smaller0), reversed(smaller1), strict=True):
            motion = images.resize_flow(motion, images.size(frame0))
            # The solver is not learned through: it passes on gradients as if it added a constant.
            known = ops.stop_gradient(motion)
            solved = solver.solve(solver.features(frame0), solver.features(frame1), known, time)
            motion = motion + (solved - known)
            warped0 = backward_warp(frame0, -time * motion)
            warped1 = backward_warp(frame1, (1 - time) * motion)
            known = [warped0, warped1, shape_of(motion), everywhere(time, motion)]
            motion = motion + self.corrector(ops.concatenate(known, axis=-1))
            found.insert(0, motion)
        return found


def smaller(frame: Any) -> list[Any]:
    """The frame at 1/2, 1/4, ... of its size."""
    found = []
    for _ in range(LEVELS):
        height, width = images.size(frame)
        # Means of two by two pixels; the last row or column of an odd size counts twice.
        frame = ops.average_pool(
            images.pad_edge(frame, (0, height % 2, 0, width % 2)), 2, padding="valid"
        )
        found.append(frame)
    return found


def shape_of(motion: Any) -> Any:
    """How the motion differs from that around it."""
    around = ops.average_pool(motion, SURROUNDINGS, strides=1, padding="same")
    return (motion - around) / PIXELS


def everywhere(time: Any, like: Any) -> Any:
    """The time as a channel."""
    return ops.ones_like(like[..., :1]) * time


class Corrector(Block):
    """What is wrong with a motion, seen from two frames that are warped along it."""

    def __init__(self, width: int, **kwargs: Any):
        super().__init__(**kwargs)
        policy = self.dtype_policy
        self.width = width
        self.convs = [
            Conv2D(
                width, dilation=dilation, activation=leaky_relu, dtype=policy, name=f"conv{number}"
            )
            for number, dilation in enumerate((1, 2, 4, 2, 1))
        ]
        self.last = Conv2D(2, dtype=policy, name="last")
        self.last.kernel_initializer = nearly_zero()

    def call(self, known: Any) -> Any:
        """The correction, in pixels of this size."""
        for conv in self.convs:
            known = conv(known)
        return ops.cast(self.last(known), "float32")


class Painter(Block):
    """A U-Net over both warped frames."""

    def __init__(self, widths: Sequence[int], **kwargs: Any):
        super().__init__(**kwargs)
        policy = self.dtype_policy

        def conv(width: int, strides: int, name: str) -> Conv2D:
            return Conv2D(width, strides=strides, activation=leaky_relu, dtype=policy, name=name)

        self.down = [
            (conv(width, 2, f"down{at}_0"), conv(width, 1, f"down{at}_1"))
            for at, width in enumerate(widths)
        ]
        self.up = [
            (Double(width, dtype=policy, name=f"up{at}_0"), conv(width, 1, f"up{at}_1"))
            for at, width in reversed(list(enumerate(widths[:-1])))
        ]
        self.last = Double(sum(TOLD), dtype=policy, name="last")
        self.last.kernel_initializer = nearly_zero()

    def call(self, seen: Any) -> list[Any]:
        """What is told of every pixel: see `TOLD`."""
        maps, beside = seen, []
        for first, second in self.down:
            maps = second(first(maps))
            beside.append(maps)
        for (double, conv), finer in zip(self.up, reversed(beside[:-1]), strict=True):
            maps = conv(ops.concatenate([leaky_relu(double(maps)), finer], axis=-1))
        told = ops.cast(self.last(maps), "float32")
        ends = [sum(TOLD[: at + 1]) for at in range(len(TOLD) - 1)]
        return ops.split(told, ends, axis=-1)


def nearly_zero() -> initializers.Initializer:
    """So that learning begins with what the solver found, and still reaches every weight."""
    return initializers.RandomNormal(stddev=1e-3)
