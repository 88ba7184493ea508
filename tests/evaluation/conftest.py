"""A small benchmark, and one evaluation of it that several tests look at."""

import cv2
import pytest

from tfvfi.evaluation.evaluate import EvaluationSettings, evaluate
from tfvfi.registry import ModelSpec

CONTESTANTS = (ModelSpec("flow_interpolation"), ModelSpec("ifrnet_s", weights=None))


@pytest.fixture(scope="session")
def clips(tmp_path_factory, clip_frames):
    """Two folders of small frames, the second with a name that no page may take for markup."""
    root = tmp_path_factory.mktemp("clips")
    for clip, frames in (("one", clip_frames[:9]), ("<b>two", clip_frames[9:14])):
        folder = root / clip
        folder.mkdir()
        for number, frame in enumerate(frames):
            small = cv2.resize(frame, (96, 64), interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(folder / f"{number:03d}.png"), small[..., ::-1])
    return root


@pytest.fixture(scope="session")
def evaluated(clips, tmp_path_factory):
    """The folder of an evaluation: two networks, three samples of three frames each."""
    folder = tmp_path_factory.mktemp("evaluated")
    settings = EvaluationSettings(dataset_options={"factor": 4})
    evaluate(CONTESTANTS, "frames", clips, folder, settings, progress=False)
    return folder
