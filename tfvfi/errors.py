"""The exceptions that mean "the user can correct this"."""

import contextlib
from collections.abc import Iterator


class InputError(ValueError):
    """A mistake in what was given to tfvfi, not in tfvfi.

    The message is one sentence: what was received, what was expected and what to do. It names
    arguments in backticks, as in "pass `overwrite=True`". Commands print it without a stack trace,
    with `--flags` for arguments, and exit with 1.
    """


class ArgumentError(InputError):
    """An argument has a value that no input could make right, such as a negative size.

    Commands exit with 2, as for any other wrong flag.
    """


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Raises the user's mistakes as they were raised first.

    Keras replaces an error within a call by one of the same class with pages of arguments before
    and after its message.
    """
    try:
        yield
    except InputError as error:
        first = _first(error)
        if first is error:
            raise
        raise first from None


def _first(error: InputError) -> InputError:
    """The error that others repeat with more words before it."""
    before = error.__context__
    if isinstance(before, InputError) and str(error).find(str(before)) > 0:
        return _first(before)
    return error
