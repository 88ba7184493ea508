"""Videos to records, whole: what comes out, and that it is the same every time."""

import contextlib
import os
import signal
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.data import small_videos
from tests.data.making_records import SMALL, call, checksums, create
from tests.data.small_videos import scene
from tests.video import clips as media
from tfvfi.data import clip_parts, making, sharding
from tfvfi.data.clip_parts import Taking
from tfvfi.data.records import Records
from tfvfi.data.sharding import Sharing
from tfvfi.errors import InputError
from tfvfi.media import pictures, storage

_WRITE_SHARD = sharding._write_shard


def test_patches_are_what_the_video_shows(videos, made):
    """Losslessly coded, so every pixel can be compared."""
    frames = {f"scene{number}.mkv": scene(seed=number) for number in range(3)}
    count = 0
    for split in ("train", "validation"):
        for example in Records(made).examples(split):
            assert example.times == pytest.approx([0, 0.5, 1])
            assert example.start % 3 == 0
            for number, data in enumerate(example.frames):
                rows = slice(example.top, example.top + 64)
                columns = slice(example.left, example.left + 64)
                truth = frames[example.source][example.start + number][rows, columns]
                np.testing.assert_array_equal(pictures.decode(data, (64, 64)), truth)
            count += 1
    assert count > 20


def test_frames_are_shrunk_first(videos, tmp_path):
    made = create(videos, tmp_path / "half", Taking(patch_size=64, shrink=2))
    assert {(one["height"], one["width"]) for one in made.manifest["sources"]} == {(100, 120)}
    example = next(made.examples("train"))
    number = int(example.source.removeprefix("scene").removesuffix(".mkv"))
    for at, data in enumerate(example.frames):
        frame = scene(seed=number)[example.start + at]
        half = cv2.resize(frame, (120, 100), interpolation=cv2.INTER_AREA)
        truth = half[example.top : example.top + 64, example.left : example.left + 64]
        np.testing.assert_array_equal(pictures.decode(data, (64, 64)), truth)


def test_splits_are_by_video(made):
    found = Records(made)
    sources = {split: {one.source for one in found.examples(split)} for split in found.splits}
    assert len(sources["train"]) == 2
    assert len(sources["validation"]) == 1
    assert not sources["train"] & sources["validation"]


def test_the_manifest_tells_everything(videos, made):
    about = Records(made).manifest
    assert about["parameters"]["patch_size"] == 64
    assert about["skipped"] == []
    for source in about["sources"]:
        assert source["bytes"] == (videos / source["name"]).stat().st_size
        assert (source["height"], source["width"], source["frames"]) == (200, 240, 12)
        assert source["windows"] == 4
    taken = sum(source["patches"] for source in about["sources"])
    assert taken == sum(about["motion"]["taken"])
    assert about["motion"]["taken"][11] + about["motion"]["taken"][12] > 0.9 * taken
    assert sum(about["motion"]["looked_at"]) == 3 * 4 * 9
    assert Records(made).differing() == []


def test_pictures_show_what_was_taken(made):
    sheet = cv2.imread(str(made / "contact_sheet.png"))
    assert min(sheet.shape[:2]) > 100
    # Samples, not paper, fill most of it.
    assert (sheet < 250).any(-1).mean() > 0.5
    histogram = cv2.imread(str(made / "motion_histogram.png"))
    assert (histogram == (180, 100, 30)).all(-1).sum() > 500


def test_the_number_of_workers_changes_no_byte(videos, made, tmp_path):
    done = call(videos, tmp_path / "mine", "--workers=4", "--shard_mb=1")
    assert done.returncode == 0
    assert checksums(tmp_path / "mine") == checksums(made)


def test_another_seed_takes_others(videos, tmp_path):
    one, other = (create(videos, tmp_path / f"{k}", Taking(patch_size=64, seed=k)) for k in (0, 1))
    places = [
        {(e.source, e.start, e.top, e.left) for e in made.examples()} for made in (one, other)
    ]
    assert places[0] != places[1]


def test_a_long_video_does_not_drown_the_rest(tmp_path):
    folder = small_videos.write(tmp_path / "videos", count=1)
    media.write(folder / "long.mkv", scene(60, seed=1))
    made = create(folder, tmp_path / "mine", Taking(patch_size=64, patches_per_video=9))
    counts = {source["name"]: source["patches"] for source in made.manifest["sources"]}
    assert counts == {"long.mkv": 9, "scene0.mkv": 9}
    long = [one for split in made.splits for one in made.examples(split) if "long" in one.source]
    # From all of it, not from its beginning.
    assert max(one.start for one in long) > 30


def odd_videos(folder: Path) -> Path:
    """Good videos and bad ones, under names that somebody will use."""
    small_videos.write(folder, count=2)
    whole = (folder / "scene0.mkv").read_bytes()
    for name in ("with spaces & 50% 'q\".mkv", "ünï\n視頻.mkv", "-x.mkv", "http:x.mkv", ".mkv.mkv"):
        (folder / name).write_bytes(whole)
    (folder / os.fsdecode(b"a\xff b.mkv")).write_bytes(whole)
    (folder / "below").mkdir()
    (folder / "below" / "UPPER.MKV").write_bytes(whole)
    (folder / "notes.txt").write_text("no video by its name: not looked at")
    media.write(folder / "cut.mp4", scene(12), codec="libx264", pixel_format="yuv420p")
    (folder / "cut.mp4").write_bytes((folder / "cut.mp4").read_bytes()[:-4000])
    long = media.write(folder / "ended.mkv", scene(50)).read_bytes()
    (folder / "ended.mkv").write_bytes(long[: len(long) // 2])
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "te\nxt.mp4").write_text("no video at all " * 100)
    (folder / "list.mp4").write_text("ffconcat version 1.0\nfile scene0.mkv\n")
    (folder / "gone.mp4").symlink_to("/nowhere/at/all.mp4")
    # Whoever opens it waits for ever.
    os.mkfifo(folder / "pipe.mp4")
    sound(folder / "sound.mp4")
    no_frames(folder / "nothing.mkv")
    return folder


def sound(path: Path) -> None:
    """A file with sound and no picture."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.float32), "fltp", "mono")
        frame.sample_rate = 48000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def no_frames(path: Path) -> None:
    """A video stream without a frame."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "bgr0"
        out.start_encoding()


def test_what_cannot_be_read_is_skipped_and_told(tmp_path):
    folder = odd_videos(tmp_path / "videos")
    done = call(folder, tmp_path / "mine", "--workers=2")
    assert done.returncode == 1
    assert done.stderr == f"tfvfi: {tmp_path}/mine lacks 9 of the videos: they are named above\n"
    about = Records(tmp_path / "mine").manifest
    assert {source["name"] for source in about["sources"]} == {
        "scene0.mkv",
        "scene1.mkv",
        "with spaces & 50% 'q\".mkv",
        "ünï\n視頻.mkv",
        "-x.mkv",
        "http:x.mkv",
        ".mkv.mkv",
        "a\\xff b.mkv",
        "below/UPPER.MKV",
    }
    assert all(source["patches"] for source in about["sources"])
    skipped = {one["name"]: one["reason"] for one in about["skipped"]}
    bad = "cut.mp4 empty.mp4 te\nxt.mp4 list.mp4 gone.mp4 pipe.mp4 sound.mp4 ended.mkv nothing.mkv"
    assert set(skipped) == set(bad.split(" "))
    assert "has no video stream" in skipped["sound.mp4"]
    assert "is damaged" in skipped["ended.mkv"]
    assert "No such file" in skipped["gone.mp4"]
    for name, reason in skipped.items():
        # A name forges no lines of a terminal.
        assert "  skipped " + reason.replace("\n", "\\n") + "\n" in done.stdout
        # By its name, wherever it lies.
        assert reason.startswith(name)
        assert str(tmp_path) not in reason
    # Again: nothing is done, and it is told again.
    assert call(folder, tmp_path / "mine").returncode == 1


def test_the_rest_of_damaged_videos_can_be_kept(tmp_path):
    folder = odd_videos(tmp_path / "videos")
    made = create(folder, tmp_path / "mine", Taking(patch_size=64, damaged="keep"))
    kept = {source["name"]: source["frames"] for source in made.manifest["sources"]}
    assert 3 <= kept["ended.mkv"] < 50
    assert {one["name"] for one in made.manifest["skipped"]} >= {"te\nxt.mp4", "sound.mp4"}


def test_a_clip_that_kills_its_worker_is_skipped(videos, tmp_path, monkeypatch):
    """As a decoder does that meets a file nobody thought of."""
    monkeypatch.setattr(clip_parts, "make", dying)
    made = making.create(str(videos), str(tmp_path / "mine"), SMALL, processes=2)
    assert [one["reason"] for one in made.manifest["skipped"]] == [
        "scene1.mkv: reading it ended with exit code 9"
    ]
    assert len(made.manifest["sources"]) == 2


def test_a_worker_that_is_killed_is_no_loss(videos, made, tmp_path, monkeypatch):
    """As a machine does that runs out of memory: in the parts, and in the shards."""
    monkeypatch.setattr(clip_parts, "make", killed_once)
    monkeypatch.setattr(sharding, "_write_shard", killed_while_writing_once)
    output = tmp_path / "mine"
    making.create(str(videos), str(output), SMALL, Sharing(shard_bytes=1 << 20), processes=2)
    assert sorted(path.name for path in tmp_path.glob("killed*")) == ["killed1", "killed2"]
    assert checksums(output) == checksums(made)


def killed_once(folder, clip, taking):
    """Makes parts, but the first process does not live to see it."""
    if clip.name == "scene1.mkv":
        kill_once(Path(folder).parents[1] / "killed1")
    return clip_parts.make(folder, clip, taking)


def killed_while_writing_once(output, *arguments):
    """Writes shards, but the first process leaves half of one."""
    mark = Path(output).parent / "killed2"
    if not mark.exists():
        (Path(output) / f"half{storage.ASIDE}").write_bytes(b"half")
    kill_once(mark)
    return _WRITE_SHARD(output, *arguments)


def kill_once(mark: Path) -> None:
    """Kills this process, but only one of all that ask."""
    with contextlib.suppress(FileExistsError):
        mark.touch(exist_ok=False)
        os.kill(os.getpid(), signal.SIGKILL)


def dying(folder, clip, taking):
    """Makes parts, but of one clip."""
    if clip.name == "scene1.mkv":
        os._exit(9)
    return clip_parts.make(folder, clip, taking)


@pytest.mark.parametrize(
    ("taking", "said"),
    [
        (Taking(patch_size=220), "2 are smaller than 220x220"),
        (Taking(frames=25, patch_size=64), "2 show no motion or texture, or too few frames"),
    ],
)
def test_no_patches_are_an_error(tmp_path, taking, said):
    folder = small_videos.write(tmp_path / "videos", count=2)
    with pytest.raises(InputError, match=f"no patch was found in 2 videos: .*{said}"):
        create(folder, tmp_path / "mine", taking)
    assert not (tmp_path / "mine" / "manifest.json").exists()


def test_still_videos_and_no_videos_are_an_error(tmp_path):
    media.write(tmp_path / "still.mkv", [scene(1)[0]] * 30)
    done = call(tmp_path, tmp_path / "mine")
    assert done.returncode == 1
    assert "no patch was found in 1 video" in done.stderr
    done = call(tmp_path / "nowhere", tmp_path / "mine")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "--videos is a folder of videos or of frames, or a pattern" in done.stderr
