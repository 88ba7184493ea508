"""Flow written into records: in its place, the same bytes after a kill, refused where it fails."""

import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import tfvfi
from tests.data import small_records
from tfvfi.cli.estimate_flow import label_records
from tfvfi.data import codecs, pseudo_labels, records
from tfvfi.data.pseudo_labels import add_flow
from tfvfi.data.records import Example, Layout, Records
from tfvfi.data.tfrecord import CorruptRecordError
from tfvfi.errors import InputError
from tfvfi.registry import ModelSpec

ROOT = Path(__file__).parents[2]
KNOWN = {"model": "known"}


def by_numbers(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """x tells how many frames the flow leads on, y from which record; green tells the frame."""
    steps = (b[..., 1].astype(float) - a[..., 1]) / 10
    return np.stack([steps, a[..., 0]], axis=-1).astype(np.float32)


@pytest.fixture
def given(tmp_path):
    return small_records.write(tmp_path / "given", count=70, frames=5, shards=2)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_inner_frame_gets_its_flow_to_both_ends(given, tmp_path):
    made = add_flow(given, tmp_path / "made", by_numbers, KNOWN)
    before = Records(given)
    assert made.splits == before.splits == ("train", "validation")
    assert made.layout == Layout(5, small_records.SIZE, small_records.SIZE, flow=True)
    for split in made.splits:
        pairs = list(zip(before.examples(split), made.examples(split), strict=True))
        for old, new in pairs:
            assert new.frames == old.frames and new.times == old.times
            assert (new.source, new.start) == (old.source, old.start)
            assert len(new.flow) == 3
            for place, flow in enumerate(new.flow, start=1):
                found = codecs.decode_flow(flow, small_records.SIZE, small_records.SIZE)
                record = old.start - 100
                np.testing.assert_array_equal(found[0, 0], (-place, record, 4 - place, record))
    assert made.manifest["labels"]["estimator"] == KNOWN
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == [
        "dataset_info.json",
        "features.json",
        "made-train.tfrecord-00000-of-00002",
        "made-train.tfrecord-00001-of-00002",
        "made-validation.tfrecord-00000-of-00001",
        "manifest.json",
    ]


def test_batches_hold_the_flow(given, tmp_path):
    add_flow(given, tmp_path / "made", by_numbers, KNOWN)
    batch = next(iter(tfvfi.data.load(tmp_path / "made", batch_size=4, crop_size=16)))
    assert batch["flow"].shape == (4, 16, 16, 4)
    frames = 4 * batch["time"].numpy()
    np.testing.assert_allclose(batch["flow"].numpy()[:, 0, 0, 0], -frames)
    np.testing.assert_allclose(batch["flow"].numpy()[:, 0, 0, 2], 4 - frames)


def test_tensorflow_datasets_reads_it(given, tmp_path):
    import tensorflow_datasets as tfds

    add_flow(given, tmp_path / "made", by_numbers, KNOWN)
    data = tfds.builder_from_directory(str(tmp_path / "made")).as_dataset(split="validation")
    first = next(iter(data.as_numpy_iterator()))
    assert first["flow"].shape == (3, small_records.SIZE, small_records.SIZE, 4)
    assert first["flow"][1, 0, 0].tolist() == [-2, 0, 2, 0]


def test_a_killed_call_goes_on_and_makes_the_same_bytes(given, tmp_path):
    script = f"""
import os, signal
from tests.data.test_pseudo_labels import KNOWN, by_numbers
from tfvfi.data import pseudo_labels

pseudo_labels.EXAMPLES_OF_A_PART = 10
done = []

def estimate(a, b):
    done.append(1)
    if len(done) == 28:
        os.kill(os.getpid(), signal.SIGKILL)
    return by_numbers(a, b)

pseudo_labels.add_flow({str(given)!r}, {str(tmp_path / "killed")!r}, estimate, KNOWN)
"""
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    with pytest.raises(InputError, match="no finished records folder"):
        Records(tmp_path / "killed")

    calls = []

    def estimate(a, b):
        calls.append(1)
        return by_numbers(a, b)

    monkey = pytest.MonkeyPatch()
    with monkey.context() as patched:
        patched.setattr(pseudo_labels, "EXAMPLES_OF_A_PART", 10)
        add_flow(given, tmp_path / "killed", estimate, KNOWN)
    # Two parts of ten examples were there.
    assert len(calls) == 72 - 20
    (tmp_path / "whole").mkdir()
    add_flow(given, tmp_path / "whole" / "killed", by_numbers, KNOWN)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole" / "killed")


def test_what_is_done_is_not_done_again(given, tmp_path):
    add_flow(given, tmp_path / "made", by_numbers, KNOWN)
    before = contents(tmp_path / "made")
    add_flow(given, tmp_path / "made", None, KNOWN)
    with pytest.raises(InputError, match="holds other records; pass `overwrite=True`"):
        add_flow(given, tmp_path / "made", by_numbers, {"model": "another"})
    assert contents(tmp_path / "made") == before
    add_flow(given, tmp_path / "made", by_numbers, {"model": "another"}, overwrite=True)
    assert Records(tmp_path / "made").manifest["labels"]["estimator"] == {"model": "another"}


def test_another_model_does_not_go_on_with_these_parts(given, tmp_path):
    def failing(a, b):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add_flow(given, tmp_path / "made", failing, KNOWN)
    with pytest.raises(InputError, match="begun with another model or other records; remove it"):
        add_flow(given, tmp_path / "made", by_numbers, {"model": "another"})
    add_flow(given, tmp_path / "made", by_numbers, KNOWN)


def test_outputs_that_cannot_be(given, tmp_path):
    with pytest.raises(InputError, match="holds the records"):
        add_flow(given, given, by_numbers, KNOWN)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep me")
    with pytest.raises(InputError, match="holds other files"):
        add_flow(given, tmp_path / "full", by_numbers, KNOWN, overwrite=True)
    assert (tmp_path / "full" / "mine.txt").exists()


def test_records_that_cannot_be_labelled(tmp_path):
    short = small_records.write(tmp_path / "short", count=3, frames=2, shards=1)
    with pytest.raises(InputError, match=r"windows of 2 frames, .*at least 3 frames"):
        add_flow(short, tmp_path / "made", by_numbers, KNOWN)
    damaged = small_records.write(tmp_path / "damaged", count=3, shards=1)
    shard = small_records.shard(damaged, 0)
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    with pytest.raises(InputError, match=rf"{shard.name} cannot be read .*is damaged"):
        add_flow(damaged, tmp_path / "made", by_numbers, KNOWN)
    lacking = small_records.write(tmp_path / "lacking", count=9, shards=3)
    small_records.shard(lacking, 1).write_bytes(small_records.shard(lacking, 0).read_bytes()[:0])
    with pytest.raises(InputError, match="it holds 0 records, not 3"):
        add_flow(lacking, tmp_path / "other", by_numbers, KNOWN)


def test_flow_that_is_not_finite_is_refused(given, tmp_path):
    with pytest.raises(InputError, match=r"clip0\.mp4, frame 100, is not finite"):
        add_flow(given, tmp_path / "made", lambda a, b: by_numbers(a, b) + np.inf, KNOWN)


def test_examples_of_another_number_of_frames():
    with pytest.raises(CorruptRecordError, match="holds 3 frames, not 5"):
        pseudo_labels.label(small_records.example(0), Layout(5, 24, 24), by_numbers)


def test_a_flow_estimator_labels_real_motion(tmp_path):
    noise = np.random.default_rng(2).uniform(0, 255, (12, 24, 3)).astype("uint8")
    big = cv2.resize(noise, (192, 96), interpolation=cv2.INTER_CUBIC)
    # The scene moves right by 3 pixels a frame.
    frames = [codecs.encode_image(big[16:80, 40 - at : 136 - at]) for at in (0, 3, 6)]
    example = Example(tuple(frames), (0.0, 0.5, 1.0), "noise", 0, 0, 0)
    shard = records.write_shard(tmp_path, "noise", "train", 0, 1, [example.pack()])
    records.finish(tmp_path, "noise", Layout(3, 64, 96), {"train": [shard]}, {})
    made = label_records(tmp_path, tmp_path / "made", ModelSpec("dis"))
    (flow,) = next(made.examples()).flow
    found = codecs.decode_flow(flow, 64, 96)
    np.testing.assert_allclose(np.median(found, axis=(0, 1)), (-3, 0, 3, 0), atol=0.2)
    with pytest.raises(InputError, match="ifrnet_s estimates no flow"):
        label_records(tmp_path, tmp_path / "other", ModelSpec("ifrnet_s"))
