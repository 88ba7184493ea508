"""SoftSplat as published."""

from tfvfi.models.preset import Checkpoint, Objective, Preset, PublishedScore

REPOSITORY = "https://github.com/sniklaus/softmax-splatting"
LICENCE = "strictly for academic purposes, see the repository's README"

TRAINING = {
    "optimizer": {"name": "adam", "beta_1": 0.9, "beta_2": 0.999},
    "learning_rate": 1e-4,
    "batch_size": 8,
    "crop_size": 256,
    "augmentation": (
        ("crop", 1.0),
        ("flip_vertically", 0.5),
        ("flip_horizontally", 0.5),
        ("reverse_time", 0.5),
    ),
}

# Scores of the weights trained with the color loss.
SCORES = tuple(
    PublishedScore(dataset, "PSNR", value, "Niklaus and Liu, CVPR 2020", rounding)
    for dataset, value, rounding in (
        ("Vimeo90K", 36.10, None),
        ("UCF101", 35.39, None),
        ("Middlebury", 38.42, "nearest"),
        ("Xiph 2K", 36.62, "nearest"),
        ("Xiph 4K", 33.60, "nearest"),
    )
)

PRESETS = (
    Preset(
        name="softsplat",
        network="tfvfi.models.softsplat.network:SoftSplat",
        kind="interpolator",
        description="Softmax splatting with its own flow network, any time, 7.7 M parameters",
        origin=f"Niklaus and Liu, Softmax Splatting, CVPR 2020; {REPOSITORY}",
        checkpoints=(
            Checkpoint("network-lf.pytorch", REPOSITORY, LICENCE, "Vimeo90K, perceptual loss"),
            Checkpoint("network-l1.pytorch", REPOSITORY, LICENCE, "Vimeo90K, color loss"),
        ),
        scores=SCORES,
        objectives=(
            Objective(
                "laplacian", "tfvfi.models.softsplat.objective:objective", terms=("laplacian",)
            ),
            Objective(
                "perceptual",
                "tfvfi.models.objectives:features_of_vgg19",
                options=("perceptual_weights",),
                terms=("perceptual",),
            ),
        ),
        training=TRAINING,
    ),
)
