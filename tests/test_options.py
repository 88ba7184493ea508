"""Options of a network as text."""

import pytest

from tfvfi.errors import InputError
from tfvfi.options import named, parse


def test_values_are_numbers_where_they_look_like_it():
    assert parse(["a=1", "b=0.5", "c=dis", "d=None", "e=True", "f=x=y"]) == {
        "a": 1,
        "b": 0.5,
        "c": "dis",
        "d": None,
        "e": True,
        "f": "x=y",
    }


def test_a_name_and_its_options():
    assert named("dis") == ("dis", {})
    assert named("superslomo,flow_scale=2") == ("superslomo", {"flow_scale": 2})
    for text in ("superslomo,flow_scale", "superslomo,=2", "superslomo,"):
        with pytest.raises(InputError, match=r"an option is written name=value. Received: "):
            named(text)
