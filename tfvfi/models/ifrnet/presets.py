"""The three published sizes of IFRNet."""

from tfvfi.models.preset import Checkpoint, Objective, Preset, PublishedScore

REPOSITORY = "https://github.com/ltkong218/IFRNet"
LOSSES = "tfvfi.models.ifrnet.objective"
FRAME_TERMS = ("charbonnier", "census", "geometry")

TRAINING = {
    "optimizer": {"name": "adamw", "weight_decay": 0.0, "beta_1": 0.9, "beta_2": 0.999},
    "learning_rate": {"schedule": "cosine", "first": 1e-4, "last": 1e-5, "warm_up": 0},
    "epochs": 300,
    "batch_size": 24,
    "crop_size": 224,
    "flow": "from the middle frame to both others, by another network",
    # Applied in this order; the number is a probability.
    "augmentation": (
        ("enlarge_twice", 0.1),
        ("crop", 1.0),
        ("reverse_channels", 0.5),
        ("flip_vertically", 0.3),
        ("flip_horizontally", 0.5),
        ("transpose", 0.05),
        ("reverse_time", 0.5),
    ),
    # For records with all seven frames between the two, as in GoPro.
    "any_time": {"epochs": 600, "batch_size": 8, "times": tuple(i / 8 for i in range(1, 8))},
}

SETTINGS = (
    "Vimeo90K",
    "UCF101",
    "SNU-FILM easy",
    "SNU-FILM medium",
    "SNU-FILM hard",
    "SNU-FILM extreme",
)

# Network arguments that the authors' scripts use.
MEASURED_WITH = {
    "Middlebury": {"border": "zeros"},
    **{setting: {"scale": 0.8} for setting in SETTINGS if setting.startswith("SNU-FILM")},
}


def _checkpoints(stem: str) -> tuple[Checkpoint, ...]:
    return tuple(
        Checkpoint(f"{stem}_{dataset}.pth", REPOSITORY, "MIT", trained_on=dataset)
        for dataset in ("Vimeo90K", "GoPro")
    )


def _scores(
    psnr: tuple[float, ...], ssim: tuple[float, ...], middlebury: tuple[float, float, float]
) -> tuple[PublishedScore, ...]:
    paper = "IFRNet, CVPR 2022, table 1"
    other = f"{REPOSITORY}, figures/middlebury_other.png"
    table = [
        (setting, metric, value, paper)
        for metric, values in (("PSNR", psnr), ("SSIM 3-D", ssim))
        for setting, value in zip(SETTINGS, values, strict=True)
    ]
    table += [
        ("Middlebury", metric, value, other)
        for metric, value in zip(("PSNR", "SSIM 3-D", "IE"), middlebury, strict=True)
    ]
    return tuple(
        PublishedScore(dataset, *score, "none", MEASURED_WITH.get(dataset, {}))
        for dataset, *score in table
    )


def _eight_times(dataset: str, psnr: float, ssim: float) -> tuple[PublishedScore, ...]:
    table = "IFRNet, CVPR 2022, table 5"
    return (
        PublishedScore(f"{dataset} 8x", "PSNR", psnr, table, "none"),
        PublishedScore(f"{dataset} 8x", "SSIM 3-D", ssim, table, "none"),
    )


def _preset(
    name: str, description: str, stem: str, config: dict, scores: tuple, **bundled: str
) -> Preset:
    return Preset(
        name=name,
        network="tfvfi.models.ifrnet.network:IFRNet",
        kind="interpolator",
        description=description,
        origin=f"Kong et al., IFRNet, CVPR 2022; {REPOSITORY}",
        config=config,
        # Fresh weights can learn any time; conversion measures the times of a published file.
        times="any",
        checkpoints=_checkpoints(stem),
        scores=scores,
        objectives=(
            Objective("ifrnet", f"{LOSSES}:objective", terms=(*FRAME_TERMS, "distillation")),
            Objective("guided", f"{LOSSES}:guided", terms=(*FRAME_TERMS, "guidance")),
        ),
        training=TRAINING,
        **bundled,
    )


PRESETS = (
    _preset(
        "ifrnet_s",
        "IFRNet small: 2.8 M parameters, the fastest",
        "IFRNet_S",
        {"widths": (24, 36, 54, 72), "side": 24, "first_kernel": 3},
        _scores(
            (35.59, 35.28, 39.96, 35.92, 30.36, 25.05),
            (0.9786, 0.9691, 0.9905, 0.9792, 0.9357, 0.8582),
            (37.24, 0.9851, 1.995),
        ),
        bundled="ifrnet_s.weights.h5",
        warning="the bundled weights come from an hour on two cores: 32.0 dB on Middlebury, where "
        "flow_interpolation reaches 36.2 and the authors' file, converted, 37.2",
    ),
    _preset(
        "ifrnet",
        "IFRNet: 5.0 M parameters",
        "IFRNet",
        {"widths": (32, 48, 72, 96), "side": 32, "first_kernel": 3},
        (
            *_scores(
                (35.80, 35.29, 40.03, 35.94, 30.41, 25.05),
                (0.9794, 0.9693, 0.9905, 0.9793, 0.9358, 0.8587),
                (37.50, 0.9861, 1.946),
            ),
            *_eight_times("GoPro", 29.84, 0.920),
            *_eight_times("Adobe240", 31.93, 0.943),
        ),
    ),
    _preset(
        "ifrnet_l",
        "IFRNet large: 19.7 M parameters, the most accurate",
        "IFRNet_L",
        {"widths": (64, 96, 144, 192), "side": 64, "first_kernel": 7},
        _scores(
            (36.20, 35.42, 40.10, 36.12, 30.63, 25.27),
            (0.9808, 0.9698, 0.9906, 0.9797, 0.9368, 0.8609),
            (38.18, 0.9875, 1.846),
        ),
    ),
)
