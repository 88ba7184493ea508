"""Interpolates many videos: one after another with one network, or on a cluster."""

import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tfvfi import registry
from tfvfi.errors import ArgumentError, InputError
from tfvfi.media import clips
from tfvfi.media.files import is_folder
from tfvfi.media.pictures import SUFFIXES, in_folder, in_order
from tfvfi.media.pipe import PIPE
from tfvfi.media.sequence import is_pattern
from tfvfi.video.contract import FrameInterpolator
from tfvfi.video.pipeline import Report, process
from tfvfi.video.plan import Plan, plan
from tfvfi.video.treatment import Treatment
from tfvfi.video.writing.encoding import Encoding
from tfvfi.video.writing.places import ENDINGS, check_name, make_folder

logger = logging.getLogger(__name__)

# A video, its output, and further arguments of `process`.
Task = tuple[Path, Path, dict[str, Any]]
# Calls `treat_once` for each task; yields each task's number and result, in any order.
Runner = Callable[[Sequence[Task]], Iterator[tuple[int, Any]]]
DEFAULT = registry.chosen(None)


def interpolate_all(
    inputs: Sequence[str | Path],
    output: str | Path,
    model: registry.ModelSpec | FrameInterpolator = DEFAULT,
    treatment: Treatment | None = None,
    encoding: Encoding | None = None,
    *,
    container: str | None = None,
    flow_output: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    yes: bool = False,
    progress: bool | Report = True,
    runner: Runner | None = None,
) -> dict[Path, int]:
    """Interpolates one input, or several videos into a folder.

    Several videos, or the videos of a folder without pictures, are interpolated one by one; those
    that fail do not stop the others and are reported at the end. Anything else is one input.

    Args:
        inputs: One source as for `interpolate_video`, several videos, or a folder of videos.
        output: An output as for `interpolate_video`; for several videos, a folder.
        model: A network; a `ModelSpec` is loaded once.
        treatment: How the frames are interpolated.
        encoding: The codec and quality of the outputs.
        container: The ending of the outputs of several videos; by default that of each video.
        flow_output: A folder for flow; each of several videos gets a folder inside it.
        resume: Whether to continue interrupted work; of several videos, those whose outputs exist
            are skipped.
        overwrite: Whether to replace existing outputs.
        yes: See `interpolate_video`.
        progress: See `interpolate_video`.
        runner: A function that interpolates several videos elsewhere instead of in this process,
            see `tfvfi.data.beam.runner`; the model must then be a `ModelSpec`.

    Returns:
        The number of frames of each output.

    Raises:
        InputError: The input cannot be read, or at least one of several videos failed.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> clips = ["samples/clip.mp4"]
        >>> short = Treatment(duration=0.2)
        >>> made = interpolate_all(clips, folder + "/out.mp4", treatment=short, progress=False)
        >>> [path.name for path in made]
        ['out.mp4']
    """
    output, videos = Path(output), several_videos(inputs)
    told = {
        "model": model,
        "treatment": treatment or Treatment(),
        "encoding": encoding,
        "resume": resume,
        "overwrite": overwrite,
        "yes": yes,
        "progress": progress,
    }
    if videos is None:
        if runner is not None:
            raise ArgumentError(
                "a `runner` shares several videos among machines; received one input"
            )
        return {output: process(inputs, output, flow_output=flow_output, **told)}
    if runner is not None and not isinstance(model, registry.ModelSpec):
        raise InputError("a runner's machines load the model themselves: give its name")

    tasks = []
    for video, target in zip(videos, output_names(videos, output, container), strict=True):
        if not (resume and target.exists()):
            flows = None if flow_output is None else Path(flow_output) / target.stem
            tasks.append((video, target, {**told, "flow_output": flows}))
    make_folder(output)
    _forget_results(tasks)
    counts, failures = {}, []
    for number, (count, failure) in (runner or _here)(tasks):
        if failure is None:
            counts[tasks[number][1]] = count
        else:
            failures.append(failure)
            logger.warning("%s", failure)
    _forget_results(tasks)
    if failures:
        raise InputError(
            f"{len(failures)} of {len(videos)} videos failed, the others are in {output}; "
            f"the first: {failures[0]}"
        )
    return counts


def plan_all(
    inputs: Sequence[str | Path],
    output: str | Path,
    model: registry.ModelSpec | FrameInterpolator = DEFAULT,
    treatment: Treatment | None = None,
    encoding: Encoding | None = None,
    *,
    container: str | None = None,
    overwrite: bool = False,
) -> list[Plan]:
    """Returns what `interpolate_all` would write, without writing anything.

    Args:
        inputs: See `interpolate_all`, as for the other arguments.
        output: One output, or a folder.
        model: A network.
        treatment: How the frames are interpolated.
        encoding: The codec and quality of the outputs.
        container: The ending of the outputs of several videos.
        overwrite: Whether existing outputs would be replaced.
    """
    output, videos = Path(output), several_videos(inputs)
    if videos is None:
        tasks = [(list(inputs), output)]
    else:
        targets = output_names(videos, output, container)
        tasks = [([video], target) for video, target in zip(videos, targets, strict=True)]
    treatment = treatment or Treatment()
    return [plan(*task, model, treatment, encoding, overwrite) for task in tasks]


def treat(video: Path, target: Path, told: dict[str, Any]) -> tuple[int, str | None]:
    """Interpolates one of several videos.

    Args:
        video: The video.
        target: Its output.
        told: Further arguments of `process`.

    Returns:
        The number of frames, and the reason if the work failed.
    """
    try:
        return process([video], target, **told), None
    except InputError as error:
        return 0, str(error)


def treat_once(video: Path, target: Path, told: dict[str, Any]) -> tuple[int, str | None]:
    """Returns what `treat` returns; a result that any machine left beside the output is reused."""
    result = _result_of(target)
    if not result.exists():
        made = treat(video, target, {**told, "progress": False})
        aside = result.with_name(f"{result.name}.{os.getpid()}")
        aside.write_text(json.dumps(made))
        os.replace(aside, result)
    return tuple(json.loads(result.read_text()))


def several_videos(inputs: Sequence[str | Path]) -> list[Path] | None:
    """Returns the videos to interpolate one by one; None if the inputs are one source."""
    paths = [Path(one) for one in inputs]
    if len(paths) == 1:
        if (
            paths == [PIPE]
            or is_pattern(paths[0])
            or not is_folder(paths[0])
            or in_folder(paths[0])
        ):
            return None
        found = [path for path in paths[0].iterdir() if clips.is_video(path)]
        if not found:
            raise InputError(f"the folder {paths[0]} holds neither pictures nor videos")
        return in_order(found)
    if all(path.suffix.lower() in SUFFIXES for path in paths):
        return None
    return paths


def output_names(videos: Sequence[Path], folder: Path, container: str | None) -> list[Path]:
    """Returns the paths of the outputs of several videos: a folder and the videos' names.

    Raises:
        InputError: Two videos would have the same output, or the folder or container is invalid.
    """
    check_name(folder)
    if folder.suffix:
        raise ArgumentError(
            f"several videos go into a folder, which has no ending; received {folder}"
        )
    if container is not None and container not in ENDINGS:
        known = ", ".join(ENDINGS)
        raise ArgumentError(f"`container` is one of {known}; received {container}")
    targets = []
    for video in videos:
        ending = container or video.suffix.lower()
        targets.append(folder / (video.stem + (ending if ending in ENDINGS else ".mkv")))
    double = next((path for path in targets if targets.count(path) > 1), None)
    if double is not None:
        raise InputError(f"two inputs would both become {double}; give them different names")
    return targets


def _here(tasks: Sequence[Task]) -> Iterator[tuple[int, Any]]:
    """Interpolates the videos one after another in this process."""
    return enumerate(treat(*task) for task in tasks)


def _forget_results(tasks: Sequence[Task]) -> None:
    for _, target, _ in tasks:
        _result_of(target).unlink(missing_ok=True)


def _result_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.result")
