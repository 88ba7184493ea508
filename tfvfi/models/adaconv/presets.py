"""AdaConv in the form of the Keras project."""

from tfvfi.models.preset import Objective, Preset

REPOSITORY = (
    "https://github.com/gurpreet-singh135/Image-Interpolation-via-adaptive-separable-convolution"
)

# As in paper and project. A crop of 94 trains 256 pixels at the cost of 25 crops of 79.
TRAINING = {
    "optimizer": {"name": "adamax", "beta_1": 0.9, "beta_2": 0.999},
    "learning_rate": {"schedule": "constant", "first": 1e-3},
    "epochs": 15,
    "batch_size": 128,
    # The window of one pixel, cut from patches of 150 x 150.
    "crop_size": 79,
    "patch_size": 150,
    "augmentation": (
        ("crop", 1.0),
        ("reverse_time", 0.5),
    ),
}

PRESETS = (
    Preset(
        name="adaconv",
        network="tfvfi.models.adaconv.network:AdaConv",
        kind="interpolator",
        description="AdaConv: a full 41 x 82 kernel for every pixel; 15.9 M parameters, slow",
        origin=f"Niklaus et al., Adaptive Convolution, CVPR 2017, in the form of {REPOSITORY}",
        times=(0.5,),
        objectives=(
            Objective(
                "adaconv",
                "tfvfi.models.adaconv.objective:objective",
                terms=("color", "gradient"),
            ),
        ),
        training=TRAINING,
    ),
)
