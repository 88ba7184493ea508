"""Sound made slower at the same pitch."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import av

# FFmpeg's filter stretches no more than twice at once.
MOST_AT_ONCE = 2


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
        for frame in packet.decode():
            if self.samples is None:
                start = frame.pts * Fraction(frame.time_base)
                self.samples = round(self.moved(start) * self.target.codec_context.rate)
            self.graph.push(frame)
            made += self._encoded()
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


def sound_codec(container: av.container.OutputContainer) -> str:
    """The encoder for sound that a container takes and players know."""
    return "libopus" if container.format.name == "webm" else "aac"
