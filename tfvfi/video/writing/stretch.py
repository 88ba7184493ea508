"""Sound made slower at the same pitch."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import av

# FFmpeg's filter stretches no more than twice at once.
MOST_AT_ONCE = 2
# Sound without a packet for so many seconds has a gap; clocks of milliseconds are no gaps.
SHORTEST_GAP = Fraction(1, 25)


class Stretcher:
    """Stretches one track.

    Args:
        source: The track.
        target: An encoder's stream in the output.
        slower: By how much.
        moved: Gives the output's time for a time of the source.
    """

    def __init__(
        self, source: Any, target: Any, slower: int, moved: Callable[[Fraction], Fraction]
    ):
        self.target = target
        self.moved = moved
        self.samples: int | None = None
        self.heard_until = Fraction(0)
        self.graph = av.filter.Graph()
        steps = [self.graph.add_abuffer(template=source)]
        left = Fraction(slower)
        while left > 1:
            part = min(left, Fraction(MOST_AT_ONCE))
            steps.append(self.graph.add("atempo", f"{float(1 / part):.12f}"))
            left /= part
        context = target.codec_context
        form = f"sample_fmts={context.format.name}:sample_rates={context.rate}"
        steps.append(self.graph.add("aformat", f"{form}:channel_layouts={context.layout.name}"))
        steps.append(self.graph.add("abuffersink"))
        for before, after in pairwise(steps):
            before.link_to(after)
        self.graph.configure()

    def stretched(self, packet: av.Packet) -> list[av.Packet]:
        """The output's packets that are ready after one of the source's."""
        made = []
        try:
            frames = packet.decode()
        except av.FFmpegError:
            # Damaged: it is silent for as long.
            return made
        for frame in frames:
            time = self.heard_until if frame.pts is None else frame.pts * frame.time_base
            if self.samples is None:
                self.samples = round(self.moved(time) * self.target.codec_context.rate)
                self.heard_until = time
            for one in (*_silence(frame, time - self.heard_until), frame):
                self.graph.push(one)
                made += self._encoded()
            self.heard_until = max(self.heard_until, time) + Fraction(
                frame.samples, frame.sample_rate
            )
        return made

    def rest(self) -> list[av.Packet]:
        """The packets that are left at the end."""
        if self.samples is None:
            return []
        self.graph.push(None)
        return [*self._encoded(), *self.target.encode(None)]

    def _encoded(self) -> list[av.Packet]:
        made = []
        while True:
            try:
                frame = self.graph.pull()
            except (BlockingIOError, av.EOFError):
                return made
            frame.pts, frame.time_base = self.samples, Fraction(1, frame.sample_rate)
            self.samples += frame.samples
            made += self.target.encode(frame)


def _silence(like: av.AudioFrame, seconds: Fraction) -> Iterator[av.AudioFrame]:
    """What a gap is filled with, so that the sound behind it keeps its time."""
    left = round(seconds * like.sample_rate) if seconds > SHORTEST_GAP else 0
    while left > 0:
        count = min(left, like.sample_rate)
        frame = av.AudioFrame(like.format.name, like.layout.name, count)
        for plane in frame.planes:
            plane.update((b"\x80" if "u8" in like.format.name else b"\0") * plane.buffer_size)
        frame.sample_rate, frame.time_base = like.sample_rate, Fraction(1, like.sample_rate)
        left -= count
        yield frame


def sound_codec(container: av.container.OutputContainer) -> str:
    """The encoder for sound that a container takes and players know."""
    return "libopus" if container.format.name == "webm" else "aac"
