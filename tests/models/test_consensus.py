"""The blend of interpolators: the mean of what they render, saved and loaded with them."""

import keras
import numpy as np
import pytest

import tfvfi
from tests.models import mix
from tests.pictures import texture
from tfvfi import registry
from tfvfi.cli import command, download_weights
from tfvfi.errors import InputError
from tfvfi.models.consensus.network import Consensus

mix.register()


def tiny(*starts: float, **more) -> list:
    """Members of three weights each."""
    members = [mix.Mix(start, name=f"mix{at}", **more) for at, start in enumerate(starts)]
    for member in members:
        member.build()
    return members


@pytest.fixture
def pair():
    return [texture(21, 33, shift)[0] for shift in (0.0, 1.5)]


def test_it_renders_the_mean_of_its_members(pair):
    members = tiny(0.2, 0.3, 0.35)
    each = [np.float64(member.interpolate(*pair, times=(0.25,))[0]) for member in members]
    (frame,) = Consensus(members).interpolate(*pair, times=(0.25,))
    np.testing.assert_allclose(frame, np.mean(each, axis=0), atol=1e-6)


def test_members_pad_by_their_own_rules(pair):
    """Each member gives what it gives alone, whatever size the others want."""
    members = [tfvfi.load("flow_interpolation"), tfvfi.load("ifrnet_s")]
    model = Consensus(members)
    assert model.multiple == 1 and not model.traceable
    times = (0.25, 0.5)
    alone = [member.interpolate(*pair, times=times) for member in members]
    np.testing.assert_allclose(
        model.interpolate(*pair, times=times), np.mean(alone, axis=0), atol=2e-5
    )


def test_it_answers_the_times_that_all_members_answer(pair):
    members = [*tiny(0.2, times=(0.25, 0.5)), *tiny(0.3, 0.4)[1:]]
    model = Consensus(members)
    assert model.times == (0.25, 0.5) and Consensus(tiny(0.2, 0.3)).times == "any"
    with pytest.raises(InputError, match=r"members answer a time in common"):
        Consensus(members, times=(0.75,))


def test_members_are_several_interpolators_of_different_names():
    with pytest.raises(InputError, match=r"at least two, of different names.*\['mix0'\]"):
        Consensus(tiny(0.2))
    with pytest.raises(InputError, match="of different names"):
        Consensus([*tiny(0.2), *tiny(0.3)])
    with pytest.raises(InputError, match=r"members are interpolators; .* Received: .*DIS"):
        Consensus([*tiny(0.2), tfvfi.load("dis")])


def test_it_is_saved_and_loaded_with_its_members(pair, tmp_path):
    model = Consensus([tfvfi.load("flow_interpolation"), *tiny(0.2, 0.4)])
    model.build()
    expected = model.interpolate(*pair)[0]
    model.save(tmp_path / "model.keras")
    model.save_to_preset(tmp_path / "preset")
    for again in (
        keras.saving.load_model(tmp_path / "model.keras"),
        tfvfi.load(tmp_path / "preset"),
    ):
        assert type(again) is Consensus and again.get_config() == model.get_config()
        np.testing.assert_array_equal(again.interpolate(*pair)[0], expected)


def test_gradients_reach_members_that_graphs_can_hold(pair):
    model = Consensus(tiny(0.2, 0.4))
    assert model.traceable
    model.compile(optimizer="sgd", loss="mse")
    inputs = {"frame0": pair[0][None], "frame1": pair[1][None], "time": np.float32([0.5])}
    before = model.get_weights()
    model.fit(inputs | {"target": pair[0][None]}, verbose=0)
    assert all((old != new).any() for old, new in zip(before, model.get_weights(), strict=True))


def test_members_are_loaded_by_name(monkeypatch, tmp_path):
    model = tfvfi.load("consensus", members="flow_interpolation+mix", weights=None)
    assert [member.name for member in model.members] == ["flow_interpolation", "mix"]
    with pytest.raises(InputError, match=r"joined by '\+'; 'dis' is none; there are: .*film"):
        tfvfi.load("consensus", members="dis+mix")


def test_missing_weights_of_a_member_are_answered_with_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.setenv("TFVFI_CACHE_DIR", str(tmp_path))
    with pytest.raises(InputError) as error:
        tfvfi.load("consensus")
    for part in ("consensus renders with rife_v4_0", "--model=rife_v4_0`", "`download=True`"):
        assert part in str(error.value)
    about = tfvfi.list_models()["consensus"]
    assert about["weights"] == "downloadable" and not about["bundled_weights"]
    assert about["licence"] == "MIT"


def test_weights_of_members_are_downloaded(monkeypatch, tmp_path):
    from tfvfi import porting

    monkeypatch.setenv("TFVFI_CACHE_DIR", str(tmp_path))
    asked = []
    monkeypatch.setattr(porting, "download", asked.append)
    with pytest.raises(InputError, match="comes without weights"):
        tfvfi.load("consensus", download=True)
    assert asked == ["rife_v4_0"]


def test_the_command_downloads_what_members_need(monkeypatch, capsys):
    from tfvfi import porting

    monkeypatch.setattr(porting, "download", lambda name, source, note: f"{name}.weights.h5")
    argv = ["download-weights", "--model=consensus"]
    assert command.exit_code(download_weights.main, download_weights.FLAGS, argv) == 0
    assert capsys.readouterr().out == "rife_v4_0 is ready: rife_v4_0.weights.h5\n"


def test_the_preset_is_the_default_model_with_rife():
    model = registry.build("consensus")
    names = [member.name for member in model.members]
    assert names == [registry.DEFAULT_MODEL, "rife_v4_0"] and model.times == "any"
