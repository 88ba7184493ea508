"""Trains a network step by step: every line of input triggers one step, which prints its seconds.

The work is given as JSON. Ours is a step of `fit`; PyTorch's is the usual loop.
"""

import importlib
import importlib.metadata
import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from originals.catalog import ORIGINALS
from tfvfi import machine
from tfvfi.benchmark.engines import OWN
from tfvfi.training.settings import Settings, complete

# The largest number of characters of an error message that are passed on.
LONGEST = 200
RATE = 1e-4


@dataclass(frozen=True)
class Work:
    """What one process trains.

    Attributes:
        engine: "tfvfi", or one of `ENGINES`.
        network: The name of our network.
        clone: The authors' repository.
        batch_size: Examples of a step.
        side: The side of the crops.
        threads: The number of threads.
    """

    engine: str
    network: str
    clone: str
    batch_size: int
    side: int
    threads: int

    def batch(self) -> dict[str, np.ndarray]:
        """Returns a batch of noise, the same for every engine."""
        random, shape = np.random.default_rng(0), (self.batch_size, self.side, self.side)
        batch = {
            name: random.random((*shape, 3), "float32") for name in ("frame0", "frame1", "target")
        }
        batch["flow"] = random.normal(size=(*shape, 4)).astype("float32")
        batch["time"] = np.full(self.batch_size, 0.5, "float32")
        return batch

    def settings(self) -> Settings:
        """Returns the optimizer and its options that the network's authors use."""
        from tfvfi import registry

        asked = Settings(self.network, "", "", learning_rate=RATE, ema=0.0)
        return complete(asked, registry.preset(self.network), examples=1000, patch=self.side)


def ours(work: Work) -> Callable[[], float]:
    """Returns a step of Keras's `fit`, which returns the loss."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(work.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    from tfvfi import registry
    from tfvfi.models import objectives
    from tfvfi.training import optimizers
    from tfvfi.training.tensorflow_step import TensorFlowTrainer

    name = OBJECTIVES.get(work.network, "l1")
    objective = objectives.find(registry.preset(work.network), name)
    trainer = TensorFlowTrainer(registry.build(work.network), objectives.build(objective, {}))
    batch = work.batch()
    shapes = {name: array.shape for name, array in batch.items()}
    trainer.prepare(optimizers.build(work.settings()), shapes)
    trainer.make_train_function()
    batches = iter(tf.data.Dataset.from_tensors(batch).repeat())
    return lambda: float(trainer.train_function(batches)["loss"])


def theirs(work: Work) -> Callable[[], float]:
    """Returns a step of the usual PyTorch loop, which returns the loss."""
    import torch

    from originals import tensors

    torch.set_num_threads(work.threads)
    torch.manual_seed(0)
    batch = work.batch()
    builder = importlib.import_module(f"originals.{ORIGINALS[work.network].builder}")
    pair = [batch["frame0"], batch["frame1"]]
    subject = builder.build(Path(work.clone), work.network, pair)
    # The authors' scripts may switch gradients off when they are imported.
    torch.set_grad_enabled(True)
    loss = LOSSES.get(OBJECTIVES.get(work.network, ""), mean_difference)
    network, inputs = subject.network, [*subject.inputs[:2], *map(tensors.first, [batch["target"]])]
    inputs.append(tensors.first(batch["flow"]))
    if work.engine == "channels_last":
        network = network.to(memory_format=torch.channels_last)
        inputs = [each.to(memory_format=torch.channels_last) for each in inputs]
    time_of = torch.full((work.batch_size, 1, 1, 1), 0.5) if len(subject.inputs) == 3 else None
    function = loss(network)
    if work.engine == "compile":
        function = torch.compile(function)
    optimizer = _optimizer(network, work.settings())

    def step() -> float:
        optimizer.zero_grad()
        total = function(*inputs, time_of)
        total.backward()
        optimizer.step()
        return total.item()

    return step


def mean_difference(network: Any) -> Callable[..., Any]:
    """Returns the mean absolute difference of the frame as a function of a batch."""

    def loss(frame0: Any, frame1: Any, target: Any, flow: Any, time_of: Any) -> Any:
        moment = () if time_of is None else (time_of,)
        return (network(frame0, frame1, *moment) - target).abs().mean()

    return loss


def of_ifrnet(network: Any) -> Callable[..., Any]:
    """Returns the sum of the authors' losses as a function of a batch."""

    def loss(frame0: Any, frame1: Any, target: Any, flow: Any, time_of: Any) -> Any:
        _, *losses = network.model(frame0, frame1, time_of, target, flow)
        return sum(losses)

    return loss


# Our objectives whose losses the authors' repositories contain; the others train with "l1".
OBJECTIVES = {"ifrnet_s": "ifrnet", "ifrnet": "ifrnet", "ifrnet_l": "ifrnet"}
LOSSES: Mapping[str, Callable[[Any], Callable[..., Any]]] = {"ifrnet": of_ifrnet}
ENGINES = ("eager", "channels_last", "compile")


def _optimizer(network: Any, settings: Settings) -> Any:
    """Returns PyTorch's optimizer for our settings."""
    import torch

    kinds = {"adam": "Adam", "adamw": "AdamW", "adamax": "Adamax", "sgd": "SGD"}
    options = dict(settings.optimizer_options)
    betas = {"betas": (options.pop("beta_1"), options.pop("beta_2"))} if "beta_1" in options else {}
    kind = getattr(torch.optim, kinds[settings.optimizer])
    return kind(network.parameters(), lr=settings.learning_rate, **betas, **options)


def main(work_as_json: str) -> None:
    """Performs a step for every line of input."""
    # Output of libraries must not mix with the answers, so it goes to stderr.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(**values: Any) -> None:
        print(json.dumps(values), file=answers, flush=True)

    work = Work(**json.loads(work_as_json))
    try:
        step = ours(work) if work.engine == OWN else theirs(work)
        for _ in sys.stdin:
            machine.watch_memory()
            began = time.perf_counter()
            loss = step()
            seconds = time.perf_counter() - began
            answer(seconds=seconds, loss=loss, peak_mib=machine.memory_mib("VmHWM"))
    except Exception as error:
        plain = re.sub(r"\s+", " ", re.sub(r"\x1b\[[0-9;]*m", "", str(error))).strip()
        answer(refused=f"{type(error).__name__}: {plain.partition('. ')[0][:LONGEST]}")
    answers.close()
    # Some libraries crash when Python takes them down.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
