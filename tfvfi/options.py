"""Parses names with options ("superslomo,flow_scale=2") and frame sizes."""

import ast
import re
from collections.abc import Sequence
from typing import Any

from tfvfi.errors import ArgumentError


def named(text: str) -> tuple[str, dict[str, Any]]:
    """Splits "name,option=value,..." into the name and the options.

    Raises:
        InputError: An option does not have the form name=value.

    Example:
        >>> named("superslomo,flow_scale=2")
        ('superslomo', {'flow_scale': 2})
    """
    name, *pairs = text.split(",")
    return name, parse(pairs)


def parse(pairs: Sequence[str]) -> dict[str, Any]:
    """Returns the options in texts of the form "name=value".

    Values that are Python literals, such as numbers, True, False and None, are converted; others
    remain text.

    Raises:
        InputError: A text does not have the form name=value.
    """
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise ArgumentError(f"an option is written as name=value. Received: {pair!r}")
        found[key] = _value(value)
    return found


def frame_size(text: str) -> tuple[int, int]:
    """Returns width and height from text such as "1280x720".

    Raises:
        InputError: The text is not a size.

    Example:
        >>> frame_size("1280x720")
        (1280, 720)
    """
    width, height = _sides(text)
    if width is None or height is None:
        raise ArgumentError(f"a size is width x height, such as 1280x720. Received: {text!r}")
    return width, height


def partial_size(text: str) -> tuple[int | None, int | None]:
    """Returns width and height from text in which one of them may be missing.

    Raises:
        InputError: The text is not a size.

    Example:
        >>> partial_size("640x"), partial_size("x360")
        ((640, None), (None, 360))
    """
    sides = _sides(text)
    if sides == (None, None):
        raise ArgumentError(f"a size is 640x360, 640x or x360, for instance. Received: {text!r}")
    return sides


def _sides(text: str) -> tuple[int | None, int | None]:
    """Returns width and height, with None for a missing one; both are None for other text."""
    found = re.fullmatch(r"([1-9]\d*)?x([1-9]\d*)?", text.strip().lower(), re.ASCII)
    width, height = found.groups() if found else (None, None)
    return int(width) if width else None, int(height) if height else None


def _value(text: str) -> Any:
    """Returns the Python literal in a text, or the text itself if it is none."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
