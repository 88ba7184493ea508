"""Subtitles that are converted from one kind of text to another."""

from typing import Any

import av

from tfvfi.video.writing.packets import Stamps

# Container -> the text that it holds.
TEXTS = {"matroska": "subrip", "webm": "webvtt", "mp4": "mov_text", "mov": "mov_text"}


class ConvertedText:
    """A track of subtitles that is written as another kind of text.

    Args:
        source: The track.
        target: An encoder's stream in the output.
        stamps: Moves times.
    """

    def __init__(self, source: Any, target: Any, stamps: Stamps):
        self.decoder = source.codec_context
        self.target = target
        self.stamps = stamps
        self.decoder.open(strict=False)
        self.encoder = target.codec_context
        self.encoder.subtitle_header = self.decoder.subtitle_header

    def taken(self, packet: av.Packet) -> list[av.Packet]:
        """The output's packet for one of the source's; none where it only clears the screen."""
        try:
            shown = self.decoder.decode2(packet)
            if not shown:
                return []
            made = self.encoder.encode_subtitle(shown)
        except av.FFmpegError:
            return []
        self.stamps.move(packet)
        made.pts = made.dts = packet.pts
        made.duration, made.time_base = packet.duration, packet.time_base
        made.stream = self.target
        return [made]

    def rest(self) -> list[av.Packet]:
        """Nothing is held back."""
        return []
