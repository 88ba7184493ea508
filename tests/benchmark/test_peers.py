"""The comparison with the authors' networks: its table, its processes, and its stand-ins."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest

from tests import commands
from tests.benchmark.conftest import BENCHMARKS
from tfvfi import ops, registry
from tfvfi.cli import command
from tfvfi.errors import InputError


@pytest.fixture
def table(part):
    return part("originals.table")


def row(table, **changes):
    made = table.Row(
        "ifrnet_s", "64x32", "float32", "eager", "torch 2", 3, 0.2, 0.1, 0.4, 2.0, 1e-6, 100.0,
        "https://github.com/a/b at c0ffee", "MIT", "", "a machine", 2, "2026-11-29",
    )  # fmt: skip
    return replace(made, **changes)


def failed(table, **changes):
    nothing = dict.fromkeys(
        ("median_s", "lowest_s", "highest_s", "ours_is_faster", "difference", "peak_mib")
    )
    return row(table, engine="openvino", runs=0, note="it | failed", **nothing, **changes)


def test_a_table_is_read_as_it_was_written(table, tmp_path):
    rows = [row(table, engine="tfvfi"), row(table), failed(table)]
    table.write(rows, tmp_path / "new")
    assert table.read(tmp_path / "new" / "peers.csv") == rows
    assert table.read(tmp_path / "none.csv") == []


def test_the_page_names_the_fastest_the_reasons_and_the_origins(table):
    ours = row(table, engine="tfvfi", median_s=0.1, ours_is_faster=1.0)
    slower = row(table, engine="compile", median_s=0.5, ours_is_faster=5.0)
    lines = table.markdown([ours, slower, row(table), failed(table)]).splitlines()
    assert "## 64x32 on a machine" in lines
    assert "| ifrnet_s | float32 | 0.100 | 0.200 | eager | 2.00 |" in lines
    assert [line for line in lines if "openvino" in line and "it / failed" in line]
    assert "| ifrnet_s | https://github.com/a/b at c0ffee | MIT |  |" in lines
    alone = table.markdown([ours, failed(table)])
    assert "| ifrnet_s | float32 | 0.100 |  | none |  |" in alone


def test_measuring_again_replaces_only_the_same_rows(table):
    order = ("ifrnet_s", "film")
    film, half = row(table, network="film"), row(table, precision="bfloat16")
    elsewhere = row(table, machine="other")
    earlier = [film, half, row(table), failed(table), elsewhere]
    again = row(table, median_s=0.3)
    assert table.merged(earlier, [again], order) == [again, half, film, elsewhere]


def test_every_network_of_the_catalog_is_ours_and_has_a_file(part):
    catalog = part("originals.catalog")
    assert set(catalog.ORIGINALS) <= set(registry.list_models())
    for name, original in catalog.ORIGINALS.items():
        assert (BENCHMARKS / "originals" / f"{original.builder}.py").is_file(), name
        assert set(original.options) <= registry.options_of(name)


@pytest.fixture
def measured(part, monkeypatch, tmp_path):
    """Measures IFRNet with processes that give the results of a function."""
    measuring = part("originals.measuring")

    def measure(do, rounds=2, cloned=True):
        if cloned:
            (tmp_path / "IFRNet").mkdir()
        monkeypatch.setattr(measuring, "do", lambda job, limit: do(job))
        engines = ("eager", "tensorflow")
        plan = measuring.Plan(64, 32, ("float32",), engines, rounds, 1, 9.0, 1, tmp_path)
        return measuring.measure("ifrnet_s", plan, tmp_path, lambda sentence: None)

    return measure


def test_rows_relate_medians_of_all_rounds_to_ours(part, measured):
    job = part("originals.job")
    times = {"tfvfi": iter((0.1, 0.3)), "eager": iter((0.5, 0.7))}

    def do(given):
        if given.engine not in times:
            return job.Result()
        np.save(given.output, np.full((1, 2, 2, 3), 0.4 + 0.1 * (given.engine == "eager")))
        given.published.touch()
        return job.Result("", "it 1", (next(times[given.engine]),), 10.0)

    ours, theirs = measured(do)
    assert (ours.engine, ours.median_s, ours.ours_is_faster, ours.difference) == (
        "tfvfi",
        0.2,
        1,
        0,
    )
    assert (theirs.median_s, theirs.lowest_s, theirs.highest_s) == (0.6, 0.5, 0.7)
    assert (theirs.ours_is_faster, theirs.difference, theirs.runs) == (3.0, 0.25, 2)


def test_an_engine_that_fails_is_a_row_and_is_not_run_again(part, measured):
    job = part("originals.job")
    seen = []

    def do(given):
        seen.append(given.engine)
        return job.Result("no such operation" * (given.engine == "eager"), "it 1", (0.1,), 1.0)

    _, theirs = measured(do)
    assert (theirs.note, theirs.median_s, theirs.runs) == ("no such operation", None, 0)
    assert seen.count("eager") == 1 and seen.count("tfvfi") == 2


def test_an_original_that_cannot_be_built_leaves_ours(part, measured):
    job = part("originals.job")
    seen = []

    def do(given):
        seen.append(given.engine)
        return job.Result("no file" * (given.engine == job.ORIGINAL), "it 1", (0.1,), 1.0)

    ours, theirs = measured(do, rounds=1)
    assert ours.median_s == 0.1 and theirs.note == "no file"
    assert seen == [job.ORIGINAL, job.FRESH, "tfvfi"]


def test_a_repository_that_cannot_be_cloned_leaves_ours(part, measured, monkeypatch):
    job = part("originals.job")
    monkeypatch.setattr(part("originals.sources"), "GITHUB", "/nowhere/")
    ours, theirs = measured(lambda _: job.Result("", "it 1", (0.1,), 1.0), 1, cloned=False)
    assert ours.median_s == 0.1 and "clone it to" in theirs.note


def test_a_process_has_a_time_limit(part, tmp_path):
    job = part("originals.job")
    result = job.do(job.Job("eager", "ifrnet_s", "nowhere", str(tmp_path), 64, 32), 0.01)
    assert result.refused == "it was ended after the time limit of 0 seconds"


def git(folder, *arguments):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True)


def test_repositories_are_cloned_once_with_their_tags(part, tmp_path, capsys):
    catalog, sources = part("originals.catalog"), part("originals.sources")
    whole = tmp_path / "net"
    whole.mkdir()
    git(whole, "init", "--quiet")
    for version in ("v1", "v2"):
        (whole / "model.py").write_text(version)
        git(whole, "add", "model.py")
        git(whole, "commit", "--quiet", "-m", version)
        git(whole, "tag", version)
    newest = catalog.Original("a/net", "MIT", "net")
    assert sources.fetch(newest, tmp_path) == whole
    tagged = sources.fetch(replace(newest, ref="v1"), tmp_path)
    assert (tagged / "model.py").read_text() == "v1"
    assert "licence: MIT" in capsys.readouterr().out
    assert len(sources.commit(tagged)) == 12 != sources.commit(whole)
    with pytest.raises(InputError, match=r"clone it to .*net-v9 yourself"):
        sources.fetch(replace(newest, ref="v9"), tmp_path)


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("--networks=nothing", "--networks takes ifrnet_s"),
        ("--engines=abacus", "--engines takes eager"),
        ("--precisions=int3", "--precisions takes float32, bfloat16"),
        ("--size=64", "such as 1280x720"),
    ],
)
def test_mistakes_get_one_sentence(part, argument, said, capsys):
    assert commands.run(part("peers"), argument) == command.WRONG_FLAGS
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def random(*shape, scale=1.0):
    return scale * np.random.default_rng(0).standard_normal(shape).astype("float32")


def first(array):
    import torch

    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, -1, 1)))


def last(tensor):
    return np.moveaxis(tensor.numpy(), 1, -1)


def both_forms(function):
    """A stand-in as it is, and as torch.compile reads it; no machine code is made."""
    import torch

    torch.compiler.reset()
    return function, torch.compile(function, backend="aot_eager")


@pytest.mark.slow
class TestStandIns:
    """Each computes what our own operation computes."""

    @pytest.fixture
    def stand_ins(self, part):
        return part("originals.stand_ins")

    def test_correlation(self, stand_ins):
        a, b = random(2, 9, 11, 5), random(2, 9, 11, 5)[:, ::-1].copy()
        for form in both_forms(stand_ins.correlation):
            found = last(form(tenOne=first(a), tenTwo=first(b)))
            np.testing.assert_allclose(found, ops.correlation(a, b), atol=1e-5)

    def test_strided_correlation(self, stand_ins):
        a, b = random(1, 12, 14, 5), random(1, 12, 14, 5)[:, ::-1].copy()
        expected = ops.correlation(a, b, max_displacement=6, stride=2)
        for form in both_forms(stand_ins.StridedCorrelation(6, 1, 6, 1, 2, 1)):
            np.testing.assert_allclose(last(form(first(a), first(b))), expected, atol=1e-5)

    def test_splat(self, stand_ins):
        values, flow = random(2, 9, 11, 4), random(2, 9, 11, 2, scale=4.0)
        found = last(stand_ins.splat(first(values), first(flow)))
        np.testing.assert_allclose(found, ops.splat(values, flow), atol=1e-5)

    def test_warping(self, stand_ins):
        image, flow = random(2, 9, 11, 4), random(2, 9, 11, 2, scale=4.0)
        found = last(stand_ins.Resample2d()(first(image), first(flow)))
        np.testing.assert_allclose(found, ops.backward_warp(image, flow), atol=1e-4)

    def test_norm_over_channels(self, stand_ins):
        values = random(2, 9, 11, 4)
        found = last(stand_ins.ChannelNorm()(first(values)))
        np.testing.assert_allclose(found, np.linalg.norm(values, axis=-1)[..., None], rtol=1e-5)

    def test_separable_convolution(self, stand_ins, monkeypatch):
        image, vertical, horizontal = (
            random(2, 14, 16, 3),
            random(2, 10, 12, 5),
            random(2, 10, 12, 5),
        )
        expected = ops.separable_convolution(image, vertical, horizontal)
        tensors = (first(image), first(vertical), first(horizontal))
        for strip in (1, 2**10, 2**20):
            monkeypatch.setattr(stand_ins, "STRIP", strip)
            for form in both_forms(stand_ins.separable_convolution):
                np.testing.assert_allclose(last(form(*tensors)), expected, atol=1e-4)

    def test_local_convolution(self, stand_ins):
        import torch

        image, kernels = random(2, 12, 14, 3), random(2, 8, 10, 5, 5)
        found = stand_ins.local_convolution(first(image), torch.from_numpy(kernels))
        np.testing.assert_allclose(last(found), ops.local_convolution(image, kernels), atol=1e-4)

    def test_the_warping_of_film(self, part):
        image, flow = random(2, 9, 11, 4), random(2, 9, 11, 2, scale=4.0)
        found = part("originals.film").dense_image_warp(image, -flow[..., ::-1])
        np.testing.assert_allclose(found, ops.backward_warp(image, flow), atol=1e-5)
