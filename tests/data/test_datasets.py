"""Public benchmarks: a miniature of each official layout, and what is said without the data."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import ROOT
from tfvfi.data import datasets
from tfvfi.data.datasets import KNOWN
from tfvfi.errors import InputError

CLIP = ROOT / "samples" / "clip.mp4"
LEVELS = ("easy", "medium", "hard", "extreme")


def put(path: Path, value: int = 0, size: tuple[int, int] = (4, 6)) -> Path:
    """A picture whose red is the value."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.zeros((*size, 3), np.uint8)
    image[..., 2] = value
    assert cv2.imwrite(str(path), image)
    return path


def reds(sample) -> list[int]:
    """What the first frame, the true ones and the last are, told by their red."""
    frames = (sample.frame0, *sample.targets, sample.frame1)
    return [round(float(frame.read()[..., 0].mean())) for frame in frames]


def test_vimeo90k_triplets(tmp_path):
    root = tmp_path / "vimeo_triplet"
    for key in ("00001/0001", "00001/0389", "00096/0936"):
        for number in (1, 2, 3):
            put(root / "sequences" / key / f"im{number}.png", number)
    (root / "tri_testlist.txt").write_text("00001/0001\n00096/0936\n\n")
    (root / "tri_trainlist.txt").write_text("00001/0389\n")
    for folder in (root, tmp_path):
        found = datasets.open("vimeo90k", folder)
        assert [sample.name for sample in found] == ["00001/0001", "00096/0936"]
        assert [reds(sample) for sample in found] == [[1, 2, 3]] * 2
        assert found[0].times == (0.5,) and not found.complete and found.published == 3782
    train = datasets.open("vimeo90k", tmp_path, split="train")
    assert [sample.name for sample in train] == ["00001/0389"] and train.complete


def test_vimeo90k_septuplets(tmp_path):
    for number in range(1, 8):
        put(tmp_path / "sequences/00001/0266" / f"im{number}.png", number)
    (tmp_path / "sep_testlist.txt").write_text("00001/0266\n")
    (sample,) = datasets.open("vimeo90k_septuplet", tmp_path)
    assert reds(sample) == [1, 2, 3, 4, 5, 6, 7]
    assert sample.times == pytest.approx([i / 6 for i in range(1, 6)])


def test_ucf101(tmp_path):
    for key in ("1", "11", "2", "1001"):
        folder = tmp_path / "ucf101_interp_ours" / key
        for name, value in (("00", 0), ("01_gt", 1), ("01_ours", 200), ("02", 2)):
            put(folder / f"frame_{name}.png", value)
    found = datasets.open("ucf101", tmp_path)
    assert [sample.name for sample in found] == ["1", "2", "11", "1001"]
    assert all(reds(sample) == [0, 1, 2] for sample in found)
    assert KNOWN["ucf101"].published == 379


@pytest.mark.parametrize(
    ("lists", "frames"),
    [("", "test"), ("", ""), ("eval_modes", "test"), ("eval_modes", "")],
)
def test_snu_film(lists, frames, tmp_path):
    for number in (1, 3, 5):
        put(tmp_path / frames / "GOPRO_test/GOPR0384_11_00" / f"{number:06d}.png", number)
        put(tmp_path / frames / "YouTube_test/0000" / f"{number:05d}.png", number)
    prefix = "data/SNU-FILM/test"
    rows = [
        [f"{prefix}/GOPRO_test/GOPR0384_11_00/{number:06d}.png" for number in (1, 3, 5)],
        [f"{prefix}/YouTube_test/0000/{number:05d}.png" for number in (1, 3, 5)],
    ]
    (tmp_path / lists).mkdir(exist_ok=True)
    for level in LEVELS:
        (tmp_path / lists / f"test-{level}.txt").write_text("\n".join(map(" ".join, rows)))
    for level in LEVELS:
        found = datasets.open(f"snu_film_{level}", tmp_path)
        names = ["GOPRO_test/GOPR0384_11_00/000001", "YouTube_test/0000/00001"]
        assert [sample.name for sample in found] == names
        assert [reds(sample) for sample in found] == [[1, 3, 5]] * 2
        assert found.published == 310


def test_snu_film_lists_without_frames_are_said(tmp_path):
    (tmp_path / "test-hard.txt").write_text("data/SNU-FILM/test/a/1.png b c\n")
    with pytest.raises(InputError, match=r"names a/1\.png, which is not there; get SNU-FILM from"):
        datasets.open("snu_film_hard", tmp_path)


@pytest.mark.parametrize("word", ["../../etc/passwd", "/etc/passwd", "a/../../../b.png"])
def test_lists_do_not_lead_outside(word, tmp_path):
    (tmp_path / "test-easy.txt").write_text(f"{word} {word} {word}\n")
    (tmp_path / "tri_testlist.txt").write_text(f"{word}\n")
    for name in ("snu_film_easy", "vimeo90k"):
        with pytest.raises(InputError, match="names a file outside the data"):
            datasets.open(name, tmp_path)


@pytest.mark.parametrize(
    ("frames", "truth"), [("other-data", "other-gt-interp"), ("input", "gt"), ("", "")]
)
def test_middlebury(frames, truth, tmp_path):
    for scene in ("Walking", "Beanbags"):
        put(tmp_path / frames / scene / "frame10.png", 10)
        put(tmp_path / truth / scene / "frame10i11.png", 105)
        put(tmp_path / frames / scene / "frame11.png", 11)
    put(tmp_path / frames / "Army" / "frame10.png", 10)
    found = datasets.open("middlebury", tmp_path)
    assert [sample.name for sample in found] == ["Beanbags", "Walking"]
    assert [reds(sample) for sample in found] == [[10, 105, 11]] * 2
    assert found[0].targets[0].name == "frame10i11"


def test_xiph(tmp_path):
    for number in (1, 2, 3):
        put(tmp_path / f"Tango-{number:03d}.png", 50 * number, (2160, 4096))
    for name in ("xiph_2k", "xiph_4k"):
        found = datasets.open(name, tmp_path)
        assert len(found) == 49 and found[0].name == "Tango/002" and found[-1].name == "Tango/098"
        assert found[0].frame0.read().shape == (1080, 2048, 3)
        assert reds(found[0]) == [50, 100, 150]
    assert KNOWN["xiph_2k"].published == 8 * 49


def test_xiph_2k_is_resized_and_4k_cropped(tmp_path):
    image = np.zeros((2160, 4096, 3), np.uint8)
    image[540:-540, 1024:-1024] = 200
    for number in (1, 2, 3):
        cv2.imwrite(str(tmp_path / f"Crosswalk-{number:03d}.png"), image)
    two, four = (datasets.open(f"xiph_{size}", tmp_path)[0].frame0.read() for size in ("2k", "4k"))
    assert four.min() == 200
    assert two.mean() == pytest.approx(50) and two[270, 512, 0] == 200


@pytest.mark.parametrize("above", ["", "GOPRO_Large_all"])
def test_gopro(above, tmp_path):
    for split, clip in (("test", "GOPR0384_11_00"), ("train", "GOPR0372_07_00")):
        for number in range(1, 20):
            put(tmp_path / above / split / clip / f"{number:06d}.png", number)
    found = datasets.open("gopro", tmp_path)
    assert [sample.name for sample in found] == ["GOPR0384_11_00/000001", "GOPR0384_11_00/000009"]
    assert [reds(sample) for sample in found] == [list(range(1, 10)), list(range(9, 18))]
    assert found[0].times == tuple(i / 8 for i in range(1, 8))
    train = datasets.open("gopro", tmp_path, split="train")
    assert train[0].name == "GOPR0372_07_00/000001"


def test_adobe240_frames(tmp_path):
    for number in range(12):
        put(tmp_path / "test_frames" / "IMG_0015" / f"{number:04d}.jpg", 20 * number)
    (sample,) = datasets.open("adobe240", tmp_path)
    assert sample.name == "IMG_0015/0000"
    assert reds(sample) == pytest.approx([20 * number for number in range(9)], abs=3)


def test_adobe240_videos(tmp_path):
    videos = tmp_path / "original_high_fps_videos"
    videos.mkdir()
    for name in ("IMG_0015.mov", "720p_240fps_2.mov"):
        (videos / name).symlink_to(CLIP)
    found = datasets.open("adobe240", tmp_path)
    assert [sample.name for sample in found] == ["IMG_0015/0", "IMG_0015/8", "IMG_0015/16"]
    train = datasets.open("adobe240", tmp_path, split="train")
    assert next(iter(train)).name == "720p_240fps_2/0"


def test_slow_flow_takes_the_first_nine_frames(tmp_path):
    for clip in ("ball", "sheep"):
        for number in range(20):
            put(tmp_path / clip / f"{number:04d}.png", number, (8, 12))
    found = datasets.open("slowflow", tmp_path)
    assert [sample.name for sample in found] == ["ball/0000", "sheep/0000"]
    assert reds(found[0]) == list(range(9)) and found.published == 46
    halved = datasets.open("slowflow", tmp_path, halve=True)
    assert halved[0].frame0.read().shape == (4, 6, 3)


def test_sintel_has_41_between(tmp_path):
    for number in range(43):
        put(tmp_path / "test" / "alley_1" / f"frame_{number:04d}.png", number)
    (sample,) = datasets.open("sintel", tmp_path)
    assert len(sample.times) == 41 and sample.times[20] == 0.5 and reds(sample)[-1] == 42


@pytest.mark.parametrize("above", ["test", ""])
def test_x_test(above, tmp_path):
    scenes = ("Type1/TEST01_003_f0433", "Type3/TEST15_081_f4833")
    for scene in scenes:
        for number in range(33):
            size = (2160, 4096) if number == 0 else (4, 8)
            put(tmp_path / above / scene / f"{number:04d}.png", number, size)
    found = datasets.open("x_test_4k", tmp_path)
    assert tuple(sample.name for sample in found) == scenes and found.published == 15
    assert reds(found[1]) == list(range(0, 33, 4))
    assert found[0].times == tuple(i / 8 for i in range(1, 8))
    assert found[0].frame0.read().shape == (2160, 4096, 3)
    assert datasets.open("x_test_2k", tmp_path)[0].frame0.read().shape == (1080, 2048, 3)


def test_atd12k(tmp_path):
    for split, ending in (("train_10k", "jpg"), ("test_2k_540p", "png")):
        for number in (1, 2, 3):
            put(tmp_path / split / "Disney_v4_0_000024_s2" / f"frame{number}.{ending}", 60 * number)
    found = datasets.open("atd12k", tmp_path)
    assert [sample.name for sample in found] == ["Disney_v4_0_000024_s2"]
    assert reds(found[0]) == [60, 120, 180] and found.published == 2000
    train = datasets.open("atd12k", tmp_path, split="train")
    assert reds(train[0]) == pytest.approx([60, 120, 180], abs=3)


def test_any_folder_of_frames(tmp_path):
    for number in range(1, 13):
        put(tmp_path / f"frame{number}.png", number)
    assert [reds(s) for s in datasets.open("frames", tmp_path)] == [
        [first, first + 1, first + 2] for first in (1, 3, 5, 7, 9)
    ]
    found = datasets.open("frames", tmp_path, factor=4, step=1)
    assert len(found) == 8 and reds(found[7]) == [8, 9, 10, 11, 12]
    with pytest.raises(InputError, match="needs clips of at least 13 frames"):
        datasets.open("frames", tmp_path, factor=12)
    for factor in (1, 0, 2.5):
        with pytest.raises(InputError, match="`factor` is a whole number from 2 on"):
            datasets.open("frames", tmp_path, factor=factor)


def test_a_folder_of_folders_of_frames(tmp_path):
    for clip in ("a", "b"):
        for number in range(3):
            put(tmp_path / clip / f"{number}.webp", 60 * number)
    (tmp_path / "notes").mkdir()
    found = datasets.open("frames", tmp_path)
    assert [sample.name for sample in found] == ["a/0", "b/0"]


def test_any_video_is_decoded_as_it_comes(clip_frames):
    found = datasets.open("video", CLIP, factor=8)
    samples = list(found)
    assert len(samples) == len(found) == 3
    for number, sample in enumerate(samples):
        frames = (sample.frame0, *sample.targets, sample.frame1)
        for frame, expected in zip(frames, clip_frames[8 * number : 8 * number + 9], strict=True):
            # Our colors are rounded more finely than those of FFmpeg's quick conversion.
            assert np.abs(frame.read().astype(int) - expected).mean() < 2
        assert sample.times == pytest.approx([i / 8 for i in range(1, 8)], abs=1e-3)
    with pytest.raises(InputError, match="needs at least 51 frames"):
        datasets.open("video", CLIP, factor=50)


@pytest.mark.parametrize("name", KNOWN)
def test_missing_data_is_said_with_where_to_get_it(name, tmp_path):
    known = KNOWN[name]
    with pytest.raises(InputError) as error:
        datasets.open(name, tmp_path)
    said = str(error.value)
    assert said.startswith(f"{name} is not in {tmp_path}: ") and said.endswith(known.source)
    assert "https://" in said or "http://" in said or name in ("frames", "video")
    with pytest.raises(InputError, match="there is no such"):
        datasets.open(name, tmp_path / "none")


def test_unknown_names_and_options_are_said(tmp_path):
    with pytest.raises(InputError, match="no benchmark 'vimeo'; the names are: vimeo90k, "):
        datasets.open("vimeo", tmp_path)
    with pytest.raises(InputError, match="ucf101 has no option 'split'; it takes none"):
        datasets.open("ucf101", tmp_path, split="test")
    for name in ("vimeo90k", "gopro", "adobe240", "atd12k"):
        with pytest.raises(InputError, match="has the splits train and test; received 'val'"):
            datasets.open(name, tmp_path, split="val")


def test_a_missing_frame_is_named(tmp_path):
    put(tmp_path / "sequences/00001/0001/im1.png")
    (tmp_path / "tri_testlist.txt").write_text("00001/0001\n")
    sample = datasets.open("vimeo90k", tmp_path)[0]
    with pytest.raises(InputError, match=r"there is no file .*00001/0001/im2\.png"):
        sample.targets[0].read()
