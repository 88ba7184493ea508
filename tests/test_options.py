"""Options of a network as text."""

import pytest

from tfvfi.errors import ArgumentError, InputError
from tfvfi.options import frame_size, named, parse, partial_size


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
        with pytest.raises(InputError, match=r"an option is written as name=value. Received: "):
            named(text)


def test_a_frame_size():
    assert frame_size("1280x720") == (1280, 720)
    assert frame_size(" 64X48 ") == (64, 48)
    assert partial_size("640x") == (640, None)
    assert partial_size("x360") == (None, 360)


@pytest.mark.parametrize(
    "text", ["", "x", "0x0", "640", "640x", "x360", "-1x4", "4x4x4", "4 x 4", "٣x٣", "1e2x4"]
)
def test_what_is_no_frame_size(text):
    with pytest.raises(ArgumentError, match="a size is width x height, such as 1280x720"):
        frame_size(text)
    if text not in ("640x", "x360"):
        with pytest.raises(ArgumentError, match="a size is 640x360, 640x or x360"):
            partial_size(text)
