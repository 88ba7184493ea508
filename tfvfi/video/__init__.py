"""Video in, video out.

    reading/    files to frames: videos, animations, pictures; prepared: cut, resized, repeats found
    timeline    when each output frame is shown, and between which source frames it lies
    paint       what is shown there: the source's own, painted by the network (in tiles where frames
                are large), mixed, or held at cuts
    writing/    frames to files: encoders, other tracks, parts that survive an interruption
    pipeline    all of it for one video, in three threads; many: for several

`colors` is the way from a file's colors to RGB and back, `duplicates` and `cuts` look at frames,
`treatment` says what is wanted, `show` and `demo` make things to look at.
"""

from tfvfi.video.pipeline import interpolate_frames, interpolate_video
from tfvfi.video.treatment import Treatment
from tfvfi.video.writing.encoding import Encoding

__all__ = ["Encoding", "Treatment", "interpolate_frames", "interpolate_video"]
