"""What is to be done with a video."""

from dataclasses import dataclass
from fractions import Fraction

from tfvfi.errors import ArgumentError
from tfvfi.media.claims import MOST_PIXELS
from tfvfi.media.damage import KEEP, STOP
from tfvfi.media.duplicates import THRESHOLD, TOLERANCE
from tfvfi.options import partial_size
from tfvfi.video.timeline import Factor, Rate

# What becomes of sound in slow motion ("drop" also of held frames) ...
DROP, STRETCH = "drop", "stretch"
# ... of held frames, which may also be kept ...
SMOOTH = "smooth"
# ... at a cut ...
HOLD, FADE, MIX = "hold", "fade", "mix"
# ... and of large frames.
AUTO, OFF = "auto", "off"
CHOICES = {
    "sound": (DROP, STRETCH),
    "scene_cuts": (HOLD, FADE, MIX),
    "duplicates": (KEEP, SMOOTH, DROP),
    "damaged": (STOP, KEEP),
}
HIGHEST_RATE, SMALLEST_TILE = 10_000, 64
# GiB that the work may take unless it is told otherwise.
MEMORY = 3.0
# FFmpeg's fractions have 32 bits.
FINEST_RATE = 200_000


@dataclass(frozen=True)
class Treatment:
    """What is to be done with a video.

    Attributes:
        factor: How many frames for one; 2 if `fps` is not given either.
        fps: The rate that is to come out, as a number or an exact fraction ("60000/1001").
        slowmo: Same frames, slower clock: the source's rate, `factor` times as long.
        sound: What becomes of sound in slow motion: "drop" or "stretch" (same pitch).
        scene_cuts: At a cut "hold" the frame before it, "fade" across, or "mix" as if it was none.
        duplicates: Held frames are left as they are ("keep"), replaced by motion in the same time
            ("smooth"), or left out ("drop"); the duration stays.
        duplicate_threshold: The share of pixels, from 0 to 1, that may differ in a held frame.
        duplicate_tolerance: By how much a pixel may differ without counting, in 255ths, after
            averaging over its neighbors; 0 compares pixels as they are, for lossless video.
        tile: "auto" cuts frames into tiles where `memory` requires it, a number always into tiles
            of that side, "off" never.
        memory: GiB that the work may take; what "auto" goes by.
        size: Of the output, as "640x360", "640x" or "x360"; None: the source's.
        duration: How many seconds of the source; None: all.
        damaged: Where the source cannot be decoded "stop", or "keep" the rest of it.
        max_pixels: Frames with more pixels are refused before they are decoded.
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
        """The duration, exactly."""
        return _positive("duration", self.duration)

    @property
    def slower(self) -> int:
        """By how much the clock is slower."""
        return (2 if self.factor is None else self.factor) if self.slowmo else 1

    def wanted(self, clock: bool) -> Factor | Rate:
        """The frames that are to come out.

        Args:
            clock: Whether the last frame lasts.
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
    """The number as it is written, so that 23.976 is 2997/125; 0 for what is none."""
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        return Fraction(0)
