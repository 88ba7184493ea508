"""Packets that are copied, at the times of the output."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av

# Gives the output's time for a time of the source.
Moved = Callable[[Fraction], Fraction]


class Stamps:
    """Moves the times of a track's packets, and mends those that do not rise.

    Args:
        moved: Where times go.
        slower: By how much packets last longer.
        strict: Whether no two packets may have one time, as of sound.
    """

    def __init__(self, moved: Moved, slower: int, strict: bool):
        self.moved = moved
        self.slower = slower
        self.strict = strict
        self.last: tuple[Fraction, Fraction] | None = None

    def move(self, packet: av.Packet) -> None:
        """Changes the times of the next packet."""
        base = packet.time_base
        for name in ("pts", "dts"):
            stamp = getattr(packet, name)
            if stamp is not None:
                setattr(packet, name, round(self.moved(stamp * base) / base))
        packet.duration = (packet.duration or 0) * self.slower
        stamp = packet.dts if packet.dts is not None else packet.pts
        if self.last is not None:
            before, length = self.last
            if stamp * base < before or (self.strict and stamp * base == before):
                # It follows the one before it, as long as that one lasts.
                length = max(length, base) if self.strict else Fraction(0)
                stamp = round((before + length) / base)
                packet.pts = packet.dts = stamp
        self.last = stamp * base, packet.duration * base


class Copied:
    """A track whose packets are copied.

    Args:
        target: Its stream in the output.
        stamps: Moves times.
    """

    def __init__(self, target: Any, stamps: Stamps):
        self.target = target
        self.stamps = stamps

    def taken(self, packet: av.Packet) -> list[av.Packet]:
        """The packet, at its time in the output."""
        self.stamps.move(packet)
        packet.stream = self.target
        return [packet]

    def rest(self) -> list[av.Packet]:
        """Nothing is held back."""
        return []
