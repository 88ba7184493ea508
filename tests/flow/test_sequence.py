"""A sequence of frames to flow files, pictures, an animation and a table."""

import csv

import av
import cv2
import numpy as np
import pytest

from tests import commands
from tests.video import clips
from tfvfi.cli import estimate_flow
from tfvfi.errors import ArgumentError, InputError
from tfvfi.flow.animation import write_gif
from tfvfi.flow.flo import read_flo, write_flo
from tfvfi.flow.pictures import flow_to_color
from tfvfi.flow.sequence import estimate_sequence
from tfvfi.registry import ModelSpec


@pytest.fixture(scope="module")
def dis():
    """A flow estimator that needs no weights."""
    return ModelSpec("dis").load_estimator()


def scene(shift):
    """A picture with detail, moved right."""
    noise = np.random.default_rng(2).uniform(0, 255, (12, 24, 3)).astype("uint8")
    big = cv2.resize(noise, (192, 96), interpolation=cv2.INTER_CUBIC)
    return big[16:80, 40 - shift : 136 - shift]


@pytest.fixture
def frames(tmp_path):
    """A folder of four frames, in which everything moves right by 3 pixels a frame."""
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(4):
        cv2.imwrite(str(folder / f"frame{number}.png"), scene(3 * number))
    (folder / "notes.txt").write_text("no image")
    return folder


def test_folder_of_images(frames, tmp_path, dis):
    output = tmp_path / "out"
    rows = estimate_sequence([frames], output, dis)
    assert sorted(path.name for path in output.iterdir()) == [
        "flow.gif",
        *(f"frame{n}.{kind}" for n in range(3) for kind in ("flo", "png")),
        "statistics.csv",
    ]
    for row in rows:
        flow = read_flo(output / row["flow"])
        assert flow.shape == (64, 96, 2)
        np.testing.assert_allclose(np.median(flow, axis=(0, 1)), (3, 0), atol=0.2)
        assert row["median_length"] == pytest.approx(3, abs=0.2)
    with (output / "statistics.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [row["flow"] for row in table] == ["frame0.flo", "frame1.flo", "frame2.flo"]
    assert float(table[1]["mean_x"]) == rows[1]["mean_x"]
    with av.open(str(output / "flow.gif")) as animation:
        assert len(list(animation.decode(video=0))) == 3


def test_pictures_share_one_scale(tmp_path, dis):
    for number, length in enumerate((2, 8)):
        write_flo(tmp_path / f"{number}.flo", np.full((40, 60, 2), (length, 0), "float32"))
    estimate_sequence([tmp_path], tmp_path / "out", dis)
    for number, length in enumerate((2, 8)):
        picture = cv2.imread(str(tmp_path / "out" / f"{number}.png"))[..., ::-1]
        expected = flow_to_color(np.full((40, 60, 2), (length, 0)), longest=8)
        np.testing.assert_array_equal(picture[:40, :60], expected)


def test_flows_of_one_name_and_numbers_in_order(tmp_path):
    for folder, names in (("a", ("1",)), ("b", ("1",)), ("many", ("10", "9", "2"))):
        for name in names:
            flow = np.full((20, 30, 2), (int(name), 0), "float32")
            write_flo(tmp_path / folder / f"{name}.flo", flow)
    rows = estimate_sequence([tmp_path / "a" / "1.flo", tmp_path / "b" / "1.flo"], tmp_path / "x")
    assert [row["flow"] for row in rows] == ["000000.flo", "000001.flo"]
    assert len(list((tmp_path / "x").glob("*.png"))) == 2
    rows = estimate_sequence([tmp_path / "many"], tmp_path / "y")
    assert [row["mean_x"] for row in rows] == [2, 9, 10]
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]


def test_video_and_two_images_give_the_same_flow(frames, tmp_path, dis):
    with av.open(str(tmp_path / "video.mkv"), "w") as file:
        stream = file.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "bgr0"
        for number in range(2):
            picture = cv2.imread(str(frames / f"frame{number}.png"))
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        file.mux(stream.encode(None))
    estimate_sequence([tmp_path / "video.mkv"], tmp_path / "a", dis)
    estimate_sequence([frames / "frame0.png", frames / "frame1.png"], tmp_path / "b", dis)
    assert not (tmp_path / "a" / "flow.gif").exists()
    np.testing.assert_array_equal(
        read_flo(tmp_path / "a" / "000000.flo"), read_flo(tmp_path / "b" / "frame0.flo")
    )


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_flow_of_a_turned_video_is_of_the_frames_as_shown(rotation, tmp_path, dis):
    lying = [np.ascontiguousarray(np.rot90(scene(3 * n), -rotation // 90)) for n in range(2)]
    video = clips.write(tmp_path / "turned.mkv", lying, rotation=rotation)
    estimate_sequence([video], tmp_path / "out", dis)
    flow = read_flo(tmp_path / "out" / "000000.flo")
    assert flow.shape == (64, 96, 2)
    np.testing.assert_allclose(np.median(flow, axis=(0, 1)), (3, 0), atol=0.2)


def test_what_is_there_is_kept_unless_told(frames, tmp_path, dis):
    output = tmp_path / "out"
    estimate_sequence([frames], output, dis)
    with pytest.raises(InputError, match=r"already holds flow.*`overwrite=True`"):
        estimate_sequence([frames], output, dis)
    assert len(estimate_sequence([frames], output, dis, overwrite=True)) == 3
    # Of the longer sequence nothing stays.
    pair = [frames / "frame1.png", frames / "frame2.png"]
    assert len(estimate_sequence(pair, output, dis, overwrite=True)) == 1
    kept = sorted(path.name for path in output.iterdir())
    assert kept == ["frame1.flo", "frame1.png", "statistics.csv"]
    with pytest.raises(InputError, match="holds the input"):
        estimate_sequence([frames], frames, overwrite=True)
    assert len(list(frames.iterdir())) == 5


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["frames/frame0.png"], "at least two"),
        (["frames/frame0.png", "none.png"], "there is no file .*none.png"),
        (["frames/frame0.png", "text.png"], "text.png cannot be read as a picture"),
        (["frames/frame0.png", "small.png"], "one size"),
        (["text.mp4"], "text.mp4 cannot be read as a video"),
        (["empty"], "at least two"),
        (["bad.flo"], "bad.flo is no .flo file"),
    ],
)
def test_inputs_that_cannot_work(frames, tmp_path, names, said, dis):
    for name in ("text.png", "text.mp4", "bad.flo"):
        (tmp_path / name).write_text("this is text, no picture")
    (tmp_path / "empty").mkdir()
    cv2.imwrite(str(tmp_path / "small.png"), scene(0)[:30])
    with pytest.raises(InputError, match=said):
        estimate_sequence([tmp_path / name for name in names], tmp_path / "out", dis)


def test_frames_without_an_estimator_are_refused(frames, tmp_path):
    with pytest.raises(ArgumentError, match="`estimator` is needed unless"):
        estimate_sequence([frames], tmp_path / "out")


@pytest.mark.parametrize("wrong", [{"fps": 0}, {"longest": -1}, {"fps": float("nan")}])
def test_rates_and_lengths_are_positive(frames, tmp_path, wrong):
    (name,) = wrong
    with pytest.raises(ArgumentError, match=f"`{name}` must be above 0"):
        estimate_sequence([frames], tmp_path / "out", **wrong)


def test_animation_keeps_order_time_and_colors(tmp_path):
    colors = [(255, 0, 0), (255, 255, 255), (0, 128, 0)]
    pictures = (np.full((30, 50, 3), color, "uint8") for color in colors)
    write_gif(tmp_path / "a.gif", pictures, fps=5)
    with av.open(str(tmp_path / "a.gif")) as file:
        frames = list(file.decode(video=0))
    assert [frame.time for frame in frames] == pytest.approx([0, 0.2, 0.4])
    for frame, color in zip(frames, colors, strict=True):
        np.testing.assert_allclose(frame.to_ndarray(format="rgb24")[0, 0], color, atol=8)


def test_command(frames, tmp_path, capsys):
    given = (f"--input={frames}", f"--output={tmp_path / 'out'}")
    assert commands.run(estimate_flow, *given) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines[:-1]] == [f"frame{n}.flo" for n in range(3)]
    assert lines[-1] == f"wrote 3 flows to {tmp_path / 'out'}"
    assert read_flo(tmp_path / "out" / "frame2.flo").shape == (64, 96, 2)
