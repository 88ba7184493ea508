"""The preset of the variational flow."""

from tfvfi.models.preset import Preset

PRESETS = (
    Preset(
        name="variational",
        network="tfvfi.models.variational.network:Variational",
        kind="flow",
        times=None,
        description="Classical flow by a variational solver: no weights, and exportable",
        origin="after Horn and Schunck, 1981, and Lucas and Kanade, 1981",
        has_weights=False,
    ),
)
