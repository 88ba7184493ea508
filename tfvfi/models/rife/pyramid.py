"""The coarse-to-fine pyramid of blocks that estimates flow from two frames and a time.

Between the blocks, flow and mask stay at the full size of the frames; only a block's input is
downsampled. If motion is too large for the coarsest block, versions 3.8 and 4.0 start again at
scales twice as coarse.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import keras
from keras import ops

from tfvfi.layers import Block
from tfvfi.models.rife.blocks import FLOWS, MotionBlock
from tfvfi.ops import backward_warp, resize
from tfvfi.ops.channels import join, split
from tfvfi.ops.tensor import Tensor

# A frame and, if the version has an encoder, its encoding.
Maps = Sequence[Tensor]
DOUBLINGS = (None, "first", "second")
# Pixels of flow above which scales are doubled; for "first", a multiple of the coarsest scale.
LARGE_FIRST, LARGE_SECOND = 16, 32


class Motion(NamedTuple):
    """The motion after a block, at the size of the frames.

    Attributes:
        flow: From the intermediate frame to both frames, (B, H, W, 4).
        mask: The weight of the first frame, before the sigmoid, (B, H, W, 1).
        feature: What blocks additionally pass on, (B, H, W, features).
    """

    flow: Tensor
    mask: Tensor
    feature: Tensor


class View(NamedTuple):
    """The inputs of a block; None for those that its version or the first block lacks."""

    maps0: Maps
    maps1: Maps
    time: Tensor = None
    mask: Tensor = None
    feature: Tensor = None
    flow: Tensor = None

    def joined(self, dtype: str) -> Tensor:
        """Concatenates all inputs in the published order: frames before encodings."""
        parts = chain.from_iterable(zip(self.maps0, self.maps1, strict=True))
        rest = (self.time, self.mask, self.feature, self.flow)
        return join([*parts, *(part for part in rest if part is not None)], dtype)

    def reversed(self) -> "View":
        """Returns the same inputs with time reversed."""
        return View(
            self.maps1,
            self.maps0,
            None if self.time is None else 1 - self.time,
            None if self.mask is None else -self.mask,
            self.feature,
            None if self.flow is None else _swapped(self.flow),
        )


@keras.saving.register_keras_serializable("tfvfi")
class Pyramid(Block):
    """Estimates the motion from the intermediate frame to both frames.

    Args: see `RIFE`.
    """

    def __init__(
        self,
        widths: Sequence[int],
        scales: Sequence[float],
        form: str,
        encoded: int,
        features: int,
        doubling: str | None,
        ensemble: bool,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.widths, self.scales = tuple(widths), tuple(scales)
        self.form, self.encoded, self.features = form, encoded, features
        self.doubling, self.ensemble = doubling, ensemble
        # Version 3 supports the middle only, so its blocks read no time.
        self.timed = form != "pairs"
        self.blocks = [
            MotionBlock(width, form, features, dtype=self.dtype_policy, name=f"block{number}")
            for number, width in enumerate(self.widths)
        ]

    def call(self, pair: tuple[Maps, Maps], time: Tensor) -> Motion:
        """Returns the motion after the last block; see `doubling` of `RIFE` for large motion.

        Args:
            pair: The maps of both frames.
            time: (B, 1, 1, 1).
        """
        if self.doubling == "first":
            _, tried = self._correction(0, pair, None, time, 2, alone=True)
            return _either(
                _exceeds(tried, LARGE_FIRST * self.scales[0]),
                lambda: self.motions(pair, time, doubled=2)[-1],
                lambda: self.motions(pair, time)[-1],
            )
        if self.doubling is None:
            return self.motions(pair, time)[-1]
        first, _ = self._correction(0, pair, None, time)
        correction, flow = self._correction(1, pair, first, time)
        both = [_exceeds(half, LARGE_SECOND) for half in split(flow, (2, 2))]

        def at_doubled_scales() -> Motion:
            again, _ = self._correction(0, pair, None, time, 2, alone=True)
            return self.motions(pair, time, [again], doubled=2)[-1]

        def as_planned() -> Motion:
            return self.motions(pair, time, [first, self._corrected(first, correction)])[-1]

        return _either(ops.logical_and(*both), at_doubled_scales, as_planned)

    def motions(
        self,
        pair: tuple[Maps, Maps],
        time: Tensor,
        known: Sequence[Motion] = (),
        doubled: int = 1,
    ) -> list[Motion]:
        """Returns the motion after every block, from coarse to fine.

        Args:
            pair: The maps of both frames.
            time: (B, 1, 1, 1).
            known: The motions after the first blocks, if they are already known.
            doubled: The factor by which the scales are multiplied.
        """
        motions = list(known)
        for number in range(len(motions), len(self.blocks)):
            before = motions[-1] if motions else None
            correction, _ = self._correction(number, pair, before, time, doubled)
            motions.append(self._corrected(before, correction))
        return motions

    def _correction(
        self,
        number: int,
        pair: tuple[Maps, Maps],
        before: Motion | None,
        time: Tensor,
        doubled: int = 1,
        alone: bool = False,
    ) -> tuple[Motion, Tensor]:
        """Returns a block's estimate, and its flow before averaging the two directions of time.

        Args:
            number: The number of the block.
            pair: The maps of both frames.
            before: The motion after the previous block; None for the first one.
            time: (B, 1, 1, 1).
            doubled: The factor by which its scale is multiplied.
            alone: Whether to skip the ensemble.
        """
        block, scale = self.blocks[number], self.scales[number] * doubled
        view = self._view(pair, before, time, scale)
        if alone or not self.ensemble:
            found = self.motion(block, view.joined(self.compute_dtype), scale)
            return found, found.flow
        both = (each.joined(self.compute_dtype) for each in (view, view.reversed()))
        views = ops.concatenate(list(both), axis=0)
        both = self.motion(block, views, scale)
        (flow, back), (mask, back_mask), (feature, _) = (ops.split(part, 2) for part in both)
        return Motion((flow + _swapped(back)) / 2, (mask - back_mask) / 2, feature), flow

    def _view(
        self, pair: tuple[Maps, Maps], motion: Motion | None, time: Tensor, scale: float
    ) -> View:
        """Returns the inputs of a block, at its scale."""
        if motion is not None:
            flows = split(motion.flow, (2, 2))
            both = zip(pair, flows, strict=True)
            pair = [[backward_warp(each, flow) for each in maps] for maps, flow in both]
        pair = [[_resized(each, 1 / scale) for each in maps] for maps in pair]
        plane = ops.ones_like(pair[0][0][..., :1])
        moment = plane * time if self.timed else None
        if motion is not None:
            feature = _resized(motion.feature, 1 / scale) if self.features else None
            mask, flow = (_resized(maps, 1 / scale) for maps in (motion.mask, motion.flow))
            return View(*pair, moment, mask, feature, flow / scale)
        if self.timed:
            return View(*pair, moment)
        # Version 3 starts with a mask and flows of zero.
        return View(*pair, None, 0 * plane, None, ops.tile(0 * plane, (1, 1, 1, FLOWS)))

    def motion(self, block: MotionBlock, known: Tensor, scale: float = 1) -> Motion:
        """Returns a block's estimate, at the size of the frames.

        Args:
            block: The block.
            known: Its inputs, concatenated.
            scale: The ratio between the frames' size and that of its inputs.
        """
        # Pixels are split while there are few of them.
        flow, *others = split(ops.cast(block(known), "float32"), (FLOWS, 1, block.features))
        enlargement = scale * block.enlargement
        return Motion(*(_resized(part, enlargement) for part in (flow * enlargement, *others)))

    def _corrected(self, before: Motion | None, correction: Motion) -> Motion:
        if before is None:
            return correction
        mask = correction.mask if self.encoded else before.mask + correction.mask
        return Motion(before.flow + correction.flow, mask, correction.feature)


def _either(large: Tensor, doubled: Callable[[], Motion], planned: Callable[[], Motion]) -> Motion:
    """Returns the motion of every example: `doubled` where its motion is large, else `planned`.

    Each is computed only if some example needs it; in a graph this is a condition.
    """

    def mixed() -> Motion:
        found = doubled()
        if large.shape[0] == 1:
            return found
        chosen = ops.reshape(large, (-1, 1, 1, 1))
        both = zip(found, planned(), strict=True)
        return Motion(*(ops.where(chosen, one, other) for one, other in both))

    return ops.cond(ops.any(large), mixed, planned)


def _exceeds(flow: Tensor, pixels: float) -> Tensor:
    """Returns, for every example, whether its flow exceeds `pixels` along x or y anywhere."""
    return ops.max(ops.abs(flow), axis=(1, 2, 3)) > pixels


def _swapped(flow: Tensor) -> Tensor:
    return ops.concatenate([flow[..., 2:], flow[..., :2]], axis=-1)


def _resized(maps: Tensor, factor: float) -> Tensor:
    return maps if factor == 1 else resize(maps, factor)
