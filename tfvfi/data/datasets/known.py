"""The benchmarks by name: their readers, their sizes, and where to get them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TOFLOW = "get it from http://toflow.csail.mit.edu and unpack it there"
FILM_LISTS = (
    "get SNU-FILM from https://myungsub.github.io/CAIN, and put its four test-*.txt beside the "
    "unpacked frames"
)
XIPH = (
    "get the eight 4096x2160 clips at 60 fps from https://media.xiph.org/video/derf and extract "
    "each with `ffmpeg -i Netflix_NAME_4096x2160_60fps_10bit_420.y4m -pix_fmt rgb24 -vframes 100 "
    "NAME-%03d.png`"
)
X4K = (
    "get X-TEST of X4K1000FPS from https://github.com/JihyongOh/XVFI and decode its videos there "
    "as its mp4_decoding.py does"
)
SLOW_FLOW = (
    "get the high-speed sequences from https://www.cvlibs.net/projects/slow_flow and put the "
    "frames of each into a folder of its own"
)


@dataclass(frozen=True)
class Known:
    """The description of a benchmark.

    Attributes:
        name: The name that `open` takes.
        title: Its name in papers.
        reader: Its reader, as "module:function" in this package.
        holds: A description of what must be in the folder.
        source: A description of where to get it.
        published: The number of samples in the published test set.
        options: The options of `open` that it takes.
        config: Settings for a reader that several benchmarks share.
    """

    name: str
    title: str
    reader: str
    holds: str
    source: str
    published: int | None = None
    options: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)


def _snu_film(level: str) -> Known:
    return Known(
        f"snu_film_{level}",
        f"SNU-FILM {level}",
        "triplets:snu_film",
        f"test-{level}.txt",
        FILM_LISTS,
        310,
        config={"level": level},
    )


def _xiph(resolution: str, title: str) -> Known:
    return Known(
        f"xiph_{resolution}",
        title,
        "triplets:xiph",
        "BoxingPractice-001.png",
        XIPH,
        392,
        config={"resolution": resolution},
    )


def _x_test(resolution: str) -> Known:
    return Known(
        f"x_test_{resolution}",
        f"X-TEST {resolution.upper()}, 8x",
        "sequences:x_test",
        "test/Type1 with folders of 33 frames",
        X4K,
        15,
        config={"resolution": resolution},
    )


KNOWN: dict[str, Known] = {
    known.name: known
    for known in (
        Known(
            "vimeo90k",
            "Vimeo90K triplets",
            "triplets:vimeo90k",
            "vimeo_triplet/tri_testlist.txt",
            TOFLOW,
            3782,
            ("split",),
            {"folder": "vimeo_triplet", "prefix": "tri", "frames": 3},
        ),
        Known(
            "vimeo90k_septuplet",
            "Vimeo90K septuplets, 6x",
            "triplets:vimeo90k",
            "vimeo_septuplet/sep_testlist.txt",
            TOFLOW,
            7824,
            ("split",),
            {"folder": "vimeo_septuplet", "prefix": "sep", "frames": 7},
        ),
        Known(
            "ucf101",
            "UCF101, the 379 triplets of Deep Voxel Flow",
            "triplets:ucf101",
            "ucf101_interp_ours/1/frame_01_gt.png",
            "get UCF101_results.zip from https://people.cs.umass.edu/~hzjiang/projects/superslomo "
            "and unpack it there",
            379,
        ),
        *(_snu_film(level) for level in ("easy", "medium", "hard", "extreme")),
        Known(
            "middlebury",
            "Middlebury Other",
            "triplets:middlebury",
            "other-gt-interp/*/frame10i11.png",
            "get other-color-twoframes.zip and other-gt-interp.zip from "
            "https://vision.middlebury.edu/flow/data and unpack both there",
            12,
        ),
        _xiph("2k", "Xiph 2K, resized"),
        _xiph("4k", "Xiph 4K, cropped"),
        Known(
            "gopro",
            "GoPro, 8x",
            "sequences:gopro",
            "test/GOPR*/ with frames",
            "get GOPRO_Large_all from https://seungjunnah.github.io/Datasets/gopro and unpack it "
            "there",
            None,
            ("split",),
            {"between": 7},
        ),
        Known(
            "adobe240",
            "Adobe240, 8x",
            "videos:adobe240",
            "original_high_fps_videos/*.mov or test_frames/ with folders of frames",
            "get the original high-speed videos from "
            "https://www.cs.ubc.ca/labs/imager/tr/2017/DeepVideoDeblurring and unpack them there",
            None,
            ("split",),
            {"between": 7},
        ),
        Known(
            "slowflow",
            "Slow Flow, 8x: the first nine frames of each sequence",
            "sequences:first_windows",
            "one folder of frames for each sequence",
            SLOW_FLOW,
            46,
            ("halve",),
            {"between": 7},
        ),
        Known(
            "sintel",
            "Sintel at 1008 fps, 42x",
            "sequences:first_windows",
            "one folder of frames for each sequence",
            SLOW_FLOW,
            13,
            ("halve",),
            {"between": 41},
        ),
        _x_test("4k"),
        _x_test("2k"),
        Known(
            "atd12k",
            "ATD-12K, animation",
            "triplets:atd12k",
            "test_2k_540p/*/frame1.png",
            "get ATD-12K from https://github.com/lisiyao21/AnimeInterp and unpack it there",
            2000,
            ("split",),
        ),
        Known(
            "film_records",
            "triplets in FILM's TFRecords",
            "film:records",
            "*-00000-of-00003",
            "name the folder of shards that the create_*_tfrecord scripts of "
            "https://github.com/google-research/frame-interpolation wrote; or PREFIX@COUNT",
        ),
        Known(
            "frames",
            "a folder of frames, or of folders of frames",
            "sequences:frames",
            "a picture or a folder of pictures",
            "name a folder that holds PNG, JPEG, WebP or TIFF files in order",
            None,
            ("factor", "step"),
        ),
        Known(
            "video",
            "a video",
            "videos:video",
            "a video",
            "name a file that FFmpeg decodes",
            None,
            ("factor",),
        ),
    )
}
