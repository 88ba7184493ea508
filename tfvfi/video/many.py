"""Many videos, one after another, with one network."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfvfi import registry
from tfvfi.errors import InputError
from tfvfi.video.encoding import CONTAINERS
from tfvfi.video.pictures import ENDINGS as PICTURE_ENDINGS
from tfvfi.video.pictures import by_number, in_folder
from tfvfi.video.pipeline import interpolate_video
from tfvfi.video.sink import ENDINGS, make_folder

VIDEO_ENDINGS = (
    *CONTAINERS,
    *(".avi", ".gif", ".apng", ".ts", ".m2ts", ".mpg", ".mpeg", ".flv", ".wmv", ".3gp", ".y4m"),
)


def interpolate_all(
    inputs: Sequence[str | Path],
    output: str | Path,
    model: Any = registry.DEFAULT_MODEL,
    *,
    weights: str | Path | None = "default",
    options: dict[str, Any] | None = None,
    container: str | None = None,
    flow_output: str | Path | None = None,
    resume: bool = False,
    **settings: Any,
) -> dict[Path, int]:
    """Interpolates one input, or each of several videos into a folder.

    Several videos, or a folder that holds videos and no pictures, are treated one by one; those
    that fail are reported at the end and do not hold up the others. All else is one input.

    Args:
        inputs: What `interpolate_video` takes, or videos, or a folder of them.
        output: Likewise; a folder for several videos.
        model: A name, loaded once, or a loaded network.
        weights: See `interpolate_video`; likewise `options` and `settings`.
        options: Arguments of a model given by name.
        container: The ending of the outputs of several videos; by default that of each video.
        flow_output: A folder for flows; each of several videos gets one inside.
        resume: Continue interrupted work; of several videos, those that are there are left out.
        **settings: Arguments of `interpolate_video`.

    Returns:
        The number of frames by output.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> clips = ["samples/clip.mp4"]
        >>> made = interpolate_all(clips, folder + "/out.mp4", duration=0.2, progress=False)
        >>> [path.name for path in made]
        ['out.mp4']
    """
    output = Path(output)
    videos = several_videos(inputs)
    told = {"weights": weights, "options": options, "resume": resume, **settings}
    if videos is None:
        source = inputs[0] if len(inputs) == 1 else inputs
        count = interpolate_video(source, output, model, flow_output=flow_output, **told)
        return {output: count}

    targets = output_names(videos, output, container)
    make_folder(output)
    if isinstance(model, str):
        # Loaded once; what is resumed is still known by its name and file.
        told["network"] = registry.load_interpolator(model, weights, **(options or {}))
    counts, failures = {}, []
    for video, target in zip(videos, targets, strict=True):
        if resume and target.exists():
            continue
        flows = None if flow_output is None else Path(flow_output) / target.stem
        try:
            counts[target] = interpolate_video(video, target, model, flow_output=flows, **told)
        except InputError as error:
            failures.append(str(error))
            logging.warning("%s", error)
    if failures:
        raise InputError(
            f"{len(failures)} of {len(videos)} videos failed, the others are in {output}; "
            f"the first: {failures[0]}"
        )
    return counts


def several_videos(inputs: Sequence[str | Path]) -> list[Path] | None:
    """The videos to be treated one by one; None where the inputs are one."""
    paths = [Path(one) for one in inputs]
    if len(paths) == 1:
        if not paths[0].is_dir() or in_folder(paths[0]):
            return None
        found = [path for path in paths[0].iterdir() if path.suffix.lower() in VIDEO_ENDINGS]
        if not found:
            raise InputError(f"the folder {paths[0]} holds neither pictures nor videos")
        return sorted(found, key=lambda path: by_number(path.name))
    if all(path.suffix.lower() in PICTURE_ENDINGS for path in paths):
        return None
    return paths


def output_names(videos: Sequence[Path], folder: Path, container: str | None) -> list[Path]:
    """Where the outputs of several videos go: by their names, into a folder."""
    if folder.suffix:
        raise InputError(f"several videos go into a folder, which has no ending; received {folder}")
    if container is not None and container not in ENDINGS:
        known = ", ".join(ENDINGS)
        raise InputError(f"a container is one of {known}; received {container}")
    targets = []
    for video in videos:
        ending = container or video.suffix.lower()
        targets.append(folder / (video.stem + (ending if ending in ENDINGS else ".mkv")))
    double = next((path for path in targets if targets.count(path) > 1), None)
    if double is not None:
        raise InputError(f"two inputs would both become {double}; give them different names")
    return targets
