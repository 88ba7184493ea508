"""What the page asks for on its second page: a fine-tuning on one clip."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfvfi import registry
from tfvfi.errors import InputError
from tfvfi.studio.folders import Folders
from tfvfi.studio.order import parse_model

OBJECTIVES = ("cycle_pseudo", "cycle")
MOST_STEPS, HIGHEST_RATE = 100_000, 0.01


@dataclass(frozen=True)
class TuneOrder:
    """A fine-tuning.

    Attributes:
        model: As of `Order`.
        objective: One of `OBJECTIVES`.
        steps: Updates of the weights.
        learning_rate: Of the optimizer.
        seconds: Where in the clip the picture is taken that shows how training goes.
    """

    model: dict[str, Any]
    objective: str
    steps: int
    learning_rate: float
    seconds: float

    @classmethod
    def parse(cls, given: Any, folders: Folders) -> "TuneOrder":
        """Validates what the page sent.

        Raises:
            InputError: Something is missing or out of bounds.
        """
        model = parse_model(given.get("model"), folders)
        known = registry.preset(model["name"])
        if not known.has_weights:
            raise InputError(
                f"{known.name} has no weights to train; choose a network that learns, such as "
                "ifrnet_s"
            )
        if model["weights"] is None:
            # Raises a sentence on how to get the weights if there are none.
            registry.weight_path(known, "default")
        objective = given.get("objective", OBJECTIVES[0])
        if objective not in OBJECTIVES:
            raise InputError(f"the objective is one of {', '.join(OBJECTIVES)}")
        steps = given.get("steps")
        if type(steps) is not int or not 1 <= steps <= MOST_STEPS:
            raise InputError(f"steps are a whole number from 1 to {MOST_STEPS}; received {steps!r}")
        rate = given.get("learning_rate")
        if type(rate) not in (int, float) or not 0 < rate <= HIGHEST_RATE:
            raise InputError(f"the learning rate lies above 0 and up to {HIGHEST_RATE}")
        seconds = given.get("seconds", 0)
        if type(seconds) not in (int, float) or seconds < 0:
            raise InputError("the position is a number of seconds from 0 on")
        return cls(model, objective, steps, float(rate), float(seconds))

    def command(self, inputs: Sequence[str], folder: str, output: str) -> str:
        """The command lines that do the same, in two lines."""
        weights = self.model["weights"] or registry.weight_path(
            registry.preset(self.model["name"]), "default"
        )
        records = f"{folder}/records"
        make = ["create-records", f"--videos={inputs[0]}", f"--output={records}", "--validation=0"]
        train = [
            *("train", f"--model={self.model['name']}", f"--records={records}"),
            *(f"--output={folder}/run", f"--weights={weights}", f"--objective={self.objective}"),
            *(f"--steps={self.steps}", f"--learning_rate={self.learning_rate}"),
            f"--export={output}",
        ]
        return "\n".join(shlex.join(["tfvfi", *words]) for words in (make, train))

    def arguments(self, inputs: Sequence[str], folder: Path, output: Path) -> dict[str, Any]:
        """What the task is called with."""
        return {"inputs": list(inputs), "folder": str(folder), "output": str(output), **vars(self)}
