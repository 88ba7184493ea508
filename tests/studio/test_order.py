"""What the page asks for: checked, described, and written as a command."""

import shlex

import pytest

from tfvfi import registry
from tfvfi.cli import interpolate as command
from tfvfi.errors import InputError
from tfvfi.models.cache import cached_path
from tfvfi.studio.folders import Folders
from tfvfi.studio.order import Order, choices

ABOUT = {
    **{"width": 640, "height": 360, "rate": "30000/1001", "frames": 31, "seconds": "31031/30000"},
    **{"has_clock": True, "sound": [{"codec": "aac"}], "cuts": [], "repeats": 0},
}
MODEL = {"name": "flow_interpolation", "options": {}, "weights": None}


@pytest.fixture
def folders(tmp_path):
    return Folders([tmp_path])


def order(folders, **given):
    return Order.parse({"model": MODEL, **given}, folders)


def sentence(folders, **given):
    return order(folders, **given).plan(ABOUT, None)["sentence"]


def test_the_sentence_is_plain(folders):
    assert sentence(folders, treatment={"factor": 2}) == (
        "31 frames at 29.97 a second become 62 frames at 59.94 a second, 1.03 seconds long, "
        "640x360, H.264 in .mp4, with its sound."
    )
    slow = sentence(folders, treatment={"factor": 4, "slowmo": True})
    assert "124 frames at 29.97 a second, 4.14 seconds long" in slow and "without sound" in slow
    assert "62 frames at 60 a second" in sentence(folders, treatment={"fps": "60"})
    assert sentence(folders, ending="", encoding={"pictures": "jpeg"}) == (
        "31 frames become 62 frames, 640x360, a folder of JPEG pictures."
    )
    assert "an animation (.gif), without sound" in sentence(folders, ending=".gif")


def test_the_time_comes_from_a_measured_frame(folders):
    plan = order(folders, treatment={"factor": 2}).plan(ABOUT, 2.0)
    assert plan["estimate"] == 62 and plan["time"] == "About 1 min 2 s on this computer."
    still = order(folders, treatment={"factor": 2}).plan({**ABOUT, "repeats": 31}, 2.0)
    assert still["estimate"] == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"treatment": {"fps": "many"}}, "`fps` is a rate"),
        ({"treatment": {"fps": "60", "factor": 2}}, "leave out `factor`"),
        ({"treatment": {"factor": 0}}, "`factor` is a whole number"),
        ({"treatment": {"factor": "2"}}, "factor is of type int"),
        ({"treatment": {"duration": 3}}, "no setting 'duration'"),
        ({"treatment": [1]}, "names and values"),
        ({"encoding": {"codec": "vp9"}, "ending": ".mov"}, "vp9 does not fit"),
        ({"encoding": {"crf": 99}}, "`crf` of h264 is 0 to 51"),
        ({"ending": ".exe"}, "the format is one of"),
        ({"ending": "/../x.mp4"}, "the format is one of"),
        ({"model": {"name": "nonsense"}}, "there is no model 'nonsense'"),
        ({"model": {"name": "dis"}}, "estimates flow"),
        ({"model": {**MODEL, "options": {"flow_weights": "/etc/passwd"}}}, "no setting"),
        ({"model": {**MODEL, "options": {"weights": "/etc/passwd"}}}, "no setting"),
        ({"model": {**MODEL, "weights": "/etc/passwd"}}, "not in a folder that was given"),
        ({"model": None}, "choose a network"),
    ],
)
def test_what_does_not_fit_is_one_sentence(folders, given, said):
    with pytest.raises(InputError, match=said) as caught:
        order(folders, **given)
    assert "\n" not in str(caught.value)


def test_weights_in_a_chosen_folder_are_taken(folders):
    path = folders.tuned / "mine.weights.h5"
    path.touch()
    made = order(folders, model={"name": "ifrnet_s", "options": {}, "weights": str(path)})
    assert made.model["weights"] == str(path)


def test_an_order_survives_as_json(folders):
    made = order(folders, treatment={"factor": 3, "duplicates": "smooth"}, encoding={"crf": 12})
    assert Order.parse(made.as_json(), folders) == made


def test_the_command_takes_its_flags(folders):
    made = order(
        folders,
        model={"name": "flow_interpolation", "options": {"scale": 0.5}, "weights": None},
        treatment={"factor": 4, "slowmo": True, "sound": "stretch", "duplicates": "smooth"},
        encoding={"codec": "h265", "crf": 20},
    )
    words = shlex.split(made.command(["it's a clip.mp4"], "out put.mp4"))
    assert words[:2] == ["tfvfi", "interpolate"]
    values = command.FLAGS
    values(words[1:])
    try:
        assert values.input == ["it's a clip.mp4"] and values.output == "out put.mp4"
        assert values.model == "flow_interpolation,scale=0.5" and values.resume
        assert (values.factor, values.slowmo, values.sound) == (4, True, "stretch")
        assert (values.duplicates, values.codec, values.crf) == ("smooth", "h265", 20)
    finally:
        values.unparse_flags()
        for name in values:
            values[name].unparse()


def test_every_choice_that_is_offered_is_taken(folders):
    offered = choices()
    for ending, codecs in offered["codecs"].items():
        for codec in codecs:
            assert codec in offered["codec_names"]
            order(folders, ending=ending, encoding={"codec": codec})
    for quality in offered["qualities"].values():
        order(folders, model={**quality, "weights": None})
    for ending in offered["animations"]:
        order(folders, ending=ending)
    for pictures in offered["stills"]:
        order(folders, ending="", encoding={"pictures": pictures})


def test_qualities_are_those_of_the_command_that_have_their_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("TFVFI_CACHE_DIR", str(tmp_path))
    offered = choices()["qualities"]
    assert list(offered) == ["fast", "balanced"]
    assert offered["balanced"] == {"name": registry.DEFAULT_MODEL, "options": {}}
    cached = cached_path(registry.preset("rife_v4_0"))
    cached.parent.mkdir()
    cached.touch()
    assert list(choices()["qualities"]) == list(registry.QUALITIES)
