"""The preset of the blend that `--quality=best` uses."""

from tfvfi.models.preset import Preset

PRESETS = (
    Preset(
        name="consensus",
        network="tfvfi.models.consensus.network:Consensus",
        kind="interpolator",
        config={"members": "flow_interpolation+rife_v4_0"},
        members=("members",),
        description="Classical flow and RIFE 4.0 blended: each corrects where the other fails",
        origin="this package",
        has_weights=False,
    ),
)
