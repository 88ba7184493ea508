"""Copies packets, with the times of the output."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av

# Returns the time in the output of a time in the source.
Moved = Callable[[Fraction], Fraction]


class Stamps:
    """Changes the times of a track's packets to those of the output, in increasing order.

    Args:
        moved: Returns the time in the output of a time in the source.
        slower: The factor by which packets last longer.
        strict: Whether no two packets may have the same time, as in sound.
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
                # The packet follows the one before it, after the length of that one.
                length = max(length, base) if self.strict else Fraction(0)
                stamp = round((before + length) / base)
                packet.pts = packet.dts = stamp
        self.last = stamp * base, packet.duration * base


class Copied:
    """A track whose packets are copied.

    Args:
        target: The track's stream in the output.
        stamps: Changes the times of packets.
    """

    def __init__(self, target: Any, stamps: Stamps):
        self.target = target
        self.stamps = stamps

    def taken(self, packet: av.Packet) -> list[av.Packet]:
        """Returns the packet with its time in the output."""
        self.stamps.move(packet)
        packet.stream = self.target
        return [packet]

    def rest(self) -> list[av.Packet]:
        """Returns no packets, because none are held back."""
        return []
