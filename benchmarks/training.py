"""Compares steps per second of IFRNet small with its authors' PyTorch implementation.

    python benchmarks/training.py --reference=IFRNET [--python=PYTHON] [--threads=4]

IFRNET is a checkout of the authors' repository, which this repository does not contain. PYTHON is
an interpreter that has torch, by default this one. Both implementations do the same: batch 8, crop
128, all three losses, AdamW. They alternate step by step in two processes; the medians are
compared.
"""

import os
import statistics
import subprocess
import sys
import time

import numpy as np
from absl import flags
from tqdm import tqdm

from tfvfi import registry, startup
from tfvfi.cli import command
from tfvfi.errors import InputError

FLAGS = flags.FlagValues()
flags.DEFINE_string("reference", None, "folder of the authors' repository", flag_values=FLAGS)
flags.DEFINE_string("python", sys.executable, "an interpreter with torch", flag_values=FLAGS)
flags.DEFINE_integer("rounds", 20, "steps of each", 1, flag_values=FLAGS)
flags.DEFINE_integer("threads", None, "of each; one a core by default", 1, flag_values=FLAGS)
flags.DEFINE_integer("batch_size", 8, "examples of a step", 1, flag_values=FLAGS)
flags.DEFINE_integer("crop_size", 128, "side of the crops", 16, flag_values=FLAGS)
flags.mark_flag_as_required("reference", flag_values=FLAGS)

# Every line of input triggers one step, whose seconds are printed.
REFERENCE = """
import sys, time, types
folder, layout, batch, side = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
sys.path.insert(0, folder)
# What it reads and writes pictures with is not needed.
sys.modules["imageio"] = types.SimpleNamespace(imread=None, imwrite=None)
sys.modules["PIL"] = types.SimpleNamespace(Image=None, ImageFile=types.SimpleNamespace())
import torch
if sys.argv[5:]:
    torch.set_num_threads(int(sys.argv[5]))
from models.IFRNet_S import Model

model = Model()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0)
frames = [torch.rand(batch, 3, side, side) for _ in range(3)]
if layout == "channels_last":
    model = model.to(memory_format=torch.channels_last)
    frames = [frame.to(memory_format=torch.channels_last) for frame in frames]
flow, time_of = torch.randn(batch, 4, side, side), torch.full((batch, 1, 1, 1), 0.5)
for line in sys.stdin:
    began = time.perf_counter()
    optimizer.zero_grad()
    _, *losses = model(frames[0], frames[1], time_of, frames[2], flow)
    loss = sum(losses)
    loss.backward()
    optimizer.step()
    loss.item()
    print(time.perf_counter() - began, flush=True)
"""


def main() -> None:
    """Prints one line per implementation, with the ratio of their speeds."""
    startup.import_keras()
    contestants = {
        "tfvfi": ours(),
        "torch": reference("contiguous"),
        "torch, channels last": reference("channels_last"),
    }
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    # The first steps of each compile and allocate memory.
    for number in tqdm(range(FLAGS.rounds + 2), unit="round", disable=None):
        for name, step in contestants.items():
            seconds = step()
            if number > 1:
                taken[name].append(seconds)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    for name, median in medians.items():
        faster = median / medians["tfvfi"]
        print(f"{name:<22}{1 / median:6.2f} steps/s  tfvfi is {faster:.2f} times as fast")


def ours():
    """Returns a function that performs one step of Keras's `fit` and returns its seconds."""
    import tensorflow as tf

    if FLAGS.threads:
        # Native operations have their own threads.
        os.environ["TFVFI_NUM_THREADS"] = str(FLAGS.threads)
        tf.config.threading.set_intra_op_parallelism_threads(FLAGS.threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    from tfvfi.models.ifrnet.objective import objective
    from tfvfi.training import optimizers
    from tfvfi.training.settings import Settings, complete
    from tfvfi.training.tensorflow_step import TensorFlowTrainer

    preset, side = registry.preset("ifrnet_s"), FLAGS.crop_size
    random, shape = np.random.default_rng(0), (FLAGS.batch_size, side, side)
    batch = {name: random.random((*shape, 3), "float32") for name in ("frame0", "frame1", "target")}
    batch["flow"] = random.normal(size=(*shape, 4)).astype("float32")
    batch["time"] = np.full(FLAGS.batch_size, 0.5, "float32")
    trainer = TensorFlowTrainer(registry.build("ifrnet_s"), objective)
    settings = complete(Settings("ifrnet_s", "", "", ema=0.0), preset, examples=1000, patch=side)
    trainer.prepare(
        optimizers.build(settings), {name: array.shape for name, array in batch.items()}
    )
    trainer.make_train_function()
    batches = iter(tf.data.Dataset.from_tensors(batch).repeat())

    def step() -> float:
        began = time.perf_counter()
        float(trainer.train_function(batches)["loss"])
        return time.perf_counter() - began

    return step


def reference(layout: str):
    """Returns a function that performs a step of the authors' implementation in another process."""
    numbers = [FLAGS.batch_size, FLAGS.crop_size, *([FLAGS.threads] if FLAGS.threads else [])]
    process = subprocess.Popen(
        [FLAGS.python, "-c", REFERENCE, FLAGS.reference, layout, *map(str, numbers)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def step() -> float:
        process.stdin.write("\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            raise InputError(
                f"{FLAGS.python} could not train {FLAGS.reference}; the lines above say why"
            )
        return float(answer)

    return step


if __name__ == "__main__":
    command.run(main, FLAGS)
