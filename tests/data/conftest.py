"""Videos, and the records that the command makes from them."""

from pathlib import Path

import pytest

from tests.conftest import alone
from tests.data import small_videos
from tests.data.making_records import call


@pytest.fixture(scope="session")
def videos(shared_folder) -> Path:
    folder = shared_folder / "videos"
    with alone(folder) as empty:
        if empty:
            small_videos.write(folder / "three")
    return folder / "three"


@pytest.fixture(scope="session")
def made(videos, shared_folder) -> Path:
    """Records of the videos, by the command with one worker."""
    folder = shared_folder / "made"
    with alone(folder) as empty:
        if empty:
            done = call(videos, folder / "mine", "--workers=1", "--shard_mb=1")
            assert done.returncode == 0, done.stderr
            assert "3 videos read, 0 skipped\n" in done.stdout
    return folder / "mine"
