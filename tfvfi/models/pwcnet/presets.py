"""PWC-Net as published for PyTorch."""

from tfvfi.models.preset import Checkpoint, Objective, Preset

REPOSITORY = "https://github.com/sniklaus/pytorch-pwc"
# The weights were converted from NVIDIA's Caffe originals.
LICENCE = "non-commercial, see the repository's README"

TRAINING = {
    "optimizer": {"name": "adam", "beta_1": 0.9, "beta_2": 0.999, "weight_decay": 4e-4},
    "learning_rate": 1e-4,
    "batch_size": 8,
}

PRESETS = (
    Preset(
        name="pwcnet",
        network="tfvfi.models.pwcnet.network:PWCNet",
        kind="flow",
        description="PWC-Net: a small and accurate flow network, 9.4 M parameters",
        origin=f"Sun et al., PWC-Net, CVPR 2018; {REPOSITORY}",
        times=None,
        checkpoints=(
            Checkpoint("network-default.pytorch", REPOSITORY, LICENCE, "as released by NVIDIA"),
            Checkpoint(
                "network-chairs-things.pytorch",
                REPOSITORY,
                LICENCE,
                "FlyingChairs and FlyingThings3D",
            ),
        ),
        objectives=(
            Objective(
                "pwcnet",
                "tfvfi.models.pwcnet.objective:objective",
                batch="pair",
                terms=("level2", "level3", "level4", "level5", "level6"),
            ),
        ),
        training=TRAINING,
    ),
)
