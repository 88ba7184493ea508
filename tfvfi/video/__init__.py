"""Interpolates videos.

    prepared    the source's frames: limited in time, resized, with held frames detected
    timeline    the time of each output frame, and the source frames between which it lies
    render      renders each output frame: a source frame, a frame that the network interpolates
                (in tiles if frames are large), a blend, or a held frame at cuts
    writing/    frames to files: encoders, other tracks, segments that survive an interruption
    pipeline    the whole work for one video, in three threads; `many` for several videos
    live        interpolates frames while they arrive

`contract` defines what a network and an output must offer, and `tfvfi.media.contract` what a source
must offer. `treatment` holds the settings; `show` and `demo` render comparisons.
"""

from tfvfi.video.live import stream
from tfvfi.video.pipeline import interpolate_frames, interpolate_video
from tfvfi.video.treatment import Treatment
from tfvfi.video.writing.encoding import Encoding

__all__ = ["Encoding", "Treatment", "interpolate_frames", "interpolate_video", "stream"]
