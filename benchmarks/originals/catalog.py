"""Which published network each of ours is compared with, and where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

GITHUB = "https://github.com/"
TORCH, TENSORFLOW = "torch", "tensorflow"


@dataclass(frozen=True)
class Original:
    """A published implementation.

    Attributes:
        repository: Owner and name on GitHub; empty if the authors published no code.
        licence: The name of its licence.
        builder: The file beside this one whose `build` returns the network.
        ref: The tag to check out, if not the newest commit.
        framework: "torch" or "tensorflow".
        note: What a reader of the table must know about how it is run.
        options: Arguments of `tfvfi.load` with which our network computes the same.
    """

    repository: str
    licence: str
    builder: str
    ref: str = ""
    framework: str = TORCH
    note: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The name of the folder with its clone."""
        name = self.repository.rpartition("/")[2]
        return f"{name}-{self.ref}" if self.ref else name


CUDA_ONLY = "{} runs on CUDA only; PyTorch's own operations replace it on this processor"

IFRNET = Original("ltkong218/IFRNet", "MIT", "ifrnet")
FLOWNET2 = Original(
    "NVIDIA/flownet2-pytorch",
    "Apache-2.0",
    "flownet2",
    note=CUDA_ONLY.format("the extension for correlation, warping and the norm over channels"),
)
FLOWNET2_S = Original("NVIDIA/flownet2-pytorch", "Apache-2.0", "flownet2")
PACKAGED = "the authors' module as HolyWu/vs-rife packages it"
BRANCHES = f"{PACKAGED}; it looks at values to choose its scales: exports record one choice"


ORIGINALS: Mapping[str, Original] = {
    "ifrnet_s": IFRNET,
    "ifrnet": IFRNET,
    "ifrnet_l": IFRNET,
    "sepconv": Original(
        "sniklaus/sepconv-slomo",
        "academic use only",
        "sepconv",
        note=CUDA_ONLY.format("the separable convolution"),
    ),
    "adaconv": Original(
        "",
        "none",
        "adaconv",
        note="the authors published no code; a dense network of dilated convolutions in PyTorch, "
        "written for this comparison, takes its place",
    ),
    "superslomo": Original(
        "NVIDIA/unsupervised-video-interpolation",
        "Nvidia Source Code License, non-commercial",
        "superslomo",
        note="without the losses that its forward pass computes as well",
        options={"grid": "unaligned"},
    ),
    "superslomo_paliwal": Original(
        "avinashpaliwal/Super-SloMo", "MIT", "superslomo", options={"grid": "off_by_half"}
    ),
    "softsplat": Original(
        "sniklaus/softmax-splatting",
        "academic use only",
        "softsplat",
        note=CUDA_ONLY.format("splatting and correlation"),
    ),
    "pwcnet": Original(
        "sniklaus/pytorch-pwc",
        "GPL-3.0",
        "pwcnet",
        note=CUDA_ONLY.format("the correlation"),
    ),
    "flownet2": FLOWNET2,
    "flownet2_c": FLOWNET2,
    "flownet2_s": FLOWNET2_S,
    "flownet2_sd": FLOWNET2_S,
    "flownet2_cs": FLOWNET2,
    "flownet2_css": FLOWNET2,
    "rife_v3_8": Original("HolyWu/vs-rife", "MIT", "rife", "v1.2.0", note=BRANCHES),
    "rife_v4_0": Original("HolyWu/vs-rife", "MIT", "rife", "v2.0.0", note=BRANCHES),
    "rife_v4_26": Original("HolyWu/vs-rife", "MIT", "rife", note=PACKAGED),
    "film": Original(
        "google-research/frame-interpolation",
        "Apache-2.0",
        "film",
        framework=TENSORFLOW,
        note="TensorFlow code, which PyTorch cannot run; warping is rewritten, because TensorFlow "
        "Addons has ended; bfloat16 is TensorFlow's automatic rewriting",
    ),
}


def options_of(network: str) -> dict[str, Any]:
    """Returns the arguments with which our network computes the same as its original, if any."""
    return dict(ORIGINALS[network].options) if network in ORIGINALS else {}
