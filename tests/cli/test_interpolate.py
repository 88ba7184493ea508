"""The flags that choose a network."""

import pytest

from tests.video.clips import grey, write
from tfvfi import registry
from tfvfi.cli import command, interpolate
from tfvfi.video import many


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the command and returns its exit code and the model that it would take."""
    clip = write(tmp_path / "in.mkv", [grey(0)] * 2)
    flags = interpolate.FLAGS
    asked = []
    real = many.interpolate_all

    def work(inputs, output, spec, *more, **others):
        asked.append(spec)
        return real(inputs, output, spec, *more, **others)

    monkeypatch.setattr(many, "interpolate_all", work)

    def call(*arguments: str) -> tuple[int, list]:
        argv = ["interpolate", f"--input={clip}", f"--output={tmp_path / 'out.mkv'}", "--overwrite"]
        code = command.exit_code(interpolate.main, flags, [*argv, *arguments])
        for name in flags:
            flags[name].unparse()
        return code, asked

    return call


def test_a_quality_chooses_the_network(run):
    assert run()[0] == run("--quality=balanced")[0] == run("--quality=fast", "--mode=splat")[0] == 0
    code, asked = run("--model=flow_interpolation,scale=0.25")
    assert code == 0 and [each.options for each in asked] == [
        {},
        {},
        {"flow": "dis_quick", "scale": 0.5, "mode": "splat"},
        {"scale": 0.25},
    ]
    assert {each.name for each in asked} == {registry.DEFAULT_MODEL}
    assert interpolate.FLAGS["quality"].parser.enum_values == list(registry.QUALITIES)


def test_quality_and_model_together_are_refused(run, capsys):
    code, asked = run("--quality=best", "--model=ifrnet_s")
    assert code == 2 and not asked
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "leave out --quality=best or --model" in error
    assert run("--quality=good")[0] == 2
    assert "--quality must be one of fast, balanced, best" in capsys.readouterr().err


def test_the_best_quality_says_which_weights_it_needs(run, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("TFVFI_CACHE_DIR", str(tmp_path / "cache"))
    assert run("--quality=best")[0] == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "tfvfi download-weights --model=rife_v4_0" in error
