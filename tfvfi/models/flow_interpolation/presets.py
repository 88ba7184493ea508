"""Flow interpolation as a loadable name."""

from tfvfi.models.preset import Preset

PRESETS = (
    Preset(
        name="flow_interpolation",
        network="tfvfi.models.flow_interpolation.network:FlowInterpolation",
        kind="interpolator",
        config={"flow": "dis"},
        times="any",
        description="Two-directional, occlusion-aware interpolation from any optical flow",
        origin="after vineeths96/Video-Interpolation-using-Deep-Optical-Flow, corrected; "
        "DIS flow: Kroeger et al., ECCV 2016, as in OpenCV",
        has_weights=False,
    ),
)
