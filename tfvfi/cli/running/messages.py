"""What a command prints on stderr: one line a message, each beginning with the program's name."""

import logging
import re
import sys
from collections.abc import Iterable
from typing import Any

from absl import flags

PREFIX = "tfvfi: "
# An argument as the library names it: `overwrite`, `overwrite=True`, `sound="drop"`.
QUOTES = "'\""
ARGUMENT = re.compile(r"`(\w+)(?:=([^`]*))?`")


def complain(sentence: str) -> None:
    """Prints one sentence on stderr."""
    print(PREFIX + sentence, file=sys.stderr)


def with_flags(message: str, names: Iterable[str]) -> str:
    """The message with `--flag` in place of every argument that is a flag of the command.

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
    """What is wrong with the flags, in the same words for every kind of mistake."""
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
    """What a flag takes."""
    parser = flag.parser
    choices = getattr(parser, "enum_values", None)
    if choices:
        return f"one of {', '.join(choices)}"
    if isinstance(parser, flags.BooleanParser):
        return "true or false"
    limits = str(parser.syntactic_help or "valid")
    return f"an {limits}" if limits.startswith("integer") else limits


class Handler(logging.Handler):
    """Prints the library's messages, above a progress bar where there is one."""

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
