"""Video in, video out: decode, timeline, pairs through a network, encode."""

from tfvfi.video.pipeline import interpolate_frames, interpolate_video

__all__ = ["interpolate_frames", "interpolate_video"]
