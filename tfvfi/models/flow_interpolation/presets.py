"""Presets of flow interpolation and of the flow estimator DIS, which needs no weights."""

from tfvfi.models.preset import Preset

PRESETS = (
    Preset(
        name="flow_interpolation",
        network="tfvfi.models.flow_interpolation.network:FlowInterpolation",
        kind="interpolator",
        config={"flow": "dis", "scale": "auto"},
        estimators=("flow",),
        times="any",
        description="Two-directional, occlusion-aware interpolation from any optical flow",
        origin="after vineeths96/Video-Interpolation-using-Deep-Optical-Flow, corrected",
        has_weights=False,
    ),
    Preset(
        name="dis",
        network="tfvfi.models.flow_interpolation.dis:DIS",
        kind="flow",
        times=None,
        description="Classical flow by dense inverse search: fast, on the CPU, no weights",
        origin="Kroeger et al., ECCV 2016, as in OpenCV",
        has_weights=False,
    ),
    Preset(
        name="dis_quick",
        network="tfvfi.models.flow_interpolation.dis:DIS",
        kind="flow",
        config={"quick": True},
        times=None,
        description="DIS with fewer patches and steps: less than half the time",
        origin="Kroeger et al., ECCV 2016, as in OpenCV",
        has_weights=False,
    ),
)
