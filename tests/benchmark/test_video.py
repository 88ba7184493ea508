"""Whole videos beside other chains: the stopwatch, the clips, the table and the processes."""

import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests import commands
from tfvfi.cli import command
from tfvfi.media.source import Video

SAMPLE = Path("samples/clip.mp4")


@pytest.fixture
def chains(part):
    return part("videos.chains")


@pytest.fixture
def table(part):
    return part("videos.table")


def test_the_first_call_is_not_counted(part, tmp_path, monkeypatch):
    stopwatch = part("videos.stopwatch")
    # Three calls, of 9, 2 and 1 seconds, with a second before each, and 4 seconds after the last.
    moments = iter((1.0, 10.0, 11.0, 13.0, 14.0, 15.0, 19.0))
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: next(moments))
    watch = stopwatch.Stopwatch()
    for _ in range(3):
        with watch:
            pass
    watch.write(tmp_path / "measured.json")
    found = stopwatch.Shares.read(tmp_path / "measured.json")
    assert found == stopwatch.Shares(2, 3.0, 9.0, 4.0)
    assert found.network == pytest.approx(1 / 3)


def test_a_clip_gets_any_size_and_runs_back_where_it_is_short(part, tmp_path):
    clip = part("videos.clip")
    first = clip.enlarged(SAMPLE, tmp_path / "first.mp4", (64, 36), 3)
    # Without its last frame, the short clip has frames 0, 1 and 2: then come 1 and 0 again.
    longer = clip.enlarged(first, tmp_path / "longer.mp4", (96, 54), 5)
    images = [shown.image.astype(int) for shown in Video(longer)]
    assert len(images) == 5 and images[0].shape == (54, 96, 3)
    assert Video(longer).rate == Video(SAMPLE).rate
    apart = [[np.abs(one - other).mean() for one in images] for other in images]
    assert apart[0][4] < apart[0][1] and apart[1][3] < apart[1][2]


def run(chains, seconds, network=None, refused="", peak=100.0):
    stopwatch = sys.modules["videos.stopwatch"]
    shares = network and stopwatch.Shares(10, network, 20.0, 0.5)
    return chains.Run(refused, seconds, peak, shares)


def test_rows_relate_medians_to_the_first_chain(chains, table, tmp_path):
    runs = {
        "ours": [run(chains, 4.0, 19.0), run(chains, 2.0, 18.0, peak=200.0)],
        "ffmpeg": [run(chains, 6.0)],
        "other": [run(chains, 1.0), chains.Run("it | broke")],
    }
    ours, ffmpeg, other = table.rows("64x36", 6, "clip.mp4", runs, "ours")
    assert (ours.median_s, ours.lowest_s, ours.highest_s, ours.over_first) == (3.0, 2.0, 4.0, 1.0)
    # Eleven calls for five pairs, the first of which is not counted.
    assert (ours.pair_s, ours.network, ours.tail_s, ours.peak_mib) == (4.4, 0.925, 0.5, 200.0)
    assert (ffmpeg.over_first, ffmpeg.pair_s, ffmpeg.network) == (2.0, None, None)
    assert (other.median_s, other.rounds, other.note) == (None, 0, "it | broke")
    found = [ours, ffmpeg, other]
    table.write(found, tmp_path)
    table.write(found, tmp_path)
    assert table.sheets.read(tmp_path / "video.csv", table.Row) == found
    page = (tmp_path / "video.md").read_text()
    assert "| ours | 3.0 | 2.0 to 4.0 | 1.00 | 4.40 | 92.5% | 0.5 | 200 |  |" in page
    assert "| other |  |  |  |  |  |  |  | it / broke |" in page


def python(code):
    return lambda clip, output, measured: [sys.executable, "-c", code, str(output)]


def test_a_chain_is_watched_and_ended(chains, tmp_path, monkeypatch):
    monkeypatch.setattr(chains, "LOOK", 0.01)
    busy = "import sys, time; x = bytearray(2**26); time.sleep(.1); open(sys.argv[1], 'w').close()"
    done = chains.run(python(busy), tmp_path, tmp_path, 30.0)
    assert not done.refused and done.peak_mib > 64 and done.seconds > 0.1 and done.shares is None
    broken = chains.run(python("raise SystemExit('no | such file')"), tmp_path, tmp_path, 30.0)
    assert broken.refused == "no | such file"
    start = time.monotonic()
    late = chains.run(python("import time; time.sleep(60)"), tmp_path, tmp_path, 0.05)
    assert "time limit" in late.refused and time.monotonic() - start < 30


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("--frames=6", "--frames takes one number for each of --sizes"),
        ("--frames=6,1", "--frames takes numbers from 2 on"),
        ("--sizes=65x36,64x36", "the sides of --sizes are even"),
        ("--models=nothing", "there is no model"),
        ("--qualities=nothing", "quality is one of"),
        ("--others=abacus", "--others takes minterpolate, torch"),
    ],
)
def test_mistakes_get_one_sentence(part, argument, said, capsys):
    assert commands.run(part("video"), argument) == command.WRONG_FLAGS
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


@pytest.mark.slow
def test_our_chains_and_minterpolate_run(part, table, tmp_path):
    flags = ("--sizes=64x48", "--frames=3", "--longer=2", "--others=minterpolate")
    assert commands.run(part("video"), *flags, f"--results={tmp_path}") == command.DONE
    rows = table.sheets.read(tmp_path / "video.csv", table.Row)
    assert not [row.note for row in rows if row.note]
    shares = {(row.frames, row.chain): row.network for row in rows if "=" in row.chain}
    assert len(shares) == 4 and all(0 < share < 1 for share in shares.values())
