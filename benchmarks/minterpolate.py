"""FFmpeg's filter minterpolate, with the settings of every comparison here."""

import shutil
from fractions import Fraction
from pathlib import Path

NAME = "FFmpeg's minterpolate"


def installed() -> bool:
    """Returns whether the program ffmpeg is installed."""
    return shutil.which("ffmpeg") is not None


def filter_to(rate: Fraction | int) -> str:
    """Returns the filter that compensates motion, for an output of `rate` frames per second."""
    return f"minterpolate=fps={rate}:mi_mode=mci:mc_mode=aobmc:me_mode=bidir"


def command_line(source: str | Path, rate: Fraction | int, output: Path) -> list[str]:
    """Returns the command that writes a clip at another rate.

    Args:
        source: The clip.
        rate: Frames per second of the output.
        output: The file to write, or to replace.
    """
    quiet = ["ffmpeg", "-nostdin", "-v", "error"]
    return [*quiet, "-i", str(source), "-vf", filter_to(rate), "-y", str(output)]
