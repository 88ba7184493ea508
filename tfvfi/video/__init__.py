"""Video in, video out: decode, timeline, pairs through a network, encode."""

from tfvfi.video.pipeline import interpolate_frames, interpolate_video
from tfvfi.video.treatment import Treatment
from tfvfi.video.writing.encoding import Encoding

__all__ = ["Encoding", "Treatment", "interpolate_frames", "interpolate_video"]
