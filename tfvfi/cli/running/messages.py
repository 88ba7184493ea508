"""The messages of commands on stderr, each of which is one line after the name of the program."""

import logging
import re
import sys
from collections.abc import Iterable
from typing import Any

from absl import flags

PREFIX = "tfvfi: "
# An argument in a message of the library: `overwrite`, `overwrite=True`, `sound="drop"`.
QUOTES = "'\""
ARGUMENT = re.compile(r"`(\w+)(?:=([^`]*))?`")


def complain(sentence: str) -> None:
    """Prints one sentence on stderr, with escapes for bytes of file names that are no UTF-8."""
    print(PREFIX + sentence.encode(errors="backslashreplace").decode(), file=sys.stderr)


def with_flags(message: str, names: Iterable[str]) -> str:
    """Returns a message with `--flag` in place of every argument that is a flag of the command.

    Args:
        message: The message of the library.
        names: The names of the flags.

    Example:
        >>> with_flags("choose another `output`, or pass `overwrite=True`", ["output", "overwrite"])
        'choose another --output, or pass --overwrite'
    """
    known = set(names)

    def flag(found: re.Match[str]) -> str:
        name, value = found.groups()
        if name not in known:
            return found[0]
        spelled = {None: f"--{name}", "True": f"--{name}", "False": f"--no{name}"}
        return spelled[value] if value in spelled else f"--{name}={value.strip(QUOTES)}"

    return ARGUMENT.sub(flag, message)


def about_flags(error: flags.Error, values: flags.FlagValues) -> str:
    """Returns a message about wrong flags, in a common style for all kinds of mistakes."""
    text = str(error)
    if isinstance(error, flags.UnrecognizedFlagError):
        near = re.search(r"Did you mean: (\w+)", text)
        advice = f"did you mean --{near[1]}?" if near else "--help lists the flags"
        return f"there is no flag --{error.flagname}; {advice}"
    if found := re.match(r"flag --(\w+)=(.*?): Flag --\w+ must have a value other than None", text):
        return f"--{found[1]} is required (--help lists the flags)"
    if found := re.match(r"flags (.*): Exactly one of \((.*)\) must have a value", text):
        either = " or ".join(f"--{name.strip()}" for name in found[2].split(","))
        return f"either {either} is required (--help lists the flags)"
    if found := re.match(r"flag --(\w+)=(.*?): ", text, re.DOTALL):
        return f"--{found[1]} must be {_wanted(values[found[1]])}. Received: {found[2]}"
    return f"{text} (--help lists the flags)"


def _wanted(flag: Any) -> str:
    """Returns a description of the values that a flag accepts."""
    parser = flag.parser
    choices = getattr(parser, "enum_values", None)
    if choices:
        return f"one of {', '.join(choices)}"
    if isinstance(parser, flags.BooleanParser):
        return "true or false"
    limits = str(parser.syntactic_help or "valid")
    return f"an {limits}" if limits.startswith("integer") else limits


class Handler(logging.Handler):
    """Prints log messages of the library, above a progress bar if there is one."""

    def __init__(self, names: Iterable[str]):
        super().__init__()
        self.names = tuple(names)

    def emit(self, record: logging.LogRecord) -> None:
        """Prints one message."""
        text = PREFIX + with_flags(self.format(record), self.names)
        if "tqdm" in sys.modules:
            sys.modules["tqdm"].tqdm.write(text, file=sys.stderr)
        else:
            print(text, file=sys.stderr)
