"""Draws the four splatting modes side by side: figure 3 of Niklaus and Liu (CVPR 2020).

Where several pixels arrive, "sum" adds them, "average" averages them, "linear" weights them by how
well each matches the other frame, and "softmax" lets the best match dominate. Where none arrives,
the result is black. Without --input, the frames show a scene cut from the sample clip, with known
flow.

    python examples/splatting_modes.py --output=modes.png
    python examples/splatting_modes.py --input=a.png --input=b.png --flow=dis --output=modes.png
"""

from pathlib import Path

import numpy as np
from absl import flags

from tfvfi import startup
from tfvfi.cli import command
from tfvfi.errors import InputError

FLAGS = flags.FlagValues()
flags.DEFINE_multi_string("input", [], "two frames, in order", flag_values=FLAGS)
flags.DEFINE_string("flow", "dis", "what estimates their flow", flag_values=FLAGS)
flags.DEFINE_string("flow_weights", "default", "its .weights.h5 file", flag_values=FLAGS)
flags.DEFINE_float("time", 0.5, "where between the frames", 0, 1, flag_values=FLAGS)
flags.DEFINE_string("output", None, "the picture", flag_values=FLAGS, required=True)

CLIP = Path(__file__).parent.parent / "samples" / "clip.mp4"
# Motion of the scene's background and foreground, in pixels.
BACKGROUND, FOREGROUND = (-24.0, 4.0), (44.0, -14.0)
MARGIN, CAPTION = 8, 34


def main() -> None:
    """Splats the first frame in all modes and draws the results side by side."""
    startup.import_keras()
    import cv2

    if len(FLAGS.input) not in (0, 2):
        raise InputError(f"--input is given twice, or not at all; received {len(FLAGS.input)}")
    first, second, flow = estimated(*FLAGS.input) if FLAGS.input else scene()
    gap = difference(first, second, flow)
    shown = {
        "first frame": first,
        "second frame": second,
        "flow": colored(flow),
        "difference along the flow": np.repeat(gap, 3, axis=-1) / max(gap.max(), 1e-3),
    }
    shown |= {mode: splatted(first, flow, gap, mode) for mode in ("sum", "average")}
    shown |= {mode: splatted(first, flow, gap, mode) for mode in ("linear", "softmax")}
    if not cv2.imwrite(FLAGS.output, pasted(shown)[..., ::-1]):
        raise InputError(f"{FLAGS.output} cannot be written")


def splatted(frame: np.ndarray, flow: np.ndarray, gap: np.ndarray, mode: str) -> np.ndarray:
    """Splats the frame to the requested time, with the example metric of the authors."""
    from tfvfi.ops import softmax_splat

    metric = {"linear": np.clip(0.3 - gap, 0.001, 1), "softmax": np.clip(-20 * gap, -20, 20)}
    weight = metric[mode][None] if mode in metric else None
    # "zero" divides by the weights however small they are; "add" would darken the worst match.
    moved = softmax_splat(frame[None], FLAGS.time * flow[None], weight, mode, normalizer="zero")
    return np.clip(np.asarray(moved)[0], 0, 1)


def difference(first: np.ndarray, second: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Returns how much each pixel differs from its match in the other frame, H x W x 1."""
    from tfvfi.ops import backward_warp

    warped = np.asarray(backward_warp(second[None], flow[None]))[0]
    return np.abs(first - warped).mean(axis=-1, keepdims=True)


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Moves the sample clip's bee over thorns; returns both frames and the flow between."""
    import av
    import cv2

    from tfvfi.data.procedural import Motion, Plane, Scene

    with av.open(str(CLIP)) as clip:
        image = next(clip.decode(video=0)).to_ndarray(format="rgb24").astype("float32")
    side = image.shape[0]
    thorns = cv2.resize(image[140:, 420:], (side, side), interpolation=cv2.INTER_CUBIC)
    bee = np.ascontiguousarray(image[:, 130 : 130 + side])
    cover = np.zeros((side, side), np.uint8)
    cv2.ellipse(cover, (170, 135), (125, 78), 20, 0, 360, 255, -1, cv2.LINE_AA)
    moving = Scene(
        (
            Plane(thorns, None, (Motion(shift=BACKGROUND),)),
            Plane(bee, cover.astype("float32") / 255, (Motion(shift=FOREGROUND),)),
        )
    )
    first, second = (moving.frame(time).astype("float32") / 255 for time in (0.0, 1.0))
    return first, second, moving.flow(0.0, 1.0)


def estimated(*files: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns two frames of the user's and the estimated flow between them."""
    import tfvfi
    from tfvfi.media import pictures

    first, second = (pictures.read(Path(file)) for file in files)
    flow = tfvfi.load(FLAGS.flow, FLAGS.flow_weights).estimate(first, second)
    whole = np.iinfo(first.dtype).max
    return first.astype("float32") / whole, second.astype("float32") / whole, flow


def colored(flow: np.ndarray) -> np.ndarray:
    """Returns the flow as a color picture."""
    from tfvfi.flow.pictures import flow_to_color

    return flow_to_color(flow).astype("float32") / 255


def pasted(pictures: dict[str, np.ndarray]) -> np.ndarray:
    """Arranges pictures in two rows, each with its name below, uint8."""
    import cv2

    framed = []
    for name, picture in pictures.items():
        below = np.full((CAPTION, picture.shape[1], 3), 255, np.uint8)
        cv2.putText(below, name, (0, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 1, cv2.LINE_AA)
        sides = [(MARGIN, 0), (MARGIN, MARGIN), (0, 0)]
        named = np.vstack([np.rint(255 * picture).astype("uint8"), below])
        framed.append(np.pad(named, sides, constant_values=255))
    half = len(framed) // 2
    return np.vstack([np.hstack(framed[:half]), np.hstack(framed[half:])])


if __name__ == "__main__":
    command.run(main, FLAGS)
