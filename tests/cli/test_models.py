"""The table of networks."""

import json

import pytest

import tfvfi
from tfvfi import registry
from tfvfi.cli import command, models


@pytest.fixture
def run(capsys):
    """Runs the command and returns what it prints; the flags are forgotten afterwards."""

    def call(*arguments: str) -> str:
        assert command.exit_code(models.main, models.FLAGS, ["models", *arguments]) == 0
        return capsys.readouterr().out

    yield call
    for name in models.FLAGS:
        models.FLAGS[name].unparse()


def test_every_network_has_a_line(run):
    header, *lines = run().splitlines()
    assert header.split()[:5] == ["name", "kind", "times", "weights", "licence"]
    assert [line.split()[0] for line in lines] == list(tfvfi.list_models())
    by_name = {line.split()[0]: line for line in lines}
    assert "bundled" in by_name["ifrnet_s"] and "to convert" in by_name["ifrnet"]
    assert "none needed" in by_name["flow_interpolation"]
    assert "downloadable" in by_name["rife_v4_0"] or "cached" in by_name["rife_v4_0"]


def test_only_one_kind_as_json(run):
    rows = json.loads(run("--kind=flow", "--json"))
    assert {row["kind"] for row in rows} == {"flow"} and len(rows) > 5


def test_parameters_are_counted():
    known = registry.presets()
    assert models._parameters(known["dis"]) == 0
    assert models._parameters(known["pwcnet"]) == 9_374_274
