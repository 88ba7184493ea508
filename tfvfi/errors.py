"""The exceptions that mean "the user can correct this"."""


class InputError(ValueError):
    """A mistake in what was given to tfvfi, not in tfvfi.

    The message is one sentence: what was received, what was expected and what to do. It names
    arguments in backticks, as in "pass `overwrite=True`". Commands print it without a stack trace,
    with `--flags` for arguments, and exit with 1.
    """

    # Keras adds pages of arguments to errors raised inside a call, unless it finds this mark.
    _keras_call_info_injected = True


class ArgumentError(InputError):
    """An argument has a value that no input could make right, such as a negative size.

    Commands exit with 2, as for any other wrong flag.
    """
