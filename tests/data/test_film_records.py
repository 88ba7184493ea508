"""The TFRecords of FILM, whole sets and damaged ones: as a benchmark and to train from."""

import cv2
import numpy as np
import pytest

from tfvfi.data import datasets, example, tfrecord
from tfvfi.data.samples import Samples
from tfvfi.errors import InputError

SET = "middlebury_other.tfrecord"


def triplet(red: int, size: tuple[int, int] = (64, 96)) -> dict[str, list]:
    """A triplet as create_middlebury_tfrecord.py writes it; its frames have the given red."""
    features: dict[str, list] = {"path": [b"other-gt-interp/Beanbags"]}
    for number in range(3):
        image = np.full((*size, 3), (0, 0, red + number), np.uint8)
        features |= {
            f"frame_{number}/encoded": [cv2.imencode(".png", image)[1].tobytes()],
            f"frame_{number}/format": [b"png"],
            f"frame_{number}/height": [size[0]],
            f"frame_{number}/width": [size[1]],
        }
    return features


@pytest.fixture
def folder(tmp_path):
    """Two shards of two triplets and one; the sizes differ, as in Middlebury."""
    shards = ([triplet(10), triplet(20, (80, 64))], [triplet(30)])
    for number, triplets in enumerate(shards):
        path = tmp_path / f"{SET}-{number:05}-of-00002"
        path.write_bytes(b"".join(tfrecord.pack(example.encode(each)) for each in triplets))
    return tmp_path


@pytest.mark.parametrize("name", ["", f"{SET}@2"])
def test_a_set_is_a_benchmark(name, folder):
    found = datasets.open("film_records", folder / name)
    reds = [
        [int(frame.read()[0, 0, 0]) for frame in (one.frame0, *one.targets, one.frame1)]
        for one in found
    ]
    assert reds == [[10, 11, 12], [20, 21, 22], [30, 31, 32]]
    assert [one.name for one in found][1:] == [f"{SET}/00000-00001", f"{SET}/00001-00000"]
    assert found[1].frame0.read().shape == (80, 64, 3) and found[0].times == (0.5,)


@pytest.mark.parametrize("name", ["", f"{SET}@2", f"{SET}-00000-of-00002"])
def test_they_are_trained_from_as_they_are(name, folder):
    samples = Samples(folder / name, shuffle=False, crop_size=48)
    assert len(samples) == (2 if name.endswith("-00002") else 3)
    sample = samples.sample(1)
    assert sample["target"].shape == (48, 48, 3) and sample["time"] == 0.5
    reds = [float(sample[key][0, 0, 0]) * 255 for key in ("frame0", "target", "frame1")]
    assert sorted(reds) == pytest.approx([20, 21, 22])
    with pytest.raises(InputError, match="which are all 'train'"):
        Samples(folder / name, split="validation")


def test_what_is_not_whole_is_told_in_one_sentence(folder):
    found = datasets.open("film_records", folder)
    path = folder / f"{SET}-00000-of-00002"
    lacking = {key: value for key, value in triplet(10).items() if key != "frame_1/encoded"}
    path.write_bytes(tfrecord.pack(example.encode(lacking)))
    with pytest.raises(InputError, match=r"00000-of-00002, record 0: frame_1 .*lacks it"):
        datasets.open("film_records", folder)[0].targets[0].read()
    with pytest.raises(InputError, match=r"record 1: frame_0 cannot be read \(the record at byte"):
        found[1].frame0.read()

    path.rename(folder / "vimeo.tfrecord-00000-of-00003")
    with pytest.raises(InputError, match=r"several sets .*_other.tfrecord@2, vimeo.tfrecord@3"):
        Samples(folder)
    with pytest.raises(InputError, match=r"@3 is not whole: 2 of its files are missing.*00001-of"):
        datasets.open("film_records", folder / "vimeo.tfrecord@3")
    with pytest.raises(InputError, match="name the folder of shards that the create_"):
        datasets.open("film_records", folder.parent / "elsewhere")
