"""What `make demo` makes of a clip."""

import av

from tests.video.clips import Fade
from tfvfi.media.source import Video
from tfvfi.video import demo


class Chosen:
    """A choice of a network that renders quickly."""

    def load_interpolator(self) -> Fade:
        return Fade()


def test_the_demo_makes_two_videos_and_two_pictures(tmp_path):
    clip = tmp_path / "clip.mp4"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 64, 48
        for level in range(30):
            frame = av.VideoFrame(64, 48, "gray")
            frame.planes[0].update(bytes([8 * level]) * frame.planes[0].buffer_size)
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode())
    smooth, beside, sheet, animation = demo.run(clip, tmp_path / "out", Chosen())
    assert len(list(Video(smooth))) == 30 * 4 == len(list(Video(beside)))
    assert Video(beside).size == (48, 128) and Video(smooth).rate == 40
    assert sheet.stat().st_size > 1000 and animation.stat().st_size > 1000
    assert sorted((tmp_path / "out").iterdir()) == sorted([smooth, beside, sheet, animation])
