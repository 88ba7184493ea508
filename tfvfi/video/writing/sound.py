"""Decodes and re-encodes sound: for another container, or slower at the same pitch."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import av

from tfvfi.errors import InputError
from tfvfi.video.writing.packets import Moved

# FFmpeg's filter stretches by at most this factor in one step.
MOST_AT_ONCE = 2
# The least number of seconds without a packet that is a gap; rounding to milliseconds is not.
SHORTEST_GAP = Fraction(1, 25)
# For each container, the encoder for sound that it cannot hold unchanged; Matroska's is lossless.
CONVERTED = {"webm": "libopus", "matroska": "pcm_s16le"}
# For each container, the encoder for stretched sound; others use AAC.
STRETCHED = {"webm": "libopus"}
USUAL_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}


class EncodedSound:
    """A sound track that is encoded again.

    Args:
        source: The track.
        target: The encoder's stream in the output.
        slower: The factor by which the sound is stretched.
        moved: Returns the time in the output of a time in the source.
    """

    def __init__(self, source: Any, target: Any, slower: int, moved: Moved):
        self.decoder = source.codec_context
        self.target = target
        self.slower = slower
        self.moved = moved
        self.samples: int | None = None
        self.heard_until = Fraction(0)
        self.kind: tuple | None = None
        self.graph: av.filter.Graph | None = None

    def taken(self, packet: av.Packet) -> list[av.Packet]:
        """Takes a packet of the source and returns the output packets that are ready."""
        made: list[av.Packet] = []
        try:
            frames = self.decoder.decode(packet)
        except av.FFmpegError:
            # A damaged packet becomes silence of the same length.
            return made
        for frame in frames:
            # Only frames state their format reliably, and it changes within broadcasts.
            kind = (frame.format.name, frame.layout.name, frame.sample_rate)
            if kind != self.kind:
                made += self._drained()
                self.kind, self.graph = kind, self._filters(frame)
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
        """Returns the remaining packets at the end."""
        if self.samples is None:
            return []
        return [*self._drained(), *self.target.encode(None)]

    def _filters(self, frame: av.AudioFrame) -> av.filter.Graph:
        """Returns the filters that convert frames of one kind to the encoder's format."""
        graph = av.filter.Graph()
        steps = [
            graph.add_abuffer(
                format=frame.format.name,
                sample_rate=frame.sample_rate,
                layout=frame.layout.name,
                time_base=Fraction(1, frame.sample_rate),
            )
        ]
        left = Fraction(self.slower)
        while left > 1:
            part = min(left, Fraction(MOST_AT_ONCE))
            steps.append(graph.add("atempo", f"{float(1 / part):.12f}"))
            left /= part
        context = self.target.codec_context
        form = f"sample_fmts={context.format.name}:sample_rates={context.rate}"
        steps.append(graph.add("aformat", f"{form}:channel_layouts={context.layout.name}"))
        steps.append(graph.add("abuffersink"))
        for before, after in pairwise(steps):
            before.link_to(after)
        graph.configure()
        return graph

    def _drained(self) -> list[av.Packet]:
        """Empties the filters and returns the packets that are ready."""
        if self.graph is None:
            return []
        self.graph.push(None)
        return self._encoded()

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
    """Yields silence that fills a gap, so that the sound after it keeps its time."""
    left = round(seconds * like.sample_rate) if seconds > SHORTEST_GAP else 0
    while left > 0:
        count = min(left, like.sample_rate)
        frame = av.AudioFrame(like.format.name, like.layout.name, count)
        for plane in frame.planes:
            plane.update((b"\x80" if "u8" in like.format.name else b"\0") * plane.buffer_size)
        frame.sample_rate, frame.time_base = like.sample_rate, Fraction(1, like.sample_rate)
        left -= count
        yield frame


def open_encoder(stream: Any, target: Any, codec: str, path: Any) -> Any:
    """Adds an encoder's stream that suits a sound track to the output.

    Args:
        stream: The track.
        target: The container of the output.
        codec: FFmpeg's name of the encoder.
        path: The source, for messages.

    Raises:
        InputError: The encoder does not take the track's sound.
    """
    layout = stream.layout.name
    if layout.endswith("channels"):
        # The source does not state the places of the channels.
        layout = USUAL_LAYOUTS.get(stream.channels, layout)
    made = target.add_stream(codec, rate=_rate(codec, stream.rate), layout=layout)
    try:
        made.codec_context.open()
    except (av.FFmpegError, ValueError):
        raise InputError(
            f"{codec} does not take the sound of {path} ({stream.rate} Hz, {layout}), so it cannot "
            "be encoded for this output: write .mkv without slow motion, or pass `sound='drop'` "
            "with it"
        ) from None
    return made


def _rate(codec: str, rate: int) -> int:
    """Returns the lowest sample rate of an encoder that is not below a rate, or its highest."""
    known = av.codec.Codec(codec, "w").audio_rates
    if not known or rate in known:
        return rate
    return min((one for one in known if one > rate), default=max(known))
