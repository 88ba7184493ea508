"""Loss functions of tensors, and the interface of the training objectives that combine them.

An objective is a function

    objective(network, batch, training=True) -> (total, terms)

`batch` is a dict of "frame0", "frame1", "target" (B, H, W, 3), "time" (B,) and, if the records hold
it, "flow" (B, H, W, 4): the flow from the target to frame0, then to frame1. Training adds
"progress", the fraction of its steps that are done, from 0 to 1. `total` is the scalar to minimize,
and `terms` is a dict of named scalars that add up to it. The objective of a network is
`tfvfi.models.<network>.objective:objective`.

Like the networks, losses take frames as NHWC in [0, 1] and flow as (x, y) in pixels. Every mean is
over all elements.
"""

from tfvfi.losses.census import census
from tfvfi.losses.charbonnier import adaptive_charbonnier, charbonnier
from tfvfi.losses.distillation import flow_distillation, robust_weight
from tfvfi.losses.endpoint import endpoint_error, flow_difference, multi_scale_flow
from tfvfi.losses.geometry import geometry
from tfvfi.losses.gradient import neighbor_differences
from tfvfi.losses.laplacian import laplacian, laplacian_mean, laplacian_pyramid
from tfvfi.losses.motion import mutual_warping, total_variation
from tfvfi.losses.perceptual import Perceptual
from tfvfi.losses.style import Style, gram
from tfvfi.losses.unsupervised import photometric, smoothness

__all__ = [
    "Perceptual",
    "Style",
    "adaptive_charbonnier",
    "census",
    "charbonnier",
    "endpoint_error",
    "flow_difference",
    "flow_distillation",
    "geometry",
    "gram",
    "laplacian",
    "laplacian_mean",
    "laplacian_pyramid",
    "multi_scale_flow",
    "mutual_warping",
    "neighbor_differences",
    "photometric",
    "robust_weight",
    "smoothness",
    "total_variation",
]
