"""The one published size of SepConv, trained with two losses."""

from tfvfi.models.preset import Checkpoint, Objective, Preset, PublishedScore

REPOSITORY = "https://github.com/sniklaus/sepconv-slomo"
FILES = "http://content.sniklaus.com/sepconv"
LICENCE = "strictly for academic purposes"

# The paper's settings, with its own learning rate and batch size.
TRAINING = {
    "optimizer": {"name": "adamax", "beta_1": 0.9, "beta_2": 0.999},
    "learning_rate": {"schedule": "constant", "first": 1e-3},
    "batch_size": 16,
    # Cut from patches of 150 x 150.
    "crop_size": 128,
    "patch_size": 150,
    "augmentation": (
        ("crop", 1.0),
        ("flip_vertically", 0.5),
        ("flip_horizontally", 0.5),
        ("reverse_time", 0.5),
    ),
}


def _scores() -> tuple[PublishedScore, ...]:
    script = f"{REPOSITORY}, benchmark.py"
    table = "IFRNet, CVPR 2022, table 1"
    middlebury = (
        ("l1", "paper", 35.73, 0.959),
        ("lf", "paper", 35.03, 0.954),
        ("l1", "improved", 35.85, 0.959),
        ("lf", "improved", 35.16, 0.954),
    )
    others = (
        ("Vimeo90K", 33.79, 0.9702),
        ("UCF101", 34.78, 0.9669),
    )
    films = (("easy", 39.41), ("medium", 34.97), ("hard", 29.36), ("extreme", 24.31))
    return (
        *(
            PublishedScore(
                "Middlebury", metric, value, f"{script}: {weights}, {padding} padding", "truncate"
            )
            for weights, padding, *values in middlebury
            for metric, value in zip(("PSNR", "SSIM uniform"), values, strict=True)
        ),
        *(
            PublishedScore(dataset, metric, value, table)
            for dataset, *values in others
            for metric, value in zip(("PSNR", "SSIM 3-D"), values, strict=True)
        ),
        *(PublishedScore(f"SNU-FILM {setting}", "PSNR", value, table) for setting, value in films),
    )


PRESETS = (
    Preset(
        name="sepconv",
        network="tfvfi.models.sepconv.network:SepConv",
        kind="interpolator",
        description="SepConv: a separable 51 x 51 kernel for every pixel; 21.7 M parameters",
        origin=f"Niklaus et al., Adaptive Separable Convolution, ICCV 2017; {REPOSITORY}",
        times=(0.5,),
        checkpoints=tuple(
            Checkpoint(f"network-{loss}.pytorch", FILES, LICENCE, trained_on=f"own clips, {loss}")
            for loss in ("l1", "lf")
        ),
        scores=_scores(),
        objectives=(
            Objective("sepconv_l1", "tfvfi.models.sepconv.objective:l1", terms=("l1",)),
            Objective(
                "sepconv_lf",
                "tfvfi.models.objectives:features_of_vgg19",
                options=("perceptual_weights",),
                terms=("perceptual",),
            ),
        ),
        training=TRAINING,
    ),
)
