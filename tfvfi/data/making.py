"""Makes records from videos: a part for each clip, then shards, then the files of a dataset.

Finished parts are kept in the folder `parts` of the output until the manifest is written, so that
the same call continues where an interrupted one stopped.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from tqdm import tqdm

from tfvfi.data import clip_parts, contact_sheet, records, sharding, workers
from tfvfi.data.clip_parts import Report, Skipped, Taking
from tfvfi.data.output import finished, working
from tfvfi.data.patches import motion_histogram
from tfvfi.data.records import Layout, Records
from tfvfi.data.sharding import Sharing
from tfvfi.errors import InputError
from tfvfi.media import clips, storage
from tfvfi.media.clips import Clip

Task = tuple[str, Clip, Taking]
# Calls `clip_parts.make` for each task; yields each task's number and result, in any order.
Runner = Callable[[Sequence[Task]], Iterator[tuple[int, Any]]]


def create(
    videos: str,
    output: str,
    taking: Taking | None = None,
    sharing: Sharing | None = None,
    *,
    processes: int = 1,
    runner: Runner | None = None,
    overwrite: bool = False,
) -> Records:
    """Makes records from videos; the bytes do not depend on the number of processes.

    Args:
        videos: A folder of videos, or a pattern.
        output: The folder to write; the work of an interrupted call in it is completed.
        taking: What is taken from each clip.
        sharing: How the examples are divided into splits and shards.
        processes: The number of clips that are read at once.
        runner: A function that reads the clips instead of processes on this machine, see
            `tfvfi.data.beam.runner`.
        overwrite: Whether to replace existing records.

    Returns:
        The finished records. Their manifest lists the clips that could not be read.

    Raises:
        InputError: No patch was found, or the output holds other files or other records.
    """
    taking, sharing = taking or Taking(), sharing or Sharing()
    found = clips.find(videos)
    parameters = {**asdict(taking), **asdict(sharing)}
    if done := finished(output, overwrite):
        _refuse_others(done, found, parameters)
        return done
    with working(output) as work:
        run = runner or (lambda tasks: workers.run(clip_parts.make, tasks, processes))
        reports, skipped = _read_all(run, [(work, clip, taking) for clip in found])
        _refuse_emptiness(reports, skipped, taking)
        _write(output, found, reports, skipped, parameters, processes)
    return Records(output)


def summary(made: Records) -> str:
    """Returns a text that lists what was read, what was skipped and why, and the result."""
    about = made.manifest
    lines = [
        f"{_count(len(about['sources']), 'video')} read, {len(about['skipped'])} skipped",
        *(f"  skipped {_printable(one['reason'])}" for one in about["skipped"]),
    ]
    for split in made.splits:
        shards = made.shards(split)
        size = sum(shard.bytes for shard in shards) / 1e6
        videos = sum(one["split"] == split for one in about["sources"])
        lines.append(
            f"{split}: {_count(sum(shard.examples for shard in shards), 'patch')} of "
            f"{_count(videos, 'video')}, {size:.1f} MB in {_count(len(shards), 'shard')}"
        )
    empty = [one["name"] for one in about["sources"] if not one["patches"]]
    if empty:
        lines.append(f"no patch from {_printable(', '.join(empty))}")
    return "\n".join(lines)


def _refuse_others(done: Records, found: list[Clip], parameters: dict[str, Any]) -> None:
    """Raises an `InputError` unless the records are whole, of these clips and parameters."""
    about = done.manifest
    sources = {(one["name"], one["bytes"]) for one in about["sources"] + about["skipped"]}
    same = sources == {(clip.name, clip.bytes) for clip in found}
    if not same or about["parameters"] != json.loads(json.dumps(parameters)):
        what = "settings" if same else "videos"
        raise InputError(
            f"{done.folder} holds records made from other {what}; pass `overwrite=True` to replace "
            "them, or choose another `output`"
        )
    damaged = [path for split in done.splits for path in done.differing(split, contents=False)]
    if damaged:
        raise InputError(
            f"{damaged[0]} differs from its description in the manifest; pass `overwrite=True` to "
            "make the records again"
        )


def _read_all(run: Runner, tasks: list[Task]) -> tuple[dict[str, Report], list[Skipped]]:
    """Returns reports by the path of the part, and skipped clips, in the order of the clips."""
    results: dict[int, Report | Skipped] = {}
    for number, result in tqdm(run(tasks), total=len(tasks), unit="video", disable=None):
        if isinstance(result, workers.Crash):
            name = tasks[number][1].name
            result = Skipped(name, f"{name}: reading it ended with exit code {result.exit_code}")
        results[number] = result
    reports, skipped = {}, []
    for number, task in enumerate(tasks):
        if isinstance(results[number], Skipped):
            skipped.append(results[number])
        else:
            reports[clip_parts.path(*task)] = results[number]
    return reports, skipped


def _refuse_emptiness(reports: dict[str, Report], skipped: list[Skipped], taking: Taking) -> None:
    if any(report.offsets for report in reports.values()):
        return
    size = taking.patch_size
    small = sum(min(report.size) < size for report in reports.values())
    why = [f"{len(skipped)} could not be read ({skipped[0].reason})"] if skipped else []
    why += [f"{small} are smaller than {size}x{size}"] if small else []
    why += [f"{len(reports) - small} show no motion or texture, or too few frames"]
    raise InputError(
        f"no patch was found in {len(reports) + len(skipped)} videos: {', '.join(why)}; "
        "choose other videos, or a smaller `patch_size` or fewer `frames`"
    )


def _write(
    output: str,
    found: list[Clip],
    reports: dict[str, Report],
    skipped: list[Skipped],
    parameters: dict[str, Any],
    processes: int,
) -> None:
    """Writes all files of the dataset from the parts."""
    seed = parameters["seed"]
    giving = [report for report in reports.values() if report.offsets]
    splits = sharding.split_names(
        [report.name for report in giving], parameters["validation"], seed
    )
    shared = sharding.share_out(reports, splits, seed)
    mean_bytes = sum(report.bytes for report in giving) / sum(len(r.offsets) for r in giving)
    shards = sharding.write(output, shared, mean_bytes, parameters["shard_bytes"], processes)
    sizes = {clip.name: clip.bytes for clip in found}
    motion = {
        "looked_at": np.sum([report.looked_at for report in giving], axis=0).tolist(),
        "taken": motion_histogram([m for report in giving for m in report.motions]),
    }
    about = {
        "parameters": parameters,
        "sources": [_source(report, sizes, splits) for report in reports.values()],
        "skipped": [asdict(one) | {"bytes": sizes[one.name]} for one in skipped],
        "motion": motion,
    }
    sample = sharding.payloads(shared[sharding.TRAIN][: contact_sheet.SAMPLES])
    pictures = {
        "contact_sheet.png": contact_sheet.sheet([records.Example.unpack(one) for one in sample]),
        "motion_histogram.png": contact_sheet.motion_histogram(**motion),
    }
    for name, picture in pictures.items():
        storage.write_bytes(storage.join(output, name), picture)
    size = (parameters["patch_size"],) * 2
    layout = Layout(parameters["frames"], *size, parameters["encoding"])
    records.finish(output, records.dataset_name(output), layout, shards, about)


def _source(report: Report, sizes: dict[str, int], splits: dict[str, str]) -> dict[str, Any]:
    return {
        "name": report.name,
        "bytes": sizes[report.name],
        "height": report.size[0],
        "width": report.size[1],
        "split": splits.get(report.name),
        **report.seen,
        "patches": len(report.offsets),
    }


def _count(number: int, what: str) -> str:
    plural = f"{what}es" if what.endswith("ch") else f"{what}s"
    return f"{number} {what if number == 1 else plural}"


def _printable(text: str) -> str:
    """Escapes text for one line of a terminal, because file names may hold any characters."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
