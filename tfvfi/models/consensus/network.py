"""Consensus: the blend of several interpolators' frames, which fail in different places."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from tfvfi import images
from tfvfi.errors import InputError
from tfvfi.models.base import Interpolator
from tfvfi.models.preset import AnyTimes
from tfvfi.ops.tensor import Tensor


@keras.saving.register_keras_serializable("tfvfi")
class Consensus(Interpolator):
    """Renders the same frame with several interpolators and blends the results in equal shares.

    Args:
        members: The interpolators, at least two, with different names. `tfvfi.load` also accepts
            their names, joined by "+".
        times: "any", or the times to support; times that a member does not support are left out.

    Example:
        >>> import numpy as np, tfvfi
        >>> model = tfvfi.load("consensus", members="flow_interpolation+ifrnet_s")
        >>> frame = np.random.default_rng(0).integers(0, 255, (48, 64, 3)).astype("uint8")
        >>> model.interpolate(frame, np.roll(frame, 4, axis=1))[0].shape
        (48, 64, 3)
    """

    # Bytes of memory per pixel of a frame on a CPU: of flow_interpolation and of a learned member.
    bytes_per_pixel = 2100

    def __init__(
        self,
        members: Sequence[Interpolator],
        times: AnyTimes | Sequence[float] = "any",
        **kwargs: Any,
    ):
        members = list(members)
        if not all(isinstance(member, Interpolator) for member in members):
            raise InputError(
                "members are interpolators; `tfvfi.load` also takes their names, joined by '+'. "
                f"Received: {members!r}"
            )
        names = [member.name for member in members]
        if len(names) < 2 or len(set(names)) < len(names):
            raise InputError(f"members are at least two, of different names. Received: {names}")
        self.traceable = all(member.traceable for member in members)
        super().__init__(times=_common([times, *(member.times for member in members)]), **kwargs)
        if not self.times:
            raise InputError(f"members answer a time in common. Received: {', '.join(names)}")
        self.members = members

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments from which this network can be recreated."""
        members = [keras.saving.serialize_keras_object(member) for member in self.members]
        return {**super().get_config(), "members": members}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Consensus":
        """Creates the network with its members; see `Network.from_config`."""
        members = [
            keras.saving.deserialize_keras_object(member, custom_objects)
            if isinstance(member, Mapping)
            else member
            for member in config["members"]
        ]
        return super().from_config({**config, "members": members}, custom_objects)

    def prepare(self, frame0: Tensor, frame1: Tensor) -> dict[str, Tensor]:
        """Returns what each member prepares, from frames padded by its own rule."""
        # Even a member that cannot be part of a graph has compiled parts.
        prepared = [
            (member.prepare if self.traceable else member._prepare)(
                member.pad(frame0), member.pad(frame1)
            )
            for member in self.members
        ]
        return {"frame0": frame0, "members": prepared}

    def render(self, prepared: dict[str, Tensor], time: Tensor) -> dict[str, Tensor]:
        """Returns the mean of the members' frames at `time`, and the frame of each as "members"."""
        height, width = images.size(prepared["frame0"])
        frames = []
        for member, part in zip(self.members, prepared["members"], strict=True):
            frame = ops.clip(member.render(part, time)["frame"], 0, 1)
            frames.append(images.crop(frame, member.padding(height, width), height, width))
        return {"frame": sum(frames) / len(frames), "members": frames}


def _common(answered: Sequence[AnyTimes | Sequence[float]]) -> AnyTimes | tuple[float, ...]:
    """Returns the times that all members support.

    Example:
        >>> _common(["any", (0.25, 0.5), (0.5,)]), _common(["any", "any"])
        ((0.5,), 'any')
    """
    fixed = [tuple(times) for times in answered if times != "any"]
    if not fixed:
        return "any"
    return tuple(time for time in fixed[0] if all(time in times for times in fixed))
