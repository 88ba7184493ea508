"""Fine-tuning on one clip: records from its frames, a short training, a picture that improves.

Nothing but the clip is needed: of three frames in a row both pairs are interpolated, and between
the two results must lie the second frame again (see `tfvfi.models.cycle`). Three frames of the
clip are looked at after every interval: the outer two are interpolated and compared with the
middle one. The training sees all frames of the clip, that one included, but never in that role.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfvfi import registry
from tfvfi.data import making
from tfvfi.data.clip_parts import Taking
from tfvfi.data.sharding import Sharing
from tfvfi.errors import InputError
from tfvfi.evaluation import measures
from tfvfi.studio.glimpse import Glimpse, png
from tfvfi.studio.replies import Replies
from tfvfi.training.session import train
from tfvfi.training.settings import Settings

# How many points of the curve, and pictures, a training produces.
INTERVALS = 25
PATCH, CROP, BATCH, PATCHES = 160, 128, 4, 400


def tune(
    replies: Replies,
    inputs: Sequence[str],
    folder: str,
    output: str,
    model: Mapping[str, Any],
    objective: str,
    steps: int,
    learning_rate: float,
    seconds: float,
) -> dict[str, Any]:
    """Fine-tunes a network; an interrupted run continues from its last interval.

    Args:
        replies: Where progress goes.
        inputs: The clip.
        folder: Where the records and the run are kept.
        output: The .weights.h5 file to write.
        model: What training starts from.
        objective: "cycle" or "cycle_pseudo".
        steps: Updates of the weights.
        learning_rate: Of the optimizer.
        seconds: Where in the clip the picture is taken.

    Returns:
        PSNR of the picture before and after.
    """
    replies.send(stage="Reading the clip")
    if len(inputs) != 1:
        raise InputError("fine-tuning needs a video or a folder of pictures in a row")
    records = str(Path(folder) / "records")
    # A single video cannot be split for validation.
    making.create(
        inputs[0],
        records,
        Taking(patch_size=PATCH, patches_per_video=PATCHES),
        Sharing(validation=0.0),
    )
    replies.send(stage="Loading the network")
    preset = registry.preset(model["name"])
    weights = str(model["weights"] or registry.weight_path(preset, "default"))
    look = Look(replies, inputs, seconds)
    start = registry.load_interpolator(model["name"], weights, **model["options"])
    first = look.at("before", start)
    replies.send(stage="Training", point={"step": 0, "psnr": first})
    replies.progress(0, steps)
    last = first

    def watch(row: Mapping[str, Any], network: Any) -> None:
        nonlocal last
        last = look.at("now", network)
        replies.send(
            point={"step": row["step"], "loss": row["train/loss"], "psnr": last},
        )
        replies.progress(row["step"], steps)

    train(
        Settings(
            model["name"],
            records,
            str(Path(folder) / "run"),
            steps=steps,
            batch_size=BATCH,
            crop_size=CROP,
            objective=objective,
            weights=weights,
            options=model["options"],
            learning_rate=learning_rate,
            schedule="cosine",
            interval=max(1, steps // INTERVALS),
            export=output,
        ),
        quiet=True,
        watch=watch,
    )
    return {"before": first, "after": last, "frames": steps}


class Look:
    """Three frames of a clip, of which the middle one is the truth.

    Args:
        replies: Where pictures go.
        inputs: The clip.
        seconds: Where in it.
    """

    def __init__(self, replies: Replies, inputs: Sequence[str], seconds: float):
        glimpse = Glimpse(inputs)
        shown = glimpse.neighbours(seconds, count=3)
        self._first, self._truth, self._second = map(glimpse.upright, shown)
        self._replies = replies
        replies.send(picture={"role": "truth", "png": png(self._truth)})

    def at(self, role: str, network: Any) -> float:
        """Sends what a network makes of the outer two; its PSNR in dB."""
        (made,) = network.interpolate(self._first, self._second, (0.5,))
        self._replies.send(picture={"role": role, "png": png(np.asarray(made))})
        return float(measures.psnr(made, self._truth))
