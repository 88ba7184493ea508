"""The work of `make demo`."""

from itertools import islice, pairwise
from pathlib import Path

from tfvfi import registry
from tfvfi.media.source import Video
from tfvfi.video.pipeline import interpolate_video
from tfvfi.video.show import before_after, contact_sheet, side_by_side

FACTOR = 4
# The number of pairs on the contact sheet, and the number of frames from one to the next.
PAIRS, APART = 4, 7


def run(clip: Path, folder: Path, model: registry.ModelSpec, overwrite: bool = False) -> list[Path]:
    """Interpolates a clip and renders comparisons of the result.

    Args:
        clip: A video.
        folder: The folder for the results.
        model: The network.
        overwrite: Whether to replace existing results.

    Returns:
        The paths of the smooth video, the side-by-side video, the contact sheet and the animation.
    """
    network = model.load_interpolator()
    smooth, beside = folder / "demo.mp4", folder / "side_by_side.mp4"
    sheet, animation = folder / "contact_sheet.png", folder / "before_after.webp"
    interpolate_video(clip, smooth, network, factor=FACTOR, overwrite=overwrite)
    side_by_side(clip, smooth, beside)

    frames = [shown.image for shown in islice(Video(clip), 1 + PAIRS * APART)]
    times = [number / FACTOR for number in range(1, FACTOR)]
    rows = []
    for first, second in list(pairwise(frames))[::APART]:
        rows.append([first, *network.interpolate(first, second, times), second])
    contact_sheet(rows, ["first", *(f"t = {time:g}" for time in times), "second"], sheet)
    video = Video(clip)
    every = [shown.image for shown in video]
    before_after(every, 1 / video.rate, FACTOR, network, animation)
    return [smooth, beside, sheet, animation]
