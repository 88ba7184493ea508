"""Draws short clips of cel animation, for measuring how drawings are interpolated.

    python benchmarks/drawings.py --output=out/drawings
    python benchmarks/quality.py --clips=out/drawings --near=3 --far=2 --split=drawn

Real animation that may be committed or measured by anyone is rare, so these clips imitate what
makes it hard: flat areas inside dark outlines, large motion from one drawing to the next, limbs
that swing, a pan over a painted background, and sparks that exist in a few drawings only. Every
frame is a drawing of its own; each clip is a folder of PNG pictures.
"""

import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from absl import flags

from tfvfi.cli import command

FLAGS = flags.FlagValues()
flags.DEFINE_string("output", "out/drawings", "a folder for the clips", flag_values=FLAGS)

HEIGHT, WIDTH, FRAMES = 360, 640, 48
INK, SKIN, HAIR, COAT, BOOT = (
    (35, 30, 45),
    (245, 205, 170),
    (95, 55, 40),
    (200, 60, 70),
    (70, 80, 150),
)
# cv2 takes coordinates in 1/16 pixels, so that slow motion is smooth.
SHIFT = 4

Point = tuple[float, float]


def main() -> None:
    """Writes every clip."""
    for name, draw in CLIPS.items():
        folder = Path(FLAGS.output) / name
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(FRAMES):
            cv2.imwrite(str(folder / f"{number:03}.png"), draw(number)[..., ::-1])


def runner(number: int) -> np.ndarray:
    """Draws a figure that runs in place while limbs swing by a tenth of the width in two frames."""
    frame = background(0)
    figure(frame, (WIDTH / 2, 195), stride=math.sin(0.55 * number), scale=1.15)
    return frame


def passing(number: int) -> np.ndarray:
    """Draws a figure that crosses the picture, a tenth of the width in two frames."""
    frame = background(0)
    left = (32 * number) % (WIDTH + 200) - 100
    figure(frame, (left, 160), stride=math.sin(0.3 * number), scale=1.0)
    return frame


def pan(number: int) -> np.ndarray:
    """Draws a pan over a painted background behind a head that stays and blinks."""
    frame = background(24 * number)
    head(frame, (WIDTH / 2, 210), 90, blink=number % 12 in (5, 6), mouth=math.sin(number))
    return frame


def talking(number: int) -> np.ndarray:
    """Draws a head that nods and talks, with most of the picture at rest."""
    frame = background(0)
    at = (WIDTH / 2 + 6 * math.sin(0.3 * number), 200 + 10 * math.sin(0.6 * number))
    head(frame, at, 110, blink=number % 16 == 7, mouth=math.sin(1.1 * number))
    return frame


def sparks(number: int) -> np.ndarray:
    """Draws sparks that fly off quickly, each of which lives for six drawings."""
    frame = background(0)
    for spark in range(60):
        life, age = divmod(number + spark, 6)
        chance = np.random.default_rng((spark, life))
        angle, speed = chance.uniform(0, 2 * math.pi), chance.uniform(12, 32)
        x, y = (
            WIDTH / 2 + age * speed * math.cos(angle),
            HEIGHT / 2 + age * speed * math.sin(angle),
        )
        disc(frame, (x, y), 9 - age, (255, 225, 120))
    return frame


def background(offset: int) -> np.ndarray:
    """Paints a sky, hills with outlines, and trees; `offset` is the position of the camera."""
    columns = np.arange(WIDTH) + offset
    rows = np.arange(HEIGHT)[:, None]
    frame = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    frame[:] = np.stack([150 + rows / 5, 195 + rows / 9, 235 - rows / 12], -1).astype(np.uint8)
    for height, wave, color in ((210, 0.011, (150, 180, 120)), (270, 0.017, (115, 155, 90))):
        edge = height + 25 * np.sin(wave * columns) + 8 * np.sin(3.1 * wave * columns)
        frame[rows > edge] = color
        frame[np.abs(rows - edge) < 1.5] = INK
    for tree in range(offset // 90 - 1, (offset + WIDTH) // 90 + 2):
        chance = np.random.default_rng(tree + 1000)
        at = (90 * tree + chance.uniform(0, 50) - offset, 285 + chance.uniform(-20, 20))
        limb(frame, at, (at[0], at[1] + 40), 8, (120, 85, 60))
        disc(frame, at, chance.uniform(18, 30), (80, 130, 75))
    return frame


def figure(frame: np.ndarray, hip: Point, stride: float, scale: float) -> None:
    """Draws a figure whose arms and legs swing against each other."""
    x, y = hip
    for side, color in ((-1, (160, 45, 60)), (1, COAT)):
        knee = (x + side * 42 * scale * stride, y + 62 * scale)
        foot = (knee[0] + scale * (side * 30 * stride - 22), knee[1] + 58 * scale)
        limb(frame, (x, y), knee, 15 * scale, BOOT)
        limb(frame, knee, foot, 12 * scale, BOOT)
        hand = (x - side * 62 * scale * stride, y - 45 * scale)
        limb(frame, (x, y - 85 * scale), hand, 11 * scale, color)
        disc(frame, hand, 8 * scale, SKIN)
    limb(frame, (x, y - 10 * scale), (x, y - 80 * scale), 24 * scale, COAT)
    head(frame, (x, y - 125 * scale), 30 * scale, blink=False, mouth=0)


def head(frame: np.ndarray, at: Point, radius: float, blink: bool, mouth: float) -> None:
    """Draws a head with hair, eyes and a mouth."""
    x, y = at
    disc(frame, (x, y - 0.12 * radius), 1.12 * radius, HAIR)
    disc(frame, (x, y + 0.1 * radius), 0.9 * radius, SKIN)
    for side in (-0.35, 0.35):
        eye = (x + side * radius, y + 0.05 * radius)
        if blink:
            limb(frame, (eye[0] - 0.14 * radius, eye[1]), (eye[0] + 0.14 * radius, eye[1]), 1, INK)
        else:
            disc(frame, eye, 0.17 * radius, (250, 250, 250))
            disc(frame, eye, 0.09 * radius, (60, 110, 60))
    disc(frame, (x, y + 0.55 * radius), radius * (0.1 + 0.06 * mouth), (150, 50, 60))


def limb(frame: np.ndarray, start: Point, end: Point, width: float, color: tuple) -> None:
    """Draws a thick line with an outline."""
    ends = [fixed(point) for point in (start, end)]
    for more, ink in ((4, INK), (0, color)):
        cv2.line(frame, *ends, ink, max(1, round(width + more)), cv2.LINE_AA, SHIFT)


def disc(frame: np.ndarray, at: Point, radius: float, color: tuple) -> None:
    """Draws a disc with an outline."""
    for more, ink in ((2, INK), (0, color)):
        cv2.circle(frame, fixed(at), round((radius + more) * 2**SHIFT), ink, -1, cv2.LINE_AA, SHIFT)


def fixed(point: Point) -> tuple[int, int]:
    """Returns a point in the units of cv2."""
    return round(point[0] * 2**SHIFT), round(point[1] * 2**SHIFT)


CLIPS: dict[str, Callable[[int], np.ndarray]] = {
    "runner": runner,
    "passing": passing,
    "pan": pan,
    "talking": talking,
    "sparks": sparks,
}

if __name__ == "__main__":
    command.run(main, FLAGS)
