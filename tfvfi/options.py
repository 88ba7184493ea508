"""A network and its options as text, as commands take them: name,option=value,...

superslomo,flow_scale=2
flow_interpolation,flow=dis,mode=splat
"""

import ast
from collections.abc import Sequence
from typing import Any

from tfvfi.errors import InputError


def named(text: str) -> tuple[str, dict[str, Any]]:
    """The name, and the options by theirs.

    Example:
        >>> named("superslomo,flow_scale=2")
        ('superslomo', {'flow_scale': 2})
    """
    name, *pairs = text.split(",")
    return name, parse(pairs)


def parse(pairs: Sequence[str]) -> dict[str, Any]:
    """Options from "name=value" texts; values are numbers, True, False or None, or else texts."""
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise InputError(f"an option is written name=value. Received: {pair!r}")
        found[key] = _value(value)
    return found


def _value(text: str) -> Any:
    """A number, True, False or None where it is one, else the text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
