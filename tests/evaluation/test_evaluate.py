"""Evaluation: the numbers are those of the library call, and no kill spoils them."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import tfvfi
import tfvfi.cli.evaluate as tool
from tests import commands
from tfvfi import registry
from tfvfi.cli import command
from tfvfi.data import datasets
from tfvfi.errors import InputError
from tfvfi.evaluation import evaluate, measures, measuring, published, results
from tfvfi.evaluation.evaluate import EvaluationSettings
from tfvfi.evaluation.prediction import predict, rounded, under
from tfvfi.evaluation.protocols import PROTOCOLS, ROUNDINGS, Protocol, protocol
from tfvfi.evaluation.tables import as_text
from tfvfi.media.tables import finite
from tfvfi.registry import ModelSpec

ROOT = Path(__file__).parent.parent.parent
OPTIONS = {"factor": 4}


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def run(clips, folder, *names, overwrite=False, **settings):
    settings = EvaluationSettings(dataset_options=OPTIONS, shown=0, **settings)
    networks = [ModelSpec.parse(name) for name in names or ("flow_interpolation",)]
    return evaluate.evaluate(networks, "frames", clips, folder, settings, overwrite, progress=False)


def run_tool(*arguments):
    return commands.run(tool, *arguments)


def beside(name, dataset, rounding="none", options=(), self_ensemble=False, **means):
    return published.comparison(name, (dataset,), means, rounding, dict(options), self_ensemble)


def test_numbers_are_those_of_the_library_call(evaluated, clips):
    model = tfvfi.load("flow_interpolation")
    rows = iter(read(evaluated / "flow_interpolation" / "frames.csv"))
    expected = []
    for sample in datasets.open("frames", clips, **OPTIONS):
        frames = model.interpolate(sample.frame0.read(), sample.frame1.read(), sample.times)
        for frame, target, time_ in zip(frames, sample.targets, sample.times, strict=True):
            row = next(rows)
            assert (row["sample"], row["frame"]) == (sample.name, target.name)
            assert float(row["time"]) == time_
            for name, metric in measures.OF_FRAMES.items():
                assert float(row[name]) == pytest.approx(metric(frame, target.read()), abs=1e-9)
            expected.append(measures.psnr(frame, target.read()))
    assert not list(rows)
    summary = json.loads((evaluated / "summary.json").read_text())
    assert summary["contestants"][0]["means"]["psnr"] == pytest.approx(np.mean(expected))


def test_results_say_what_they_mean(evaluated):
    summary = json.loads((evaluated / "summary.json").read_text())
    assert [one["label"] for one in summary["contestants"]] == [
        "flow_interpolation",
        "ifrnet_s_fresh",
    ]
    first = summary["contestants"][0]
    assert (first["samples"], first["frames"]) == (3, 9)
    assert list(first["by_time"]) == ["0.25", "0.5", "0.75"]
    middles = [
        row for row in read(evaluated / first["label"] / "frames.csv") if row["time"] == "0.5"
    ]
    expected = np.mean([float(row["psnr"]) for row in middles])
    assert first["by_time"]["0.5"]["psnr"] == pytest.approx(expected)
    assert summary["definitions"] == {
        name: measures.DEFINITIONS[name] for name in (*measures.OF_FRAMES, "flicker")
    }
    assert summary["protocol"]["rounding"] == "nearest" and not summary["self_ensemble"]
    samples = read(evaluated / first["label"] / "samples.csv")
    assert np.mean([float(row["psnr"]) for row in samples]) == pytest.approx(first["means"]["psnr"])
    about = json.loads((evaluated / first["label"] / "run.json").read_text())
    assert about["definitions"] == dict(measures.DEFINITIONS)


@pytest.mark.parametrize("keep", [0.2, 0.6, 0.95])
def test_a_file_cut_off_anywhere_is_continued(clips, evaluated, tmp_path, keep, monkeypatch):
    run(clips, tmp_path)
    table = tmp_path / "flow_interpolation" / "frames.csv"
    whole = table.read_bytes()
    table.write_bytes(whole[: int(keep * len(whole))])
    predicted = []

    def counted(model, pairs, times, self_ensemble=False):
        predicted.extend(pairs)
        return predict(model, pairs, times, self_ensemble)

    monkeypatch.setattr(measuring, "predict", counted)
    summary = run(clips, tmp_path)
    assert table.read_bytes() == whole
    assert len(predicted) == {0.2: 3, 0.6: 2, 0.95: 1}[keep]
    assert summary == run(clips, tmp_path)


def test_results_of_another_run_are_not_continued(clips, tmp_path):
    run(clips, tmp_path)
    with pytest.raises(InputError, match="differs in protocol; choose another folder"):
        run(clips, tmp_path, rounding="truncate")
    assert run(clips, tmp_path, rounding="truncate", overwrite=True)["protocol"]["rounding"] == (
        "truncate"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("flow_interpolation", "flow_interpolation"),
        ("ifrnet_s,weights=None", "ifrnet_s_fresh"),
    ],
)
def test_numbers_do_not_depend_on_batches_or_on_native_operations(clips, tmp_path, name, label):
    one = run(clips, tmp_path / "one", name)
    batch = run(clips, tmp_path / "batch", name, batch_size=2)
    with tfvfi.ops.portable():
        portable = run(clips, tmp_path / "portable", name)
    tables = [read(tmp_path / kind / label / "frames.csv") for kind in ("one", "batch", "portable")]
    for rows in zip(*tables, strict=True):
        assert len({(row["sample"], row["frame"]) for row in rows}) == 1
        decibels = [float(row["psnr"]) for row in rows]
        assert max(decibels) - min(decibels) < 1e-3
    means = [summary["contestants"][0]["means"]["psnr"] for summary in (one, batch, portable)]
    assert max(means) - min(means) < 1e-3


def test_self_ensemble_is_the_mean_over_views_and_directions():
    class First:
        times = "any"

        def interpolate(self, a, b, times):
            return [a * np.linspace(0, 1, a.shape[1])[None, :, None] for _ in times]

    random = np.random.default_rng(0)
    a, b = random.random((2, 8, 6, 3)).astype("float32")
    ((frame,),) = predict(First(), [(a, b)], (0.5,), self_ensemble=True)
    # Upright and mirrored, the weights of a column add up to 1.
    np.testing.assert_allclose(frame, (a + b) / 4, atol=1e-6)


def test_rounding():
    frame = np.array([0.0, 0.499, 0.501, 1.7], "float32") / 255
    assert rounded(frame, "nearest", np.uint8).tolist() == [0, 0, 1, 2]
    assert rounded(frame, "truncate", np.uint8).tolist() == [0, 0, 0, 1]
    assert rounded(np.array([2.0, -1.0]), "nearest", np.uint16).tolist() == [65535, 0]
    assert rounded(frame, "none", np.uint8) is frame


def test_every_benchmark_has_a_protocol():
    assert set(PROTOCOLS) == set(datasets.KNOWN) - {"frames", "video"}
    assert (protocol("sintel").rounding, protocol("sintel").flow_scale) == ("truncate", 2)
    assert protocol("video").rounding == "nearest"


def test_every_published_number_names_a_known_metric():
    for preset in registry.presets().values():
        for score in preset.scores:
            assert score.metric in published.METRICS, (preset.name, score)


def test_ours_published_difference():
    rows = beside("ifrnet_s", "UCF101", psnr=35.0, ssim_3d=0.97)
    assert [(row["metric"], row["published"]) for row in rows] == [
        ("PSNR", 35.28),
        ("SSIM 3-D", 0.9691),
    ]
    assert rows[0]["difference"] == pytest.approx(-0.28)
    assert beside("ifrnet_s", "Sintel", psnr=35.0) == []
    assert {row["note"] for row in rows} == {""}


def test_every_published_number_is_of_a_dataset_that_can_be_measured():
    known = {title for plan in PROTOCOLS.values() for title in plan.published}
    scores = [score for preset in registry.presets().values() for score in preset.scores]
    assert {score.dataset for score in scores} <= known
    assert {score.rounding for score in scores} <= {None, *ROUNDINGS}


def test_what_was_done_otherwise_than_for_the_published_number_is_said():
    def notes(*arguments, **settings):
        return {row["note"] for row in beside(*arguments, psnr=36.0, **settings)}

    assert notes("sepconv", "Middlebury", rounding="truncate") == {""}
    assert notes("ifrnet", "Middlebury", rounding="truncate", options={"border": "zeros"}) == {
        "published with rounding=none"
    }
    assert notes("ifrnet", "Middlebury") == {"published with border=zeros"}
    assert notes("ifrnet", "Vimeo90K", self_ensemble=True) == {"published without self-ensemble"}


def test_networks_are_measured_as_their_authors_did():
    hard, middlebury = protocol("snu_film_hard"), protocol("middlebury")
    assert under(ModelSpec("ifrnet_l"), hard).options == {"scale": 0.8}
    assert under(ModelSpec("ifrnet_l"), middlebury).options == {"border": "zeros"}
    asked = ModelSpec("ifrnet_l", options={"scale": 1})
    assert under(asked, hard) == asked and under(asked, protocol("vimeo90k")) == asked
    assert under(ModelSpec("sepconv"), middlebury).options == {}


def test_files_of_names_that_are_hard_to_write(tmp_path):
    names = ["plain", 'a,"b"', "two\nlines", "page\x0cbreak\u2028\x85", "bytes \udcff"]
    table = results.FrameTable(tmp_path, {}, ["psnr"])
    for name in names:
        row = {"sample": name, "frame": name, "time": 0.5, "of": 1, "psnr": 30.0}
        table.append(name, [row])
    content = (tmp_path / results.FRAMES).read_bytes()
    assert results.FrameTable(tmp_path, {}, ["psnr"]).rows == table.rows
    assert (tmp_path / results.FRAMES).read_bytes() == content
    # Wherever it is cut off, what is whole is kept.
    for end in range(content.index(b"bytes") + 20):
        (tmp_path / results.FRAMES).write_bytes(content[:end])
        kept = results.FrameTable(tmp_path, {}, ["psnr"]).rows
        assert kept == {name: table.rows[name] for name in names[: len(kept)]}
    assert len(kept) == 4


def test_frames_that_are_no_numbers_are_refused(clips, tmp_path, monkeypatch):
    def broken(model, pairs, times, self_ensemble=False):
        return [[np.full(a.shape, np.nan, "float32") for _ in times] for a, _ in pairs]

    monkeypatch.setattr(measuring, "predict", broken)
    with pytest.raises(InputError, match="no numbers"):
        run(clips, tmp_path, rounding="none")


def test_other_data_is_another_run(clips, tmp_path):
    run(clips, tmp_path, limit=1)
    with pytest.raises(InputError, match="differs in data_dir"):
        run(clips / "one", tmp_path, limit=1)


def test_the_table_tells_when_numbers_do_not_compare(evaluated):
    summary = json.loads((evaluated / "summary.json").read_text())
    rows = beside("ifrnet_s", "UCF101", psnr=35.0, ssim_3d=0.97)
    summary["contestants"][1]["published"] = rows
    text = as_text({**summary, "complete": False, "published_samples": 379})
    assert "only 3 of 379 samples were measured: not comparable" in text
    assert "35.28" in text and "-0.28" in text
    assert "not comparable" not in as_text({**summary, "complete": True})


def test_contestants_are_named_in_one_line():
    parsed = ModelSpec.parse("ifrnet_s,weights=dir/gopro.weights.h5,scale=0.5")
    assert parsed == ModelSpec("ifrnet_s", "dir/gopro.weights.h5", {"scale": 0.5})
    assert parsed.label == "ifrnet_s_gopro_scale-0.5"
    assert ModelSpec.parse("ifrnet_s", "ifrnet_s.weights.h5").label == "ifrnet_s"
    assert ModelSpec.parse("ifrnet_s,weights=None").label == "ifrnet_s_fresh"
    flow = ModelSpec.parse("flow_interpolation,flow=pwcnet,flow_weights=files/a.weights.h5")
    assert flow.label == "flow_interpolation_flow-pwcnet_flow_weights-a"
    assert ModelSpec.parse("flow_interpolation,flow=dis").options == {"flow": "dis"}
    with pytest.raises(InputError, match="name=value"):
        ModelSpec.parse("flow_interpolation,dis")


def test_flow_scale_reaches_networks_that_have_one():
    def required(name, **given):
        return under(ModelSpec(name, options=given), Protocol(flow_scale=2)).options

    assert required("ifrnet_s") == {"scale": 0.5}
    assert required("ifrnet_s", scale=1) == {"scale": 1}
    assert required("flow_interpolation") == {"scale": 0.5}
    assert required("sepconv") == {}
    assert required("superslomo") == {"flow_scale": 2}


def test_equal_frames_do_not_make_the_mean_infinite():
    rows = {"a": [{"psnr": float("inf"), "time": 0.5}], "b": [{"psnr": 30.0, "time": 0.5}]}
    found = results.of_run(rows, ["psnr"])
    assert found["means"]["psnr"] == 30 and found["frames_equal_to_the_truth"] == 1
    assert finite({"psnr": [float("inf"), 1.0]}) == {"psnr": [None, 1.0]}


def test_the_command_gives_the_numbers_of_the_library_call(clips, evaluated, tmp_path, capsys):
    arguments = (
        f"--data_dir={clips}",
        "--dataset=frames",
        "--dataset_option=factor=4",
        "--limit=2",
        f"--report={tmp_path}",
        "--report_samples=1",
    )
    assert run_tool(*arguments) == command.DONE, capsys.readouterr().err
    shown = capsys.readouterr().out
    means = json.loads((tmp_path / "summary.json").read_text())["contestants"][0]["means"]
    assert f"{means['psnr']:.2f}" in shown and "2 of 3 samples, 6 frames" in shown
    assert (tmp_path / "index.html").is_file()
    expected = read(evaluated / "flow_interpolation" / "frames.csv")
    assert read(tmp_path / "flow_interpolation" / "frames.csv") == expected[:6]
    table = (tmp_path / "flow_interpolation" / "frames.csv").read_bytes()
    assert run_tool(*arguments) == command.DONE
    assert (tmp_path / "flow_interpolation" / "frames.csv").read_bytes() == table


@pytest.mark.parametrize(
    "arguments",
    [
        ("--weights=missing.weights.h5", "--model=ifrnet_s"),
        ("--data_dir=nowhere",),
    ],
)
def test_mistakes_get_one_sentence(clips, tmp_path, arguments, capsys):
    folder = tmp_path / "report"
    usual = ("--dataset=frames", f"--data_dir={clips}", f"--report={folder}")
    assert run_tool(*usual, *arguments) == command.FAILED
    said = capsys.readouterr().err
    assert said.startswith("tfvfi: ") and said.count("\n") == 1
    assert not (folder / "summary.json").exists()


@pytest.mark.parametrize(
    "argument",
    [
        "--dataset=nothing",
        "--model=nothing",
        "--model=dis",
        "--dataset_option=factor",
        "--dataset_option=factor=1",
        "--compare=flow_interpolation",
        "--fps=0",
    ],
)
def test_wrong_flags_exit_2_with_one_sentence(clips, tmp_path, argument, capsys):
    usual = ("--dataset=frames", f"--data_dir={clips}", f"--report={tmp_path / 'report'}")
    assert run_tool(*usual, argument) == command.WRONG_FLAGS
    said = capsys.readouterr().err
    assert said.startswith("tfvfi: ") and said.count("\n") == 1


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on(clips, tmp_path):
    script = [sys.executable, str(ROOT / "tools" / "evaluate.py"), "--dataset=frames"]
    script += [f"--data_dir={clips}", "--report_samples=0", "--model=ifrnet_s,weights=None"]
    subprocess.run([*script, f"--report={tmp_path / 'whole'}"], check=True, cwd=ROOT)
    expected = (tmp_path / "whole" / "ifrnet_s_fresh" / "frames.csv").read_bytes()
    broken = tmp_path / "broken"
    table = broken / "ifrnet_s_fresh" / "frames.csv"
    for lines in (1, 3, 5):
        process = subprocess.Popen([*script, f"--report={broken}"], cwd=ROOT)
        while process.poll() is None and not (
            table.exists() and table.read_bytes().count(b"\n") >= lines
        ):
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    subprocess.run([*script, f"--report={broken}"], check=True, cwd=ROOT)
    assert table.read_bytes() == expected
    assert sorted(path.name for path in broken.rglob(".*")) == []
