"""Networks on a GPU: the table, and the same processes on the processor."""

from dataclasses import replace

import numpy as np
import pytest

from tests import commands
from tests.benchmark.conftest import BENCHMARKS
from tfvfi.cli import command

JAX = BENCHMARKS.parent / ".venv-jax" / "bin" / "python"


@pytest.fixture
def gpu(part, monkeypatch):
    # No test clones anything.
    monkeypatch.setattr(part("originals.sources"), "GITHUB", "/nowhere/")
    module = part("gpu")
    yield module
    module.FLAGS.unparse_flags()


@pytest.fixture
def job(part):
    return part("originals.job")


def measured(gpu, job, monkeypatch, tmp_path, do, *flags):
    """The rows of PWC-Net, with processes that give the results of a function."""
    monkeypatch.setattr(gpu, "do", lambda given, limit: do(given))
    monkeypatch.setattr(gpu.measuring, "do", lambda given, limit: do(given))
    (tmp_path / "sources" / "pytorch-pwc").mkdir(parents=True)
    gpu.FLAGS(["gpu", "--size=64x32", f"--sources={tmp_path / 'sources'}", *flags])
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return gpu.measure("pwcnet", "a device", scratch, end=float("inf"))


def test_rows_relate_every_engine_to_the_original_and_to_the_processor(
    gpu, job, monkeypatch, tmp_path
):
    times = {"original": (0.004, 0.006), "tfvfi on jax": (0.002,), "tfvfi on torch": (0.01,)}

    def do(given):
        if given.engine == job.ORIGINAL:
            given.published.touch()
        elif given.engine in (job.THEIRS, *job.KERAS):
            np.save(given.output, np.full((1, 2, 2, 2), 5.0 + (given.engine == "tfvfi on torch")))
        return job.Result("", "it 1", times.get(given.engine, ()), 20.4)

    theirs, in_jax, in_torch = measured(gpu, job, monkeypatch, tmp_path, do)
    assert (theirs.engine, theirs.median_ms, theirs.original_over_this) == ("original", 5.0, 1.0)
    assert (in_jax.median_ms, in_jax.original_over_this, in_jax.difference) == (2.0, 2.5, 0.0)
    assert (in_torch.original_over_this, in_torch.difference, in_torch.peak_mib) == (0.5, 0.2, 20)
    assert [gpu._is_wrong(row) for row in (theirs, in_jax, in_torch)] == [False, False, True]
    page = gpu.markdown([theirs, in_jax])
    assert "| pwcnet | tfvfi on jax (it 1) | 2.00 | 2.00 to 2.00 | 2.50 | 0.0e+00 | 20 |  |" in page


def test_a_network_that_fails_is_wrong_and_gives_its_reason(gpu, job, monkeypatch, tmp_path):
    def do(given):
        refused = "no such operation" * (given.engine == "tfvfi on torch")
        return job.Result(refused, "it 1", () if refused else (0.1,), 20.0)

    rows = measured(gpu, job, monkeypatch, tmp_path, do, "--backends=torch")
    assert [row.note for row in rows] == ["", "no such operation"]
    assert gpu._is_wrong(rows[1])
    assert "| no such operation |" in gpu.markdown(rows)


def test_nothing_begins_after_the_end(gpu, job, tmp_path):
    assert gpu.measure("pwcnet", "a device", tmp_path, end=0.0) == []


def test_measuring_again_replaces_only_the_same_rows(gpu, tmp_path):
    row = gpu.Row(
        "pwcnet", "64x32", "original", "torch 2", 3, 5.0, 4.0, 6.0, 1.0, 1e-6, 20.0,
        "https://github.com/a/b at c0ffee", "GPL-3.0", "", "a device", "2026-11-29",
    )  # fmt: skip
    film, again = replace(row, network="film"), replace(row, median_ms=4.0)
    gpu.write([row], tmp_path)
    gpu.write([film], tmp_path)
    gpu.write([again], tmp_path)
    assert gpu.sheets.read(tmp_path / "gpu.csv", gpu.Row) == [film, again]


@pytest.mark.parametrize(
    ("argument", "said", "code"),
    [
        ("--backends=tensorflow", "--backends takes jax, torch", command.WRONG_FLAGS),
        ("--networks=nothing", "there is no model", command.WRONG_FLAGS),
        ("--size=64", "such as 1280x720", command.WRONG_FLAGS),
        ("--device=gpu", "--device=cpu tries the command", command.FAILED),
    ],
)
def test_mistakes_get_one_sentence(gpu, argument, said, code, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert commands.run(gpu, argument) == code
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


@pytest.mark.slow
def test_networks_run_on_other_backends_and_agree_with_tensorflow(gpu, tmp_path):
    backends = ["torch", *(["jax"] if JAX.exists() else [])]
    flags = [f"--backends={','.join(backends)}", f"--jax_python={JAX}", f"--sources={tmp_path}"]
    flags += ["--device=cpu", "--size=128x64", "--runs=1", "--workers=1"]
    flags += ["--limit=600", "--seconds=3600"]
    networks = ("ifrnet_s", "flow_interpolation", "rife_v3_8")
    flags += [f"--networks={','.join(networks)}", f"--results={tmp_path / 'results'}"]
    assert commands.run(gpu, *flags) == command.DONE
    rows = gpu.sheets.read(tmp_path / "results" / "gpu.csv", gpu.Row)
    found = {(row.network, row.engine): row.difference for row in rows if row.engine != "original"}
    assert set(found) == {(name, f"tfvfi on {each}") for name in networks for each in backends}
    # Other backends sum in another order, so that equality would mean that nothing was compared.
    assert all(0 < difference < 1e-4 for difference in found.values())
