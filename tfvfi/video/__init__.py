"""Video in, video out.

    prepared    the source's frames: limited in time, resized, held frames found
    timeline    when each output frame is shown, and between which source frames it lies
    render      what is shown there: a frame of the source, one that the network interpolates (in
                tiles where frames are large), a mixture, or a held frame at cuts
    writing/    frames to files: encoders, other tracks, parts that survive an interruption
    pipeline    all of it for one video, in three threads; many: for several
    live        frames between frames while they arrive

`contract` defines what a network and an output must offer, `tfvfi.media.contract` what a source
must. `treatment` holds what is asked for; `show` and `demo` make comparisons to look at.
"""

from tfvfi.video.live import stream
from tfvfi.video.pipeline import interpolate_frames, interpolate_video
from tfvfi.video.treatment import Treatment
from tfvfi.video.writing.encoding import Encoding

__all__ = ["Encoding", "Treatment", "interpolate_frames", "interpolate_video", "stream"]
