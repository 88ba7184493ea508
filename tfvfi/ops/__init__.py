"""Operations for frame interpolation that Keras lacks, each in a portable and a compiled form.

Images are [N, H, W, C], and flows are [N, H, W, 2] as (x, y) in pixels. Every operation is
differentiable with respect to every floating point input, accepts heights and widths that are known
only at run time, and computes positions in float32 whatever the type of its inputs.
"""

from tfvfi.ops.channel_norm import channel_norm
from tfvfi.ops.correlation import correlation
from tfvfi.ops.dispatch import portable
from tfvfi.ops.local_convolution import local_convolution, separable_convolution
from tfvfi.ops.native import available as native_available
from tfvfi.ops.resize import resize
from tfvfi.ops.splat import softmax_splat, splat
from tfvfi.ops.warp import backward_warp

__all__ = [
    "backward_warp",
    "channel_norm",
    "correlation",
    "local_convolution",
    "native_available",
    "portable",
    "resize",
    "separable_convolution",
    "softmax_splat",
    "splat",
]
