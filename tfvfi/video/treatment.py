"""The settings of an interpolation: `Treatment` and the values that its fields take."""

from dataclasses import dataclass
from fractions import Fraction

from tfvfi.errors import ArgumentError
from tfvfi.media.claims import MOST_PIXELS
from tfvfi.media.damage import KEEP, STOP
from tfvfi.media.duplicates import THRESHOLD, TOLERANCE
from tfvfi.options import partial_size
from tfvfi.video.timeline import Factor, Rate

# Values of `sound`; "drop" is also a value of `duplicates` ...
DROP, STRETCH = "drop", "stretch"
# ... of `duplicates`, which may also be "keep" ...
SMOOTH = "smooth"
# ... of `scene_cuts` ...
HOLD, FADE, MIX = "hold", "fade", "mix"
# ... and of `tile`.
AUTO, OFF = "auto", "off"
CHOICES = {
    "sound": (DROP, STRETCH),
    "scene_cuts": (HOLD, FADE, MIX),
    "duplicates": (KEEP, SMOOTH, DROP),
    "damaged": (STOP, KEEP),
}
HIGHEST_RATE, SMALLEST_TILE = 10_000, 64
# The memory in GiB that the process may use by default.
MEMORY = 3.0
# FFmpeg stores the numerator and denominator of a fraction in 32 bits each.
FINEST_RATE = 200_000


@dataclass(frozen=True)
class Treatment:
    """How a video is interpolated.

    Attributes:
        factor: The number of output frames per source frame; 2 if `fps` is not given either.
        fps: The frame rate of the output, as a number or an exact fraction ("60000/1001").
        slowmo: Whether the same frames are shown at the source's rate, so that the video lasts
            `factor` times as long.
        sound: In slow motion, "drop" the sound or "stretch" it at the same pitch.
        scene_cuts: At a cut, "hold" the frame before it, "fade" across it, or "mix" the frames as
            if there were no cut.
        duplicates: "keep" held frames, "smooth" them (replace them with motion over the same
            time), or "drop" them; the duration stays the same.
        duplicate_threshold: The largest share of pixels, from 0 to 1, that may differ between a
            frame and a held copy of it.
        duplicate_tolerance: The difference, out of 255, up to which a pixel counts as unchanged,
            after averaging over its neighbors; 0 compares pixels exactly, for lossless video.
        tile: "auto" cuts frames into tiles if `memory` requires it, a number always cuts them
            into tiles of that side, and "off" never does.
        memory: The memory in GiB that the process may use, from which "auto" chooses tiles.
        size: The size of the output, as "640x360", "640x" or "x360"; None keeps the source's.
        duration: The number of seconds to read from the source; None reads all of it.
        damaged: If part of the source cannot be decoded, "stop" with an error, or "keep" the rest.
        max_pixels: The largest number of pixels in a frame; larger frames are refused before they
            are decoded.

    Raises:
        ArgumentError: A field has an invalid value, or `fps` is combined with `factor` or
            `slowmo`.
    """

    factor: int | None = None
    fps: Fraction | str | float | None = None
    slowmo: bool = False
    sound: str = DROP
    scene_cuts: str = HOLD
    duplicates: str = KEEP
    duplicate_threshold: float = THRESHOLD
    duplicate_tolerance: float = TOLERANCE
    tile: str | int = AUTO
    memory: float = MEMORY
    size: str | None = None
    duration: float | str | Fraction | None = None
    damaged: str = STOP
    max_pixels: int = MOST_PIXELS

    def __post_init__(self) -> None:
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ArgumentError(
                    f"`{name}` is one of {', '.join(known)}; received {getattr(self, name)!r}"
                )
        if self.tile not in (AUTO, OFF):
            try:
                side = int(self.tile)
            except ValueError:
                side = 0
            if side < SMALLEST_TILE:
                raise ArgumentError(
                    f"`tile` is auto, off, or a side of at least {SMALLEST_TILE} pixels; "
                    f"received {self.tile}"
                )
        if not self.memory > 0:
            raise ArgumentError(f"`memory` is a number of GiB above 0; received {self.memory}")
        if not 0 <= self.duplicate_threshold <= 1:
            raise ArgumentError(
                "`duplicate_threshold` is a share of the pixels, 0 to 1; "
                f"received {self.duplicate_threshold}"
            )
        if not 0 <= self.duplicate_tolerance <= 255:
            raise ArgumentError(
                "`duplicate_tolerance` is a difference of colors, 0 to 255; "
                f"received {self.duplicate_tolerance}"
            )
        _positive("duration", self.duration)
        if self.size is not None:
            partial_size(self.size)
        self.wanted(clock=True)

    @property
    def seconds(self) -> Fraction | None:
        """The duration as an exact fraction of seconds."""
        return _positive("duration", self.duration)

    @property
    def slower(self) -> int:
        """The factor by which playback is slowed down: 1 except in slow motion."""
        return (2 if self.factor is None else self.factor) if self.slowmo else 1

    def wanted(self, clock: bool) -> Factor | Rate:
        """Returns the rule that determines the output frames.

        Args:
            clock: Whether the last frame has a duration.

        Raises:
            ArgumentError: `factor` or `fps` is invalid, or the two are combined.
        """
        if self.fps is None:
            factor = 2 if self.factor is None else self.factor
            if not isinstance(factor, int) or factor < 1:
                raise ArgumentError(f"`factor` is a whole number from 1 on; received {factor}")
            return Factor(factor, clock)
        if self.factor is not None or self.slowmo:
            raise ArgumentError(
                "`fps` determines the rate; leave out `factor` and `slowmo`, which needs `factor`"
            )
        rate = _fraction(self.fps).limit_denominator(FINEST_RATE)
        if not 0 < rate <= HIGHEST_RATE:
            raise ArgumentError(f"`fps` is a rate such as 60 or 60000/1001; received {self.fps}")
        return Rate(rate)


def _positive(name: str, value: float | str | Fraction | None) -> Fraction | None:
    if value is None:
        return None
    number = _fraction(value)
    if number <= 0:
        raise ArgumentError(f"`{name}` is a number above 0; received {value}")
    return number


def _fraction(value: float | str | Fraction) -> Fraction:
    """Returns the number exactly as written (23.976 is 2997/125), or 0 if it is not a number."""
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        return Fraction(0)
