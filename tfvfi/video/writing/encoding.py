"""Codecs: what they take, what suits a source, and encoders that begin anew at every segment."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
from av.codec import Codec as FFmpegCodec

from tfvfi.errors import ArgumentError, InputError
from tfvfi.media.look import Look
from tfvfi.video.writing.stills import FORMATS

X26X_PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow", "placebo"),
)


@dataclass(frozen=True)
class Codec:
    """What is known of an encoder.

    Attributes:
        encoder: FFmpeg's name of it.
        crf: Its quality by default, None if it has no such setting.
        worst_crf: The other end of the scale.
        presets: Words or numbers for how long it may think.
        preset_option: What FFmpeg calls them.
        options: Settings that are always on.
        is_rgb: Keeps red, green and blue as they are.
        has_range: Tells whether colors have the full range.
        reorders: Writes frames in another order than they are shown in.
        highest_rate: The most frames a second for which it can plan; more are as good.
        narrowest: The least width of a frame.
        unopened: Pixel formats that FFmpeg lists and that it does not take.
    """

    encoder: str
    crf: int | None = None
    worst_crf: int = 51
    presets: tuple[str, ...] = ()
    preset_option: str = "preset"
    options: tuple[tuple[str, str], ...] = ()
    is_rgb: bool = False
    has_range: bool = True
    reorders: bool = False
    highest_rate: Fraction = Fraction(10_000)
    narrowest: int = 1
    unopened: tuple[str, ...] = ()


CODECS = {
    "h264": Codec("libx264", 18, 51, X26X_PRESETS, reorders=True),
    "h265": Codec(
        "libx265",
        20,
        51,
        X26X_PRESETS,
        options=(("x265-params", "log-level=error"),),
        reorders=True,
        # Of narrower frames it writes beyond its memory (x265 4.2).
        narrowest=64,
        unopened=("gray10le", "gray12le", "yuva420p", "yuva420p10le"),
    ),
    "av1": Codec("libsvtav1", 28, 63, tuple(map(str, range(14))), highest_rate=Fraction(240)),
    "vp9": Codec(
        "libvpx-vp9",
        24,
        63,
        tuple(map(str, range(9))),
        "cpu-used",
        options=(("row-mt", "1"),),
        unopened=("yuva422p", "yuva444p", "gbrap"),
    ),
    "prores": Codec("prores_ks", has_range=False),
    "ffv1": Codec("ffv1", is_rgb=True),
}
# What to take in place of what a codec does not have.
SAMPLINGS = {
    "420": ("420", "422", "444"),
    "422": ("422", "444", "420"),
    "444": ("444", "422", "420"),
}
# Ending -> codec by default.
CONTAINERS = {".mp4": "h264", ".mov": "h264", ".m4v": "h264", ".mkv": "h264", ".webm": "vp9"}

# Ending -> FFmpeg's name of the container, where that is another.
MUXERS = {".mkv": "matroska", ".m4v": "mp4"}
# What a muxer lists and does not take, or takes and forgets the matrix of its colors.
REFUSED = {".mov": ("av1", "vp9"), ".mp4": ("ffv1",), ".m4v": ("ffv1",)}
# Codecs whose transparency a container does not hold.
OPAQUE = {".mp4": ("vp9",), ".m4v": ("vp9",)}


@dataclass(frozen=True)
class Encoding:
    """How frames are written; None: the default of the container or codec.

    Attributes:
        codec: One of `CODECS`.
        crf: Quality: 0 is best, about 18 is hard to tell from the original.
        preset: The encoder's own word for how long it may think.
        pixel_format: FFmpeg's name of a pixel format.
        pictures: What a folder is filled with: "png", "jpeg", "webp" or "tiff" (16 bits).
    """

    codec: str | None = None
    crf: int | None = None
    preset: str | None = None
    pixel_format: str | None = None
    pictures: str = "png"

    def check(self, ending: str) -> None:
        """Refuses settings that the codec does not have, and says which are legal.

        Args:
            ending: The container.
        """
        if self.pictures not in FORMATS:
            raise ArgumentError(
                f"there are no '{self.pictures}' pictures; there are: {', '.join(FORMATS)}"
            )
        if ending not in CONTAINERS:
            given = {"codec": self.codec, "crf": self.crf, "preset": self.preset}
            unused = [name for name, value in given.items() if value is not None]
            if unused:
                what = ending or "a folder"
                raise ArgumentError(f"`{unused[0]}` is for videos; leave it out for {what}")
            return
        name = self.codec_for(ending)
        if name not in CODECS:
            raise ArgumentError(f"there is no codec '{name}'; there are: {', '.join(CODECS)}")
        fitting = codecs_in(ending)
        if name not in fitting:
            raise ArgumentError(
                f"{name} does not fit into {ending}; it takes: {', '.join(fitting)}"
            )
        codec = CODECS[name]
        if self.crf is not None and codec.crf is None:
            raise ArgumentError(f"{name} has no `crf`; leave it out")
        if self.crf is not None and not 0 <= self.crf <= codec.worst_crf:
            raise ArgumentError(
                f"the `crf` of {name} is 0 to {codec.worst_crf}; received {self.crf}"
            )
        if self.preset is not None and str(self.preset) not in codec.presets:
            known = f"are: {', '.join(codec.presets)}" if codec.presets else "are none"
            raise ArgumentError(f"{name} has no `preset` '{self.preset}'; there {known}")
        formats = pixel_formats(name)
        if name in OPAQUE.get(ending, ()):
            formats = [form for form in formats if not has_alpha(form)]
        if self.pixel_format is not None and self.pixel_format not in formats:
            raise ArgumentError(
                f"{name} does not write {self.pixel_format} into {ending}; it writes: "
                f"{', '.join(formats)}"
            )

    def codec_for(self, ending: str) -> str:
        """The codec that was asked for, or the default of a container."""
        return self.codec or CONTAINERS[ending]


def codecs_in(ending: str) -> list[str]:
    """The codecs that a container takes.

    Example:
        >>> codecs_in(".webm")
        ['av1', 'vp9']
    """
    listed = av.open(io.BytesIO(), "w", format=muxer(ending)).supported_codecs
    known = (name for name, codec in CODECS.items() if codec.encoder in listed)
    return [name for name in known if name not in REFUSED.get(ending, ())]


def muxer(ending: str) -> str:
    """FFmpeg's name of what writes a container."""
    return MUXERS.get(ending, ending[1:])


def pixel_formats(codec: str) -> list[str]:
    """FFmpeg's names of what a codec can be given."""
    names = [form.name for form in FFmpegCodec(CODECS[codec].encoder, "w").video_formats]
    # Numbers with a point are experimental wherever they are listed.
    known = (name for name in names if not name.endswith(("f16le", "f32le")))
    return [name for name in known if name not in CODECS[codec].unopened]


def suitable_format(codec: str, look: Look, size: tuple[int, int]) -> str:
    """The pixel format that keeps most of a source: transparency, then bits, then colors.

    Args:
        codec: One of `CODECS`.
        look: The source's.
        size: Height and width.
    """
    known = pixel_formats(codec)
    samplings = SAMPLINGS[look.subsampling or "420"]
    if size[0] % 2 or size[1] % 2:
        # Colors of half the size need even sides.
        samplings = ("444", *samplings)
    deep = [bits for bits in (8, 10, 12, 14, 16) if bits >= look.depth]
    for alpha in (True, False) if look.alpha else (False,):
        for bits in (*deep, 14, 12, 10, 8):
            for name in _names(codec, samplings, bits, alpha):
                if name in known:
                    return name
    raise InputError(f"{codec} takes none of the pixel formats that suit this video")


def _names(codec: str, samplings: tuple[str, ...], bits: int, alpha: bool) -> Iterator[str]:
    if CODECS[codec].is_rgb:
        packed = "bgra" if alpha else "bgr0"
        yield packed if bits == 8 else f"gbr{'a' if alpha else ''}p{bits}le"
        return
    for sampling in samplings:
        yield f"yuv{'a' if alpha else ''}{sampling}p" + ("" if bits == 8 else f"{bits}le")


def has_alpha(pixel_format: str) -> bool:
    """Whether a pixel format holds transparency."""
    return any(part.is_alpha for part in av.VideoFormat(pixel_format).components)
