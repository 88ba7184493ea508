"""Opens an output according to its name: a video, an animation, a folder or standard output."""

import logging
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from tfvfi.errors import InputError
from tfvfi.media.pipe import PipedVideo
from tfvfi.media.source import Video
from tfvfi.video.contract import FrameSink
from tfvfi.video.prepared import Prepared
from tfvfi.video.timeline import Factor, Rate
from tfvfi.video.treatment import Treatment
from tfvfi.video.writing.animation import FASTEST_GIF, JOINED
from tfvfi.video.writing.copier import Copier
from tfvfi.video.writing.encoder import Encoder, clock
from tfvfi.video.writing.encoding import CONTAINERS, OPAQUE, Encoding
from tfvfi.video.writing.picture_folder import PictureFolder
from tfvfi.video.writing.pipe import PipedOutput
from tfvfi.video.writing.segments import Parts
from tfvfi.video.writing.video_file import VideoFile

logger = logging.getLogger(__name__)


def open_output(
    path: Path,
    prepared: Prepared,
    treatment: Treatment,
    wanted: Factor | Rate,
    encoding: Encoding,
    parts: Parts | None,
) -> FrameSink:
    """Opens the sink that writes the frames.

    Args:
        path: The output.
        prepared: The source's frames.
        treatment: How the frames are interpolated.
        wanted: The rule that determines the output frames.
        encoding: How the frames are encoded.
        parts: The folder of finished segments; None for standard output.

    Raises:
        InputError: The output cannot be written with these settings.
    """
    ending, source = path.suffix.lower(), prepared.source
    if isinstance(wanted, Rate):
        step, rate = 1 / wanted.rate, wanted.rate
    else:
        step, rate = source.time_base / wanted.factor, source.rate * wanted.factor
    step, rate = step * treatment.slower, rate / treatment.slower
    if parts is None:
        kind = source.kind if isinstance(source, PipedVideo) else None
        look = replace(source.look, pixel_aspect=prepared.pixel_aspect)
        return PipedOutput(prepared.size, rate, look, kind)
    if ending == ".gif" and rate > FASTEST_GIF:
        raise InputError(
            f"a GIF shows at most {FASTEST_GIF} frames a second and these are {float(rate):g}; "
            f"pass `fps={FASTEST_GIF}`, or write .webp or .apng"
        )
    if ending not in CONTAINERS:
        form = JOINED[ending][0] if ending else encoding.pictures
        if prepared.pixel_aspect not in (None, 1):
            height, width = prepared.size
            logger.warning(
                "the pixels of %s are not square, which pictures cannot say; "
                "`size='%dx%d'` makes them square",
                source.paths[0],
                round(width * prepared.pixel_aspect),
                height,
            )
        return PictureFolder(path, form, parts, turns=round(source.look.rotation / 90) % 4)
    codec, seconds = encoding.codec_for(ending), treatment.seconds or Fraction(0)
    base = clock(step, source.start * treatment.slower, seconds * treatment.slower)
    alpha = source.look.alpha and codec not in OPAQUE.get(ending, ())
    look = replace(source.look, alpha=alpha, pixel_aspect=prepared.pixel_aspect)
    encoder = Encoder(codec, encoding, look, prepared.size, base, rate)
    if not isinstance(source, Video):
        return VideoFile(path, encoder, parts)
    return VideoFile(
        path,
        encoder,
        parts,
        lambda target: Copier(
            source.path,
            target,
            source.stream,
            source.origin,
            source.start,
            treatment.slower,
            treatment.sound,
            treatment.seconds,
        ),
    )
