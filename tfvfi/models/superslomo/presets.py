"""The two public implementations of Super SloMo."""

from tfvfi.models.preset import Checkpoint, Objective, Preset, PublishedScore

PAPER = "Jiang et al., Super SloMo, CVPR 2018"
NVIDIA = "https://github.com/NVIDIA/unsupervised-video-interpolation"
PALIWAL = "https://github.com/avinashpaliwal/Super-SloMo"

OBJECTIVES = (
    Objective(
        "superslomo",
        "tfvfi.models.superslomo.objective:supervised",
        options=("perceptual_weights",),
        terms=("pixel", "perceptual", "warping", "smoothness"),
    ),
)

NVIDIA_LICENCE = "Nvidia Source Code License, non-commercial"

# File name and training data.
NVIDIA_FILES = (
    ("baseline_superslomo_adobe+youtube", "Adobe and YouTube, supervised"),
    ("baseline_superslomo_adobe", "Adobe, supervised"),
    ("unsupervised_adobe+youtube2slowflow", "SlowFlow, CC+PS from Adobe and YouTube"),
    ("unsupervised_adobe2slowflow", "SlowFlow, CC+PS from Adobe"),
    ("unsupervised_random2slowflow", "SlowFlow, CC"),
    ("unsupervised_adobe+youtube2sintel", "Sintel, CC+PS from Adobe and YouTube"),
    ("unsupervised_adobe2sintel", "Sintel, CC+PS from Adobe"),
    ("unsupervised_random2sintel", "Sintel, CC"),
    ("fully_unsupervised_adobe30fps", "Adobe at 30 fps, CC"),
    ("fully_unsupervised_battlefield30fps", "Battlefield at 30 fps, CC"),
)

NVIDIA_TRAINING = {
    "optimizer": {"name": "adam", "beta_1": 0.9, "beta_2": 0.999},
    "learning_rate": {"schedule": "steps", "first": 1e-4, "factor": 0.1, "epochs": (250, 450)},
    "epochs": 500,
    # 16 GPUs with 2 examples each.
    "batch_size": 32,
    "crop_size": 384,
    "sampling": {"num_interp": 7, "sample_rate": 1},
    "augmentation": (
        ("crop", 1.0),
        ("flip_vertically", 0.5),
        ("flip_horizontally", 0.5),
        ("reverse_time", 0.5),
    ),
}

PALIWAL_TRAINING = {
    "optimizer": {"name": "adam", "beta_1": 0.9, "beta_2": 0.999},
    "learning_rate": {"schedule": "steps", "first": 1e-4, "factor": 0.1, "epochs": (100, 150)},
    "epochs": 200,
    "batch_size": 6,
    "crop_size": 352,
    "sampling": {"num_interp": 7, "sample_rate": 1},
    "augmentation": (("crop", 1.0), ("flip_horizontally", 0.5), ("reverse_time", 0.5)),
}


def _options(stem: str) -> dict[str, int]:
    """Returns a file's options: those of SlowFlow and Sintel estimate flow at half the size."""
    return {"flow_scale": 2} if stem.endswith(("2slowflow", "2sintel")) else {}


def _scores(
    dataset: str, trained_on: str, psnr: float, ssim: float, ie: float
) -> tuple[PublishedScore, ...]:
    source = f"{NVIDIA}, README: {trained_on}"
    values = {"PSNR": psnr, "SSIM": ssim, "IE euclidean": ie}
    return tuple(
        PublishedScore(dataset, metric, value, source, "truncate")
        for metric, value in values.items()
    )


PRESETS = (
    Preset(
        name="superslomo",
        network="tfvfi.models.superslomo.network:SuperSloMo",
        kind="interpolator",
        description="Super SloMo in NVIDIA's form: 38.8 M parameters, learns from unlabeled video",
        origin=f"{PAPER}; Reda et al., ICCV 2019; {NVIDIA}",
        config={"form": "nvidia", "grid": "pixel"},
        checkpoints=tuple(
            Checkpoint(f"{stem}.pth", NVIDIA, NVIDIA_LICENCE, data, _options(stem))
            for stem, data in NVIDIA_FILES
        ),
        scores=(
            *_scores("UCF101", "supervised, Adobe", 34.63, 0.946, 5.48),
            *_scores("UCF101", "cycle consistency, Adobe at 30 fps", 34.47, 0.946, 5.50),
            *_scores("UCF101", "cycle consistency, Battlefield", 34.55, 0.947, 5.38),
            *_scores("SlowFlow", "supervised, Adobe", 32.84, 0.887, 6.67),
            *_scores("SlowFlow", "supervised, Adobe and YouTube", 33.13, 0.889, 6.63),
            *_scores("SlowFlow", "cycle consistency", 32.35, 0.886, 6.78),
            *_scores("SlowFlow", "with pseudo supervision from Adobe", 33.05, 0.890, 6.62),
            *_scores("SlowFlow", "... from Adobe and YouTube", 33.20, 0.891, 6.56),
        ),
        objectives=OBJECTIVES,
        training=NVIDIA_TRAINING,
    ),
    Preset(
        name="superslomo_paliwal",
        network="tfvfi.models.superslomo.network:SuperSloMo",
        kind="interpolator",
        description="Super SloMo in Avinash Paliwal's form: 39.6 M parameters",
        origin=f"{PAPER}; {PALIWAL}",
        config={"form": "paliwal", "grid": "off_by_one"},
        checkpoints=(Checkpoint("SuperSloMo.ckpt", PALIWAL, "MIT", trained_on="adobe240fps"),),
        objectives=OBJECTIVES,
        training=PALIWAL_TRAINING,
    ),
)
