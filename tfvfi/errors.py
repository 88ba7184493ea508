"""The one exception that means "the user can mend this"."""


class InputError(ValueError):
    """A mistake in what was given to tfvfi, not in tfvfi.

    Its text is one sentence: what was received, what was expected and what to do. Commands print
    it without a stack trace and exit with 1.
    """

    # Keras adds pages of arguments to errors raised inside a call, unless it finds this mark.
    _keras_call_info_injected = True
