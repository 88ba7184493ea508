"""Random flag lines: every command answers each of them in a sentence."""

import importlib
import random

import pytest

from tfvfi.cli import command

# What a line says unless it is drawn otherwise, so that no command finds anything to do.
USUAL = {
    "interpolate": {"input": "missing.mp4", "output": "out.mp4"},
    "create_records": {"videos": "missing", "output": "out"},
    "train": {"model": "ifrnet_s", "records": "missing", "output": "out"},
    "convert_checkpoint": {
        "model": "ifrnet_s",
        "checkpoint": "missing.pth",
        "output": "out.weights.h5",
    },
    "export_model": {"model": "ifrnet_s", "weights": "missing.weights.h5", "output": "out"},
    "evaluate": {"dataset": "frames", "data_dir": "missing", "report": "out"},
    "estimate_flow": {"input": "missing.mp4", "output": "out"},
    "benchmark": {"model": "ifrnet_s,weights=missing.weights.h5", "vs": "abacus"},
    "serving_client": {
        "output": "out.png",
        "retries": "0",
        "timeout": "1",
        "url": "grpc://[::1]:9",
    },
    "demo": {"model": "flow_interpolation"},
    "models": {},
    "compare_addons": {"arrays": "missing.npz"},
}
# Flags that would start long or lasting work, or reach other machines.
KEPT = {"ops", "parameters", "write", "runner", "beam", "url", "retries", "timeout", "strategy"}
HELD = {"benchmark": ("model", "vs"), "export_model": ("weights",), "demo": ("input",)}
VALUES = (
    *("", "0", "-1", "1", "3", "0.5", "1e309", "nan", "inf", "none", "None", "true", "9" * 30),
    *("0x0", "640x", "x", "1280x720", "64x48x3", "1/0", "60000/1001", "a,b=c", "x=", "=", ","),
    *("dis", "ifrnet_s", "ifrnet_s,scale=0", "flow_interpolation,mode=none", "sepconv,times=[2]"),
    *("missing.weights.h5", "file", "file/inner", "folder", "a" * 300, "ü💥", "\udcff", "{}", "%s"),
)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty folder to work in, where reports of unforeseen errors would go as well."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def line(name: str, draw: random.Random) -> list[str]:
    """A random line of flags."""
    defined = importlib.import_module(f"tfvfi.cli.{name}").FLAGS
    given = dict(USUAL[name])
    free = sorted(set(defined) - KEPT - set(HELD.get(name, ())))
    for flag in draw.sample(free, min(len(free), draw.randint(1, 4))):
        given[flag] = draw.choice(VALUES)
    return [f"--{flag}={value}" for flag, value in given.items()]


def answered(name: str, seed: int, count: int, capsys: pytest.CaptureFixture) -> None:
    """Runs random lines and looks at what they are answered with."""
    module, draw = importlib.import_module(f"tfvfi.cli.{name}"), random.Random(f"{name} {seed}")
    for _ in range(count):
        arguments = line(name, draw)
        for flag in module.FLAGS:
            module.FLAGS[flag].unparse()
        code = command.exit_code(module.main, module.FLAGS, [name, *arguments])
        said = capsys.readouterr().err
        # As ASCII: a report that is no UTF-8 would end the run of several processes.
        where = ascii(f"{name} {arguments}: {said}")
        assert code in (command.DONE, command.FAILED, command.WRONG_FLAGS), where
        assert (code == command.DONE) or said.startswith("tfvfi: "), where
        for unwanted in (
            "Traceback",
            "unexpected went wrong",
            "invalid literal",
            "could not convert",
        ):
            assert unwanted not in said, where
    for flag in module.FLAGS:
        module.FLAGS[flag].unparse()


@pytest.mark.parametrize("name", USUAL)
def test_random_flags_are_answered_in_a_sentence(name, capsys):
    answered(name, 1, 5, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("name", USUAL)
def test_many_random_flags_are_answered_in_a_sentence(name, capsys):
    answered(name, 2, 42, capsys)
