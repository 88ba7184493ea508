"""Videos, and the records that the command makes from them."""

from pathlib import Path

import pytest

from tests.data import small_videos
from tests.data.making_records import call


@pytest.fixture(scope="session")
def videos(tmp_path_factory) -> Path:
    return small_videos.write(tmp_path_factory.mktemp("videos"))


@pytest.fixture(scope="session")
def made(videos, tmp_path_factory) -> Path:
    """Records of the videos, by the command with one worker."""
    output = tmp_path_factory.mktemp("made") / "mine"
    done = call(videos, output, "--workers=1", "--shard_mb=1")
    assert done.returncode == 0, done.stderr
    assert "3 videos read, 0 skipped\n" in done.stdout
    return output
