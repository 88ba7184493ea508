"""Errors of the user's: they arrive as they were raised, whoever called what."""

import numpy as np
import pytest

import tfvfi
from tfvfi.errors import InputError, plain_errors


def test_what_is_raised_within_a_call_arrives_without_more_words():
    model = tfvfi.load("flow_interpolation")
    frame = np.zeros((1, 16, 16, 3), "float32")
    with pytest.raises(InputError) as caught:
        model({"frame0": frame, "frame1": frame[:, 1:], "time": np.zeros(1)})
    assert str(caught.value).startswith("frame0 and frame1 must have one shape. Received: ")
    assert "\n" not in str(caught.value)


def test_what_was_added_behind_a_message_stays():
    with pytest.raises(InputError, match=r"^no such file; pass another$"), plain_errors():
        try:
            raise InputError("no such file")
        except InputError as problem:
            raise InputError(f"{problem}; pass another") from None


def test_a_repetition_with_words_before_it_is_undone():
    with pytest.raises(InputError, match=r"^wrong size$"), plain_errors():
        try:
            raise InputError("wrong size")
        except InputError as problem:
            raise InputError(f"Exception encountered:\n{problem}\nArguments: none") from None
