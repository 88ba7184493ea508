"""Corrects jumps in the clocks of recordings, as in files that receivers and cameras join.

A transport stream has one clock for all its tracks, which may jump by hours in either direction.
The first track that shows a jump determines the correction of all tracks, so that they stay
synchronized.
"""

from fractions import Fraction
from typing import Any

import av

# The least difference, in seconds, from the expected time that counts as a jump, as in FFmpeg; a
# smaller difference is a gap or an overlap.
SHORTEST_JUMP = 10
# Corrections that differ by at most this are the same jump, which tracks show one after another.
SAME_JUMP = 1
# In larger files the stated duration is used, because reading them twice would take too long.
MOST_READ = 2**31


class Continuity:
    """Shifts the times of packets so that they are continuous across jumps.

    Args:
        container: An open file. Only packets of formats whose clocks may jump are changed.
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
        """Returns the streams that must be read to correct the chosen streams."""
        if not self.jumps:
            return chosen
        return [*chosen, *(stream for stream in self.timed if stream not in chosen)]

    def mend(self, packet: av.Packet) -> None:
        """Shifts the times of the next packet.

        Args:
            packet: A packet of a stream in `needed`; all their packets must come in file order.
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
    """Returns the duration of a recording's pictures; None if its clock cannot jump.

    FFmpeg uses the difference of the first and the last time, which may be days. Here all packets
    are read, but none is decoded. The result is also None for very large files.

    Args:
        container: A file that was opened only for this purpose.
        stream: Its video stream.
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
        # Damage is reported when the packets are decoded.
        pass
    return None if first is None else end - first
