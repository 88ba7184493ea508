"""The codecs, their settings and pixel formats, and the choice that suits a source."""

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
    """The description of an encoder.

    Attributes:
        encoder: FFmpeg's name of the encoder.
        crf: The default quality; None if there is no such setting.
        worst_crf: The lowest quality on the scale that begins at 0.
        presets: The words or numbers that set its speed.
        preset_option: FFmpeg's name of that option.
        options: Options that are always set.
        is_rgb: Whether it stores red, green and blue.
        has_range: Whether it can state that colors have the full range.
        reorders: Whether it writes frames in another order than they are shown.
        highest_rate: The highest frame rate for its rate control; a higher rate is stated as this.
        narrowest: The least width of a frame.
        unopened: Pixel formats that FFmpeg lists but the encoder does not accept.
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
        # With narrower frames, x265 4.2 writes beyond its memory.
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
# The order in which samplings are tried, because a codec may lack the source's.
SAMPLINGS = {
    "420": ("420", "422", "444"),
    "422": ("422", "444", "420"),
    "444": ("444", "422", "420"),
}
# The default codec of each ending.
CONTAINERS = {".mp4": "h264", ".mov": "h264", ".m4v": "h264", ".mkv": "h264", ".webm": "vp9"}

# FFmpeg's name of the container, for endings with a different name.
MUXERS = {".mkv": "matroska", ".m4v": "mp4"}
# Codecs that a muxer lists but refuses, or for which it loses the color matrix.
REFUSED = {".mov": ("av1", "vp9"), ".mp4": ("ffv1",), ".m4v": ("ffv1",)}
# Codecs whose transparency a container cannot hold.
OPAQUE = {".mp4": ("vp9",), ".m4v": ("vp9",)}


@dataclass(frozen=True)
class Encoding:
    """How frames are encoded; None stands for the default of the container or codec.

    Attributes:
        codec: One of `CODECS`.
        crf: The quality: 0 is best, and about 18 is hard to distinguish from the original.
        preset: The encoder's name for a trade-off between speed and size.
        pixel_format: FFmpeg's name of a pixel format.
        pictures: The format of pictures in a folder: "png", "jpeg", "webp" or "tiff" (16 bits).
    """

    codec: str | None = None
    crf: int | None = None
    preset: str | None = None
    pixel_format: str | None = None
    pictures: str = "png"

    def check(self, ending: str) -> None:
        """Checks the settings against the codec and the container.

        Args:
            ending: The ending of the output, which determines the container.

        Raises:
            ArgumentError: A setting is not supported; the message lists the supported ones.
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
        """Returns the chosen codec, or the default codec of a container."""
        return self.codec or CONTAINERS[ending]


def codecs_in(ending: str) -> list[str]:
    """Returns the codecs that a container takes.

    Example:
        >>> codecs_in(".webm")
        ['av1', 'vp9']
    """
    listed = av.open(io.BytesIO(), "w", format=muxer(ending)).supported_codecs
    known = (name for name, codec in CODECS.items() if codec.encoder in listed)
    return [name for name in known if name not in REFUSED.get(ending, ())]


def muxer(ending: str) -> str:
    """Returns FFmpeg's name of the muxer for an ending."""
    return MUXERS.get(ending, ending[1:])


def pixel_formats(codec: str) -> list[str]:
    """Returns FFmpeg's names of the pixel formats that a codec takes."""
    names = [form.name for form in FFmpegCodec(CODECS[codec].encoder, "w").video_formats]
    # Floating-point formats are experimental wherever they are listed.
    known = (name for name in names if not name.endswith(("f16le", "f32le")))
    return [name for name in known if name not in CODECS[codec].unopened]


def suitable_format(codec: str, look: Look, size: tuple[int, int]) -> str:
    """Returns the pixel format that preserves a source best.

    Transparency has priority, then the bit depth, then the chroma sampling.

    Args:
        codec: One of `CODECS`.
        look: The look of the source.
        size: The height and width.

    Raises:
        InputError: The codec takes no suitable format.
    """
    known = pixel_formats(codec)
    samplings = SAMPLINGS[look.subsampling or "420"]
    if size[0] % 2 or size[1] % 2:
        # Subsampled chroma needs even sides.
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
    """Returns whether a pixel format holds transparency."""
    return any(part.is_alpha for part in av.VideoFormat(pixel_format).components)
