"""The protocol of each benchmark, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Rounding = Literal["nearest", "truncate", "none"]
ROUNDINGS: tuple[Rounding, ...] = ("nearest", "truncate", "none")


@dataclass(frozen=True)
class Protocol:
    """The settings of an evaluation that must match the papers for results to be comparable.

    Frames are evaluated whole: they are padded by the published rule of the network and cropped
    back. Means are over all frames of all samples. Self-ensembles are off unless requested. The
    options with which its authors measured a network on a dataset are in its preset; see
    `published.options`.

    Attributes:
        published: The names of the dataset in tables; see `PublishedScore.dataset`.
        rounding: How a prediction is converted before it is measured: "nearest" and "truncate" give
            8-bit values, "none" keeps the clipped output of the network.
        flow_scale: How many times smaller flow is estimated, in networks that support it.
        note: Where the settings come from.
    """

    published: tuple[str, ...] = ()
    rounding: Rounding = "nearest"
    flow_scale: float = 1
    note: str = ""


IFRNET = "as IFRNet and most papers since evaluate it: unrounded, 3-D SSIM"
NVIDIA = (
    "as NVIDIA/unsupervised-video-interpolation evaluates it: truncated, 2-D SSIM, euclidean IE"
)


def _snu_film(level: str) -> Protocol:
    return Protocol((f"SNU-FILM {level}",), "none", note=IFRNET)


PROTOCOLS: Mapping[str, Protocol] = {
    "vimeo90k": Protocol(("Vimeo90K",), "none", note=IFRNET),
    "vimeo90k_septuplet": Protocol((), "none"),
    "ucf101": Protocol(
        ("UCF101",),
        "none",
        note=f"{IFRNET}; NVIDIA's figures are of truncated frames: rounding=truncate",
    ),
    "snu_film_easy": _snu_film("easy"),
    "snu_film_medium": _snu_film("medium"),
    "snu_film_hard": _snu_film("hard"),
    "snu_film_extreme": _snu_film("extreme"),
    "middlebury": Protocol(
        ("Middlebury",),
        "truncate",
        note="as SepConv's script: truncated; the twelve scenes with a true middle frame; IFRNet's "
        "figures are of unrounded frames: rounding=none",
    ),
    "xiph_2k": Protocol(("Xiph 2K",), "nearest"),
    "xiph_4k": Protocol(("Xiph 4K",), "nearest"),
    "gopro": Protocol(("GoPro 8x",), "none", note=IFRNET),
    "adobe240": Protocol(("Adobe240 8x",), "none", note=IFRNET),
    "slowflow": Protocol(("SlowFlow",), "truncate", 2, note=NVIDIA),
    "sintel": Protocol(("Sintel",), "truncate", 2, note=NVIDIA),
    "x_test_2k": Protocol(("X-TEST 2K",), "nearest", 2),
    "x_test_4k": Protocol(("X-TEST 4K",), "nearest", 4),
    "atd12k": Protocol(("ATD-12K",), "none"),
    "film_records": Protocol((), "none", note="as FILM's eval_cli: unrounded"),
}


def protocol(dataset: str) -> Protocol:
    """Returns the protocol of a dataset; users' own frames are rounded to the nearest value."""
    return PROTOCOLS.get(dataset, Protocol())
