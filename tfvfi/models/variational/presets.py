"""The network of this package's own, whose weights come with it."""

from tfvfi.models.preset import Objective, Preset

TRAINING = {
    "optimizer": {"name": "adamw", "weight_decay": 0.0, "beta_1": 0.9, "beta_2": 0.999},
    "learning_rate": {"schedule": "cosine", "first": 1e-3, "last": 1e-5, "warm_up": 100},
    "epochs": 20,
    "batch_size": 8,
    "crop_size": 160,
    "augmentation": (
        ("crop", 1.0),
        ("reverse_channels", 0.5),
        ("flip_vertically", 0.5),
        ("flip_horizontally", 0.5),
        ("transpose", 0.5),
        ("reverse_time", 0.5),
    ),
}

PRESETS = (
    Preset(
        name="variational",
        network="tfvfi.models.variational.network:Variational",
        kind="interpolator",
        description="Ours: a variational solver for motion, small networks that correct it and paint",
        origin="tfvfi; after Horn and Schunck, 1981, and Lucas and Kanade, 1981",
        times="any",
        objectives=(Objective("variational", "tfvfi.models.variational.objective:objective"),),
        training=TRAINING,
    ),
)
