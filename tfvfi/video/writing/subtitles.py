"""Converts subtitles from one text format to another."""

from typing import Any

import av

from tfvfi.video.writing.packets import Stamps

# The text format of subtitles in each container.
TEXTS = {"matroska": "subrip", "webm": "webvtt", "mp4": "mov_text", "mov": "mov_text"}


class ConvertedText:
    """A subtitle track that is converted to another text format.

    Args:
        source: The track.
        target: The encoder's stream in the output.
        stamps: Changes the times of packets.
    """

    def __init__(self, source: Any, target: Any, stamps: Stamps):
        self.decoder = source.codec_context
        self.target = target
        self.stamps = stamps
        self.decoder.open(strict=False)
        self.encoder = target.codec_context
        self.encoder.subtitle_header = self.decoder.subtitle_header

    def taken(self, packet: av.Packet) -> list[av.Packet]:
        """Returns the converted packet; none if the packet only clears the screen."""
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
        """Returns no packets, because none are held back."""
        return []
