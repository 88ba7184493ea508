"""Writes the table of formats: each is read or written once and compared with its source.

    python benchmarks/formats.py --output=benchmarks/formats.md

Intermediate frames are plain averages, so that only the formats are measured.
"""

import logging
from collections import defaultdict
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import cv2
import numpy as np
from absl import flags

from tfvfi.cli import command
from tfvfi.media.colors import EXACT
from tfvfi.media.source import open_source
from tfvfi.video import Encoding, interpolate_video
from tfvfi.video.writing.encoding import (
    CODECS,
    CONTAINERS,
    OPAQUE,
    codecs_in,
    has_alpha,
    pixel_formats,
)
from tfvfi.video.writing.stills import FORMATS
from tfvfi.video.writing.svt import kept_calm

FLAGS = flags.FlagValues()
flags.DEFINE_string("output", "benchmarks/formats.md", "the table", flag_values=FLAGS)
RATE, FRAMES, SIZE = Fraction(24000, 1001), 12, (144, 256)
# File ending, encoder, pixel format.
VIDEOS = (
    *((".mp4", "libx264", f"yuv{kind}p") for kind in ("420", "422", "444")),
    *((".mp4", "libx265", f"yuv{kind}p10le") for kind in ("420", "422", "444")),
    *((".mov", "prores_ks", form) for form in ("yuv422p10le", "yuva444p10le")),
    *((".mkv", "ffv1", form) for form in ("gray", "gray10le", "gray16le", "bgr0", "rgb48le")),
    *((".mkv", "ffv1", form) for form in ("yuv410p", "yuv411p", "yuv444p12le", "bgra")),
    *((".mkv", "libsvtav1", form) for form in ("yuv420p", "yuv420p10le")),
    *((".webm", name, "yuv420p") for name in ("libvpx", "libvpx-vp9")),
    *((".avi", *kind) for kind in (("mpeg4", "yuv420p"), ("mjpeg", "yuvj420p"))),
    *((".avi", "rawvideo", form) for form in ("rgb555le", "uyvy422")),
    *((".ts", "mpeg2video", "yuv420p"), (".mxf", "mpeg2video", "yuv422p")),
    *((".wmv", "wmv2", "yuv420p"), (".flv", "flv", "yuv420p"), (".h264", "libx264", "yuv420p")),
    *((".mov", "qtrle", "rgb24"), (".y4m", "wrapped_avframe", "yuv420p")),
)
PICTURES = (
    *((ending, kind) for ending in (".png", ".tif") for kind in ("8", "16", "alpha", "grey")),
    *((".jpg", "8"), (".webp", "8"), (".webp", "alpha"), (".bmp", "8")),
)
# One pixel format of each kind; those that a codec does not support are omitted.
KINDS = (
    *("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le"),
    *("yuv444p12le", "bgr0", "gbrp10le", "bgra", "yuva420p", "yuva444p10le"),
)


class Mixes:
    """Renders the mean of two frames."""

    name = "mixes"

    def interpolate(self, a, b, times):
        """Returns one frame per time."""
        return [
            np.rint(a * (1 - np.float32(time)) + b * np.float32(time)).astype(a.dtype)
            for time in times
        ]


def main() -> None:
    """Reads and writes all formats."""
    logging.getLogger().setLevel(logging.ERROR)
    head = ("frames", "bits", "duration", "difference", "shift")
    with TemporaryDirectory() as name:
        scratch = Path(name)
        rows_in, rows_out = read_all(scratch), write_all(scratch)
    text = [
        "# Formats",
        f"Written by `python benchmarks/formats.py`: {FRAMES} frames of {SIZE[1]}x{SIZE[0]} "
        f"({float(FRAMES / RATE):.4f} s), twice as many out. Duration: kept within half "
        "an output frame. Difference: the mean distance of source frames before and after, in "
        "levels of 256; shift: by how much they are brighter.",
        "## In",
        "Written losslessly as FFV1 or PNG.",
        table(("from", "encoder", "pixels", *head), rows_in),
        "## Out",
        "From lossless frames, at each codec's default quality.",
        table(("to", "codec", "pixels", *head), rows_out),
    ]
    Path(FLAGS.output).write_text("\n\n".join(text) + "\n")


def read_all(scratch: Path) -> list[tuple]:
    """Returns a row for every kind of input."""
    rows = []
    for ending, encoder, form in VIDEOS:
        source = drawn(scratch / f"in_{encoder}_{form}{ending}", encoder, form)
        ours = scratch / f"{source.name}.out.mkv"
        interpolate_video(source, ours, Mixes(), 2, encoding=Encoding("ffv1"), progress=False)
        rows.append((ending, encoder, form, *compared(source, ours)))
    for ending, kind in PICTURES:
        source = pictures(scratch / f"in_{ending[1:]}_{kind}", ending, kind)
        ours = scratch / f"{source.name}_out"
        interpolate_video(source, ours, Mixes(), 2, progress=False)
        rows.append((f"folder of {ending}", "", kind, *compared(source, ours)))
    for ending in (".gif", ".webp", ".apng"):
        source, ours = scratch / f"in{ending}", scratch / f"animation{ending}.mkv"
        interpolate_video(scratch / "in_png_alpha", source, Mixes(), 1, progress=False)
        interpolate_video(source, ours, Mixes(), 2, encoding=Encoding("ffv1"), progress=False)
        rows.append((ending, "", "alpha", *compared(source, ours)))
    return rows


def write_all(scratch: Path) -> list[tuple]:
    """Returns a row for every kind of output."""
    rows = []
    for codec in CODECS:
        for form in (name for name in KINDS if name in pixel_formats(codec)):
            source = scratch / f"in_ffv1_{'rgb48le' if '1' in form[-4:] else 'bgra'}.mkv"
            alike = defaultdict(list)
            for ending in (name for name in CONTAINERS if codec in codecs_in(name)):
                if has_alpha(form) and codec in OPAQUE.get(ending, ()):
                    continue
                ours = scratch / f"{codec}{form}{ending}"
                encoding = Encoding(codec, pixel_format=form)
                interpolate_video(source, ours, Mixes(), 2, encoding=encoding, progress=False)
                alike[compared(source, ours)].append(ending)
            rows += [(" ".join(all_), codec, form, *row) for row, all_ in alike.items()]
    # A GIF pixel is either transparent or not.
    for ending, form in ((".gif", "bgr0"), (".webp", "bgra"), (".apng", "bgra")):
        source, ours = scratch / f"in_ffv1_{form}.mkv", scratch / f"out{ending}"
        interpolate_video(source, ours, Mixes(), 2, progress=False)
        rows.append((ending, "", "", *compared(source, ours)))
    source = scratch / "in_ffv1_bgra.mkv"
    for form in FORMATS:
        ours = scratch / f"out_{form}"
        encoding = Encoding(pictures=form)
        interpolate_video(source, ours, Mixes(), 2, encoding=encoding, progress=False)
        rows.append((f"folder of {form}", "", "", *compared(source, ours)))
    return rows


def compared(source: Path, ours: Path) -> tuple:
    """Returns frames, bits and seconds of the result, and error and bias of source frames."""
    known, made = open_source([source]), open_source([ours])
    before, after = list(known), list(made)
    unit = [255 / np.iinfo(frames[0].image.dtype).max for frames in (before, after)]
    moved = [
        ours.image * unit[1] - theirs.image * unit[0]
        for ours, theirs in zip(after[::2], before, strict=True)
    ]
    alpha = " and alpha" if made.look.alpha else ""
    seconds = after[-1].time + after[-1].length - after[0].time
    difference, shift = np.mean(np.abs(moved)), np.mean(moved)
    late = abs(seconds - FRAMES / RATE) > 1 / (4 * RATE) if made.has_clock else False
    told = f"{made.look.depth}{alpha}", f"{float(seconds):.4f} s" if late else "kept"
    return len(after), *told, f"{difference:.2f}", f"{shift:+.2f}"


def drawn(path: Path, encoder: str, form: str) -> Path:
    """Writes a video of moving clouds."""
    deep = any(bits in form for bits in ("10le", "12le", "16le", "48le"))
    with av.open(str(path), "w") as out:
        quiet = {"x265-params": "log-level=error"} if encoder == "libx265" else {}
        stream = out.add_stream(encoder, rate=RATE, options=quiet)
        stream.height, stream.width, stream.pix_fmt = *SIZE, form
        if "yuv" in form and "j" not in form:
            stream.codec_context.colorspace, stream.codec_context.color_range = 1, 1
        with kept_calm():
            stream.codec_context.open()
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(*clouds(number, deep, alpha="a" in form[3:]))
            frame = frame.reformat(format=form, dst_colorspace=1, interpolation=EXACT)
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def pictures(folder: Path, ending: str, kind: str) -> Path:
    """Writes a folder of pictures of the same clouds."""
    folder.mkdir()
    for number in range(FRAMES):
        image, _ = clouds(number, deep=kind == "16", alpha=kind == "alpha")
        turned = cv2.cvtColor(image, cv2.COLOR_RGBA2BGRA if kind == "alpha" else cv2.COLOR_RGB2BGR)
        turned = turned[..., 1] if kind == "grey" else turned
        cv2.imwrite(str(folder / f"{number}{ending}"), turned)
    return folder


def clouds(number: int, deep: bool, alpha: bool) -> tuple[np.ndarray, str]:
    """Returns the frame of that number and FFmpeg's name of its pixel format."""
    noise = np.random.default_rng(0).uniform(20, 235, (9, 16, 4))
    image = cv2.resize(noise, SIZE[::-1], interpolation=cv2.INTER_CUBIC).clip(16, 240)
    image = np.roll(image, 4 * number, axis=1)[..., : 3 + alpha]
    if deep:
        return (image * 257).astype(np.uint16), "rgba64le" if alpha else "rgb48le"
    return image.astype(np.uint8), "rgba" if alpha else "rgb24"


def table(head: tuple, rows: list[tuple]) -> str:
    """Formats a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


if __name__ == "__main__":
    command.run(main, FLAGS)
