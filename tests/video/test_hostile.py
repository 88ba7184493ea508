"""Damaged files by the hundred: no trace, no crash, no hang, nothing left behind; see `hostile`."""

import os

import pytest

from tests.video.hostile import DONE, REFUSED, run
from tfvfi.media.reports import picture_reports


@pytest.mark.parametrize(("kind", "count"), [("videos", 30), ("pictures", 24)])
def test_damaged_files_are_treated_or_refused(tmp_path, kind, count):
    found = run(kind, count, 5, tmp_path)
    assert set(found) <= {DONE, REFUSED} and sum(found.values()) == count


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["videos", "pictures"])
def test_damaged_files_by_the_hundred(tmp_path, kind):
    found = run(kind, 500, 21, tmp_path)
    assert set(found) <= {DONE, REFUSED} and sum(found.values()) == 500


def test_explanations_of_opencv_over_several_lines_are_kept_back(capfd):
    with picture_reports() as found:
        os.write(2, b"[ERROR:0@0.1] global grfmt_webp.cpp:96 OpenCV: too small\n> Buffer is\n")
    assert not found and capfd.readouterr().err == ""
