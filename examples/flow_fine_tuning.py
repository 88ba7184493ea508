"""Fine-tunes a flow network on a sequence without true flow, and measures the gain.

Of three consecutive frames, the outer two are the input and the middle one is the truth, as in the
sequences of vineeths96/Video-Interpolation-using-Deep-Optical-Flow (its folders input/corridor and
input/sphere). The network is trained in two ways: by photometric error and smoothness, which need
no truth of any kind; and through the frames that flow_interpolation renders with it. As in that
project, the result is measured on the training frames, in 8 bits.

    python examples/flow_fine_tuning.py --frames=corridor/ --scale=0.25 --output=out/corridor
    python examples/flow_fine_tuning.py --frames=sphere/ --output=out/sphere

Published weights (--flow_weights) are the best start; by default the start is random. Large motion
is learned faster on small frames, and --scale estimates flow at that size.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from tfvfi.cli import command

FLAGS = flags.FlagValues()
flags.DEFINE_string("frames", None, "folder of frames", flag_values=FLAGS)
flags.DEFINE_string("output", None, "folder for everything", flag_values=FLAGS)
flags.DEFINE_string("flow", "flownet2_s", "which flow network", flag_values=FLAGS)
flags.DEFINE_string("flow_weights", None, "weights to start from", flag_values=FLAGS)
flags.DEFINE_float("scale", 1.0, "size at which flow is estimated", 0.01, 1.0, flag_values=FLAGS)
flags.DEFINE_integer("steps", 500, "steps of each way", 1, flag_values=FLAGS)
flags.DEFINE_float("learning_rate", 3e-4, "less for published weights", flag_values=FLAGS)
flags.mark_flags_as_required(["frames", "output"], flag_values=FLAGS)

# PSNR and SSIM of the frames that the project published, measured on their blue channel.
PUBLISHED = {"corridor": ("18.20", "0.666"), "sphere": ("52.66", "0.997")}
CAPTION = 24


def main() -> None:
    """Measures the network, fine-tunes it in both ways, and measures again."""
    from tfvfi import startup
    from tfvfi.evaluation.tables import aligned

    startup.import_keras()
    output = Path(FLAGS.output)
    output.mkdir(parents=True, exist_ok=True)
    start = FLAGS.flow_weights or fresh(output / "fresh.weights.h5")
    reduced = reduce(output / "reduced") if FLAGS.scale != 1 else FLAGS.frames
    tuned = {
        "photometric": train(output / "photometric", start, reduced, model=FLAGS.flow),
        "l1": train(output / "l1", start, reduced, model="flow_interpolation", flow=FLAGS.flow),
    }
    painted = {"average of the two": [average(*pair) for pair, _ in samples()]}
    for scale in dict.fromkeys((1.0, FLAGS.scale)):
        painted[f"dis, scale {scale:g}"] = interpolated(flow="dis", scale=scale)
    painted |= {
        f"{FLAGS.flow}, start": learned(start),
        f"{FLAGS.flow}, tuned by its own error": learned(tuned["photometric"]),
        f"{FLAGS.flow}, tuned through frames": learned(tuned["l1"]),
    }
    truths = [truth for _, truth in samples()]
    rows = [["", "PSNR", "SSIM", "PSNR blue", "SSIM blue"]]
    rows += [[name, *scores(frames, truths)] for name, frames in painted.items()]
    published = PUBLISHED.get(Path(FLAGS.frames).name)
    if published:
        rows.append(["as the project published", "", "", *published])
    print(aligned(rows))
    show(painted | {"truth": truths}, output / "middle.png")


def samples() -> Iterator[tuple[tuple[np.ndarray, np.ndarray], np.ndarray]]:
    """Yields pairs of frames with the frame between them."""
    from tfvfi.data import datasets as benchmarks

    for sample in benchmarks.open("frames", FLAGS.frames):
        yield (sample.frame0.read(), sample.frame1.read()), sample.targets[0].read()


def reduce(folder: Path) -> Path:
    """Writes the frames at the size at which flow is estimated."""
    import cv2

    from tfvfi.media import pictures

    folder.mkdir(exist_ok=True)
    for path in pictures.in_folder(Path(FLAGS.frames)):
        image = pictures.read(path)
        size = [round(side * FLAGS.scale) for side in image.shape[1::-1]]
        smaller = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(folder / f"{path.stem}.png"), smaller[..., ::-1])
    return folder


def fresh(path: Path) -> Path:
    """Writes random weights, which are the same in every run."""
    import keras

    import tfvfi
    from tfvfi import weights

    keras.utils.set_random_seed(0)
    weights.save(tfvfi.load(FLAGS.flow, weights=None), path)
    return path


def train(output: Path, start: str | Path, frames: str | Path, **model: str) -> Path:
    """Returns fine-tuned weights; the folder is named after the objective."""
    from tfvfi.training.session import train
    from tfvfi.training.settings import Settings

    tuned = output.with_suffix(".weights.h5")
    settings = Settings(
        **model,
        records=f"frames:{frames}",
        output=str(output),
        objective=output.name,
        weights=str(start),
        steps=FLAGS.steps,
        learning_rate=FLAGS.learning_rate,
        batch_size=1,
        augmentation=(("crop", 1.0), ("reverse_time", 0.5)),
        ema=0,
        interval=max(1, FLAGS.steps // 4),
        pictures=0,
        export=str(tuned),
    )
    train(settings)
    return tuned


def average(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns the average of two frames, in which any motion is blurred."""
    return np.rint((first.astype(float) + second) / 2).astype(first.dtype)


def learned(weights: str | Path) -> list[np.ndarray]:
    """Returns the intermediate frames, rendered with the flow network."""
    return interpolated(flow=FLAGS.flow, flow_weights=str(weights), scale=FLAGS.scale)


def interpolated(**options: Any) -> list[np.ndarray]:
    """Returns the intermediate frames, rendered by flow_interpolation."""
    import tfvfi

    model = tfvfi.load("flow_interpolation", **options)
    return [model.interpolate(*pair)[0] for pair, _ in samples()]


def scores(frames: list[np.ndarray], truths: list[np.ndarray]) -> list[str]:
    """Returns mean PSNR and SSIM, for all colors and for blue."""
    from tfvfi.evaluation import measures as metrics

    found = []
    for colors in ([0, 1, 2], [2, 2, 2]):
        pairs = [
            (frame[..., colors], truth[..., colors])
            for frame, truth in zip(frames, truths, strict=True)
        ]
        psnr, ssim = np.mean([(metrics.psnr(*p), metrics.ssim(*p)) for p in pairs], axis=0)
        found += [f"{psnr:.2f}", f"{ssim:.3f}"]
    return found


def show(painted: dict[str, list[np.ndarray]], path: Path) -> None:
    """Draws all renderings of the sequence's middle frame side by side."""
    import cv2

    shown = []
    for name, frames in painted.items():
        frame = frames[len(frames) // 2]
        caption = np.full((CAPTION, frame.shape[1], 3), 255, np.uint8)
        cv2.putText(caption, name, (2, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1)
        shown.append(np.vstack([frame[..., ::-1], caption]))
    cv2.imwrite(str(path), np.hstack(shown))


if __name__ == "__main__":
    command.run(main, FLAGS)
