"""The report: its data, its pictures, and that one file is all of it."""

import base64
import io
import json
import re

import av
import cv2
import numpy as np
import pytest

from tfvfi.evaluation import results
from tfvfi.evaluation.report import data, encoding, page
from tfvfi.evaluation.report.gallery import choose


@pytest.fixture(scope="module")
def text(evaluated):
    return (evaluated / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def holders(text):
    """The JSON in the page, by the name of its element."""
    found = re.findall(r'<script type="application/json" id="([\w-]+)">(.*?)</script>', text)
    return {name: json.loads(content) for name, content in found}


def picture(address):
    kind, _, content = address.partition(";base64,")
    assert kind == "data:image/webp"
    return cv2.imdecode(np.frombuffer(base64.b64decode(content), np.uint8), cv2.IMREAD_COLOR)


def frames(address):
    kind, _, content = address.partition(";base64,")
    assert kind == "data:video/mp4"
    with av.open(io.BytesIO(base64.b64decode(content))) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]


def test_nothing_is_asked_of_the_network(text):
    assert "default-src 'none'" in text
    outside = re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?(?!data:)https?:", text)
    assert outside == [] and "<link" not in text and "@import" not in text
    assert "<!-- data -->" not in text and "<!-- script -->" not in text


def test_numbers_are_those_of_the_files(holders, evaluated):
    content = holders["data"]
    assert content["summary"] == json.loads((evaluated / "summary.json").read_text())
    assert [sample["name"] for sample in content["samples"]] == ["<b>two/000", "one/000", "one/004"]
    at = content["metrics"].index("psnr")
    values = [sample["values"]["flow_interpolation"][at] for sample in content["samples"]]
    mean = content["summary"]["contestants"][0]["means"]["psnr"]
    assert np.mean(values) == pytest.approx(mean)


def test_pictures_of_every_network(holders, clips):
    content = holders["data"]
    names = [sample["name"] for sample in content["samples"]]
    of_sample = holders[f"pictures-{names.index('one/004')}"]
    given = cv2.imread(str(clips / "one" / "004.png"))
    assert np.abs(picture(of_sample["frame0"]).astype(int) - given).mean() < 6
    for label in ("flow_interpolation", "ifrnet_s_fresh"):
        painted = of_sample["painted"][label]
        assert picture(painted["frame"]).shape == picture(painted["error"]).shape == given.shape
        assert painted["flows"]["longest"] > 0
        assert picture(painted["flows"]["flow1"]).shape == given.shape
    psnr = {
        label: np.mean((picture(painted["frame"]).astype(int) - picture(of_sample["truth"])) ** 2)
        for label, painted in of_sample["painted"].items()
    }
    assert psnr["flow_interpolation"] < psnr["ifrnet_s_fresh"]


def test_playback_side_by_side(holders, clips):
    played = [value["playback"] for value in holders.values() if "playback" in value]
    assert played
    for playback in played:
        truth = frames(playback["truth"])
        assert len(truth) in (5, 9)
        for address in playback["painted"].values():
            painted = frames(address)
            assert len(painted) == len(truth)
            # The given frames are the same in both; those between are not.
            gaps = [np.abs(a.astype(int) - b).mean() for a, b in zip(painted, truth, strict=True)]
            assert max(gaps[0], gaps[4]) < min(gaps[1:4])


def test_the_worst_ten_are_shown_and_others_evenly():
    rows = [{"sample": f"clip/{number:03d}", "psnr": float(number)} for number in range(100)]
    chosen, played = choose(rows[::-1], 16)
    assert chosen[:10] == [f"clip/{number:03d}" for number in range(10)]
    assert chosen[10:] == [f"clip/{number:03d}" for number in (10, 25, 40, 55, 70, 85)]
    assert played == ["clip/000"]
    assert choose(rows, 0) == ([], [])
    assert len(choose(rows[:4], 16)[0]) == 4


def test_names_cannot_end_the_element_they_are_in():
    name = "</script><script>alert(1)</script>"
    rows = {"net": {name: [{"psnr": float("inf"), "flicker": 0.0}]}}
    summary = {"definitions": {"psnr": "", "flicker": ""}}
    content = data(summary, rows)
    assert content["samples"][0]["values"]["net"] == [None, 0.0]
    text = page(content, {name: {"frame0": "data:"}})
    assert "<script>alert" not in text
    assert text.count("</script>") == 3
    assert '"name": "\\u003c/script>' in text


def test_colors_of_errors():
    error = np.zeros((8, 8))
    error[0] = 0.5
    assert encoding.error_scale([error / 100]) == encoding.SMALLEST_SCALE
    shown = picture(encoding.heat(error, 0.5)).astype(int).sum(-1)
    assert shown[0].min() > 3 * shown[4:].max()


def test_large_pictures_are_shrunk_and_played_ones_even():
    frame = np.random.default_rng(0).random((300, 2561, 3)).astype("float32")
    assert picture(encoding.picture(frame)).shape == (150, 1280, 3)
    assert encoding.small(frame).shape == (74, 640, 3)
    assert len(frames(encoding.video([encoding.small(frame)] * 3))) == 3


def test_a_page_without_pictures(evaluated):
    summary = json.loads((evaluated / "summary.json").read_text())
    text = page(data(summary, {}), {})
    assert 'id="data"' in text and "pictures-0" not in text
    assert results.SUMMARY in text
