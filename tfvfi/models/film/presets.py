"""The one published size of FILM, trained with three losses."""

from tfvfi.models.preset import Checkpoint, Objective, Preset, PublishedScore

REPOSITORY = "https://github.com/google-research/frame-interpolation"
LOSSES = "tfvfi.models.film.objective"
VGG = ("perceptual_weights",)
PAPER = "FILM, ECCV 2022, tables 1 and 2, trained with the L1 loss"

# Three million steps of eight patches each, from the 51,313 triplets of Vimeo90K.
TRAINING = {
    "optimizer": {"name": "adam"},
    "learning_rate": {
        "schedule": "steps",
        "first": 1e-4,
        "epochs": (117, 234, 351),
        "factor": 0.464158,
    },
    "epochs": 468,
    "batch_size": 8,
    "crop_size": 256,
    # All eight orientations of a square; the authors turn only half of the patches. Corners are
    # mirrored here, whereas the authors fill them with black.
    "augmentation": (
        ("transpose", 0.5),
        ("flip_vertically", 0.5),
        ("flip_horizontally", 0.5),
        ("rotate", (45, 0)),
        ("crop", 1.0),
        ("reverse_time", 0.5),
    ),
}

SCORES = (
    ("Vimeo90K", 36.06, 0.970),
    ("UCF101", 35.32, 0.952),
    ("Middlebury", 37.52, 0.966),
    ("Xiph 2K", 36.66, 0.951),
    ("Xiph 4K", 33.78, 0.906),
)

PRESETS = (
    Preset(
        name="film",
        network="tfvfi.models.film.network:FILM",
        kind="interpolator",
        description="FILM: for large motion and near-duplicate photos; 34.4 M parameters",
        origin=f"Reda et al., FILM, ECCV 2022; {REPOSITORY}",
        times=(0.5,),
        checkpoints=tuple(
            Checkpoint(
                f"film_net/{loss}/saved_model",
                REPOSITORY,
                "Apache-2.0",
                trained_on=f"Vimeo90K, {loss} loss",
            )
            for loss in ("Style", "VGG", "L1")
        ),
        scores=tuple(
            # The authors' evaluation passes frames of any size to the network unchanged.
            PublishedScore(dataset, metric, value, PAPER, "none", {"border": "none"})
            for dataset, *values in SCORES
            for metric, value in zip(("PSNR", "SSIM"), values, strict=True)
        ),
        objectives=(
            Objective("film_l1", f"{LOSSES}:l1", terms=("l1",)),
            Objective("film_vgg", f"{LOSSES}:vgg", options=VGG, terms=("l1", "vgg")),
            Objective("film_style", f"{LOSSES}:style", options=VGG, terms=("l1", "vgg", "style")),
        ),
        training=TRAINING,
    ),
)
