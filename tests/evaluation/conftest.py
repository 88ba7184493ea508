"""A small benchmark, and one evaluation of it that several tests look at."""

import cv2
import pytest

from tests.conftest import alone
from tfvfi.evaluation.evaluate import EvaluationSettings, evaluate
from tfvfi.registry import ModelSpec

CONTESTANTS = (ModelSpec("flow_interpolation"), ModelSpec("ifrnet_s", weights=None))


@pytest.fixture(scope="session")
def clips(shared_folder, clip_frames):
    """Two folders of small frames, the second with a name that no page may take for markup."""
    root = shared_folder / "clips"
    with alone(root) as empty:
        if empty:
            write(root / "two", "one", clip_frames[:9])
            write(root / "two", "<b>two", clip_frames[9:14])
    return root / "two"


def write(root, clip, frames):
    """A folder of small frames."""
    folder = root / clip
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames):
        small = cv2.resize(frame, (96, 64), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(folder / f"{number:03d}.png"), small[..., ::-1])


@pytest.fixture(scope="session")
def evaluated(clips, shared_folder):
    """The folder of an evaluation: two networks, three samples of three frames each."""
    folder = shared_folder / "evaluated"
    settings = EvaluationSettings(dataset_options={"factor": 4})
    with alone(folder) as empty:
        if empty:
            evaluate(CONTESTANTS, "frames", clips, folder / "run", settings, progress=False)
    return folder / "run"
