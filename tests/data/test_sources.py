"""Other sources of samples: the origin project's old records, and public benchmarks."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.data import small_records
from tests.data.small_records import SIZE, record_of
from tfvfi.data import example, tfrecord
from tfvfi.data.datasets.sample import Benchmark, Picture, Sample
from tfvfi.data.samples import Samples
from tfvfi.errors import InputError


def old_record(number: int) -> bytes:
    """As the origin project wrote them: JPEG by TensorFlow, of BGR taken for RGB."""
    images = {
        f"img{1 + frame}": [
            cv2.imencode(
                ".jpg", small_records.image(number, frame), [cv2.IMWRITE_JPEG_QUALITY, 95]
            )[1].tobytes()
        ]
        for frame in range(3)
    }
    return tfrecord.pack(example.encode({**images, "height": [SIZE], "width": [SIZE]}))


def test_old_records_are_read_in_their_true_colors(tmp_path):
    path = tmp_path / "clip_3.tfrecord"
    path.write_bytes(b"".join(old_record(number) for number in range(0, 250, 50)))
    for records in (path, tmp_path):
        samples = Samples(records, shuffle=False, crop_size=16)
        assert len(samples) == 5 and samples.spec["target"] == (16, 16, 3)
        for position in range(5):
            sample = samples.sample(position)
            assert abs(record_of(sample) - 50 * position) <= 3
            assert sample["time"] == 0.5
    assert samples.describe(3).index == 3
    with pytest.raises(InputError, match="old records, which are all 'train'"):
        Samples(path, split="validation")


def test_a_file_that_holds_no_records_is_said(tmp_path):
    (tmp_path / "a.tfrecord").write_bytes(b"not a record at all")
    with pytest.raises(InputError, match="holds no whole record"):
        Samples(tmp_path)
    (tmp_path / "a.tfrecord").write_bytes(tfrecord.pack(b"\x01\x02"))
    with pytest.raises(InputError, match="no img1, img2, img3"):
        Samples(tmp_path)


@pytest.fixture
def benchmark(tmp_path):
    for name in range(3):
        for frame in range(3):
            depth = 257 if name == 1 else 1
            image = small_records.image(name, frame)[..., ::-1].astype(np.uint16) * depth
            image = image if name == 1 else image.astype(np.uint8)
            cv2.imwrite(str(tmp_path / f"{name}_{frame}.png"), image)

    def sample(key: int) -> Sample:
        return Sample.evenly(f"{key}", [Picture(tmp_path / f"{key}_{i}.png") for i in range(3)])

    return Benchmark("three", range(3), sample)


def test_a_benchmark_feeds_training(benchmark, tmp_path):
    samples = Samples(benchmark, crop_size=8)
    seen = {record_of(samples.sample(position)): samples.sample(position) for position in range(3)}
    assert sorted(seen) == [0, 1, 2]
    assert seen[1]["target"].max() <= 1, "16 bits are brought into range"
    assert samples.describe(0).shard == "three"
    (tmp_path / "0_2.png").unlink()
    samples = Samples(benchmark, crop_size=8)
    assert {record_of(samples.sample(position)) for position in range(3)} == {1, 2}
    assert "there is no file" in samples.faults[0]


def test_a_benchmark_by_name_trains_and_validates(tmp_path):
    for key, split in (("00001/0001", "train"), ("00001/0002", "test")):
        folder = tmp_path / "sequences" / key
        folder.mkdir(parents=True)
        for number in (1, 2, 3):
            cv2.imwrite(str(folder / f"im{number}.png"), np.zeros((16, 16, 3), np.uint8))
        (tmp_path / f"tri_{split}list.txt").write_text(f"{key}\n")
    named = f"vimeo90k:{tmp_path}"
    assert Samples(named).describe(0).source == "00001/0001"
    assert Samples(named, split="validation").describe(0).source == "00001/0002"
    with pytest.raises(InputError, match="middlebury is a test set"):
        Samples(f"middlebury:{tmp_path}")
    with pytest.raises(InputError, match="vimeo90k is not in nowhere: there is no such folder"):
        Samples("vimeo90k:nowhere")
    video = Path(__file__).parent.parent.parent / "samples" / "clip.mp4"
    with pytest.raises(InputError, match=r"tools/create_records\.py\. Received: Clips"):
        Samples(f"video:{video}")
