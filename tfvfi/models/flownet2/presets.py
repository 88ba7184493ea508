"""FlowNet 2.0 and those of its parts that are published separately."""

from tfvfi.models.preset import Checkpoint, Objective, Preset

REPOSITORY = "https://github.com/NVIDIA/flownet2-pytorch"
# The repository's code is Apache-2.0, but its weights were converted from the Caffe originals.
LICENCE = "weights for research purposes only, see the repository's README"

TRAINING = {
    "optimizer": {"name": "adam", "beta_1": 0.9, "beta_2": 0.999},
    "learning_rate": 1e-4,
    "batch_size": 8,
}


def _preset(name: str, description: str, stems: tuple[str, ...], chain: tuple, fusion: bool):
    return Preset(
        name=name,
        network="tfvfi.models.flownet2.network:FlowNet2",
        kind="flow",
        description=description,
        origin=f"Ilg et al., FlowNet 2.0, CVPR 2017; {REPOSITORY}",
        config={"chain": chain, "fusion": fusion},
        times=None,
        checkpoints=tuple(
            Checkpoint(f"{stem}_checkpoint.pth.tar", REPOSITORY, LICENCE, trained_on=data)
            for stem, data in stems
        ),
        objectives=(
            Objective(
                "flownet2",
                "tfvfi.models.flownet2.objective:objective",
                terms=("flow", "flow0", "flow1", "photometric", "smoothness"),
            ),
        ),
        training=TRAINING,
    )


CHAIRS = "FlyingChairs and FlyingThings3D"

PRESETS = (
    _preset(
        "flownet2",
        "FlowNet 2.0: three networks in a chain, one for small displacements, and a fusion",
        (("FlowNet2", f"{CHAIRS}, ChairsSDHom"),),
        ("c", "s", "s"),
        True,
    ),
    _preset(
        "flownet2_c",
        "FlowNetC: one network with a cost volume",
        (("FlowNet2-C", CHAIRS),),
        ("c",),
        False,
    ),
    _preset(
        "flownet2_s", "FlowNetS: one network, the fastest", (("FlowNet2-S", CHAIRS),), ("s",), False
    ),
    _preset(
        "flownet2_sd",
        "FlowNetSD: one network for small displacements",
        (("FlowNet2-SD", "ChairsSDHom"),),
        ("sd",),
        False,
    ),
    _preset(
        "flownet2_cs", "Two networks in a chain", (("FlowNet2-CS", CHAIRS),), ("c", "s"), False
    ),
    _preset(
        "flownet2_css",
        "Three networks in a chain",
        (("FlowNet2-CSS", CHAIRS), ("FlowNet2-CSS-ft-sd", f"{CHAIRS}, ChairsSDHom")),
        ("c", "s", "s"),
        False,
    ),
)
