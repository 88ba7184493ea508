"""Clocks of recordings that jump, continued: receivers and cameras join files of different times.

A transport stream has one clock for all its tracks, and it may jump by hours in either direction.
The first track that shows a jump determines by how much all tracks are moved, so that they stay in
time with each other.
"""

from fractions import Fraction
from typing import Any

import av

# By how many seconds a time must differ from the one expected to be a jump, as in FFmpeg; what
# differs by less is a gap, or an overlap.
SHORTEST_JUMP = 10
# Corrections that are as close to each other are one: tracks jump one after another.
SAME_JUMP = 1
# Of larger files the length is believed, for it would take long to read them twice.
MOST_READ = 2**31


class Continuity:
    """Moves the times of packets so that they continue across jumps.

    Args:
        container: An open file. Only formats whose clocks may jump are changed.
    """

    def __init__(self, container: Any):
        self.jumps = bool(container.format.flags & av.format.Flags.ts_discont.value)
        self.timed = [
            stream
            for stream in container.streams
            if stream.type in ("video", "audio") and stream.codec_context is not None
        ]
        self._moved = Fraction(0)
        self._corrections = [Fraction(0)]
        self._expected: dict[int, Fraction] = {}

    def needed(self, chosen: list[Any]) -> list[Any]:
        """The streams that must be read in order to continue those that are chosen."""
        if not self.jumps:
            return chosen
        return [*chosen, *(stream for stream in self.timed if stream not in chosen)]

    def mend(self, packet: av.Packet) -> None:
        """Moves the times of the next packet.

        Args:
            packet: One of the streams in `needed`, all of which are given in the order of the file.
        """
        stamp = packet.dts if packet.dts is not None else packet.pts
        if not self.jumps or stamp is None:
            return
        base = packet.time_base
        if packet.stream.type in ("video", "audio"):
            time = stamp * base + self._moved
            expected = self._expected.get(packet.stream.index)
            if expected is not None and abs(time - expected) > SHORTEST_JUMP:
                self._correct(expected - stamp * base)
                time = stamp * base + self._moved
            self._expected[packet.stream.index] = time + (packet.duration or 0) * base
        ticks = round(self._moved / base)
        if ticks:
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks

    def _correct(self, wanted: Fraction) -> None:
        known = min(self._corrections, key=lambda one: abs(one - wanted))
        if abs(known - wanted) > SAME_JUMP:
            self._corrections.append(wanted)
            known = wanted
        self._moved = known


def seconds_across_jumps(container: Any, stream: Any) -> Fraction | None:
    """How long the pictures of a recording are; None where its clock cannot jump.

    FFmpeg takes the difference of the first and the last time, which may be days. All packets are
    read for it, but none is decoded.

    Args:
        container: A file that has been opened for this alone.
        stream: Its pictures.
    """
    continuity = Continuity(container)
    if not continuity.jumps or container.size > MOST_READ:
        return None
    first = end = None
    try:
        for packet in container.demux(continuity.needed([stream])):
            continuity.mend(packet)
            if packet.stream.index == stream.index and packet.pts is not None:
                time = packet.pts * packet.time_base
                first = time if first is None else min(first, time)
                last = time + (packet.duration or 0) * packet.time_base
                end = last if end is None else max(end, last)
    except av.FFmpegError:
        # What is damaged is reported when it is decoded.
        pass
    return None if first is None else end - first
