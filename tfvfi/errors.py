"""Exceptions for mistakes that the user can correct."""

import contextlib
from collections.abc import Iterator


class InputError(ValueError):
    """Raised for a mistake in the input to tfvfi, as opposed to a defect in tfvfi.

    The message is one sentence that states what was received, what was expected and what to do. It
    names arguments in backticks, as in "pass `overwrite=True`". Commands print it without a stack
    trace, with `--flags` in place of arguments, and exit with status 1.
    """


class ArgumentError(InputError):
    """Raised for an argument that is invalid for every input, such as a negative size.

    Commands exit with status 2, as for any other wrong flag.
    """


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Reraises each `InputError` of the block in its original form.

    Keras replaces an error raised within a call by one of the same class whose message is
    surrounded by pages of arguments.
    """
    try:
        yield
    except InputError as error:
        first = _first(error)
        if first is error:
            raise
        raise first from None


def _first(error: InputError) -> InputError:
    """Returns the original error, whose message the later ones repeat with a preamble."""
    before = error.__context__
    if isinstance(before, InputError) and str(error).find(str(before)) > 0:
        return _first(before)
    return error
