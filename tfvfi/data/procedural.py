"""Moving scenes rendered from still pictures, with exact flow at any time.

A scene has a background and cut-outs in front of it (blobs, polygons, wires), each a piece of a
picture on a plane of its own. All planes follow one camera, and each cut-out adds its own motion
(translation, rotation, zoom, perspective). Some scenes move at an uneven pace, and some are blurred
by the shutter. The frame at any time, and the position of each visible point at any other time,
are known exactly, unlike the flow labels of real videos.

As a source of samples, scenes are named after the records or the benchmark whose pictures they
use: `procedural:records/sample`.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

# The number of scenes in an epoch.
SCENES = 100_000
# Planes shift by a share of the patch in this range between the first frame and the last.
SMALLEST_STEP, LARGEST_STEP = 0.004, 0.2
DEGREES, LOG_ZOOM, PERSPECTIVE = 8.0, 0.08, 0.04
CUT_OUTS = 5
# The most uneven pace is p(t) = t + UNEVEN * t (1 - t); the shutter is open for at most SHUTTER of
# the window, which is averaged over INSTANTS.
UNEVEN, SHUTTER, INSTANTS = 0.15, 0.2, 5
SHARE_UNEVEN, SHARE_BLURRED = 0.3, 0.3
LIGHT = 0.05


@dataclass(frozen=True)
class Motion:
    """The motion of a plane: a homography that is the identity at time 0 and follows the pace.

    Attributes:
        shift: The translation from time 0 to time 1, in pixels to the right and down.
        angle: The rotation in degrees, counter-clockwise.
        zoom: The logarithm of the enlargement.
        tilt: The change of scale from one side of the patch to the other, along x and y.
        uneven: How uneven the pace is, see `pace`.
    """

    shift: tuple[float, float] = (0.0, 0.0)
    angle: float = 0.0
    zoom: float = 0.0
    tilt: tuple[float, float] = (0.0, 0.0)
    uneven: float = 0.0

    def pace(self, time: float) -> float:
        """Returns the share of the motion that is complete: 0 at time 0, 1 at time 1."""
        return time + self.uneven * time * (1 - time)

    def at(self, time: float, size: int) -> np.ndarray:
        """Returns the homography from time 0 to `time`, about the center of a square patch."""
        done = self.pace(time)
        turn = np.deg2rad(self.angle * done)
        scale = np.exp(self.zoom * done)
        cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
        move = np.array(
            [
                [cosine, sine, self.shift[0] * done],
                [-sine, cosine, self.shift[1] * done],
                [self.tilt[0] * done / size, self.tilt[1] * done / size, 1.0],
            ]
        )
        center = np.array([[1, 0, (size - 1) / 2], [0, 1, (size - 1) / 2], [0, 0, 1.0]])
        return center @ move @ np.linalg.inv(center)


@dataclass(frozen=True)
class Plane:
    """A piece of a picture that moves.

    Attributes:
        colors: The piece at time 0: size x size x 3, 0 to 255, float32.
        cover: The opacity, size x size: 0 for transparent, 1 for opaque; None for a background,
            which extends beyond its sides.
        motions: The motions of the plane, that of the camera first.
    """

    colors: np.ndarray
    cover: np.ndarray | None
    motions: tuple[Motion, ...]

    def position(self, time: float) -> np.ndarray:
        """Returns the homography from time 0 to `time`."""
        moves = [motion.at(time, len(self.colors)) for motion in self.motions]
        return functools.reduce(np.matmul, moves)

    def seen(self, time: float) -> tuple[np.ndarray, np.ndarray]:
        """Returns the colors and the opacity at a time."""
        size = self.colors.shape[1::-1]
        move = self.position(time)
        if self.cover is None:
            border = cv2.BORDER_REFLECT_101
            colors = cv2.warpPerspective(
                self.colors, move, size, flags=cv2.INTER_CUBIC, borderMode=border
            )
            return colors, np.ones(size[::-1], np.float32)
        cover = cv2.warpPerspective(self.cover, move, size)
        return cv2.warpPerspective(self.colors, move, size, flags=cv2.INTER_CUBIC), cover


@dataclass(frozen=True)
class Scene:
    """Planes from the farthest to the nearest.

    Attributes:
        planes: The planes, the background first.
        shutter: The exposure of each frame, as a share of the time from the first to the last.
        light: The relative increase of brightness from the first frame to the last.

    Example:
        >>> import numpy as np
        >>> gray = np.full((8, 8, 3), 128, np.float32)
        >>> scene = Scene((Plane(gray, None, (Motion(shift=(4.0, 0.0)),)),))
        >>> scene.flow(0.5, 1.0)[3, 3].tolist()
        [2.0, 0.0]
    """

    planes: tuple[Plane, ...]
    shutter: float = 0.0
    light: float = 0.0

    def frame(self, time: float) -> np.ndarray:
        """Returns the frame at a time: size x size x 3, uint8."""
        reach = np.linspace(-0.5, 0.5, INSTANTS) * self.shutter if self.shutter else (0.0,)
        seen = np.mean([self._instant(time + step) for step in reach], axis=0)
        return np.clip(seen * (1 + self.light * time) + 0.5, 0, 255).astype(np.uint8)

    def flow(self, time: float, other: float) -> np.ndarray:
        """Returns the flow from `time` to `other`: size x size x 2, x then y."""
        side = len(self.planes[0].colors)
        grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).astype(np.float64)
        flow = np.zeros((side, side, 2))
        for plane in self.planes:
            shown = plane.seen(time)[1] > 0.5
            move = plane.position(other) @ np.linalg.inv(plane.position(time))
            flow[shown] = cv2.perspectiveTransform(grid, move)[shown] - grid[shown]
        return flow.astype(np.float32)

    def _instant(self, time: float) -> np.ndarray:
        image = np.zeros_like(self.planes[0].colors)
        for plane in self.planes:
            colors, cover = plane.seen(time)
            image += cover[..., None] * (colors - image)
        return image


def scene(number: int, picture: Callable[[np.random.Generator], np.ndarray]) -> Scene:
    """Returns the scene of a number, which is always the same.

    Args:
        number: The number of the scene.
        picture: Returns a picture that it chooses with the generator: size x size x 3, 0 to 255,
            float32.

    Returns:
        The scene.
    """
    random = np.random.default_rng((SCENES, number))
    background = picture(random)
    size = len(background)
    pace = random.uniform(-UNEVEN, UNEVEN) if random.random() < SHARE_UNEVEN else 0.0
    camera = _motion(size, random, pace)
    planes = [Plane(background, None, (camera,))]
    for _ in range(random.integers(1, CUT_OUTS + 1)):
        cover = SHAPES[random.integers(len(SHAPES))](size, random)
        planes.append(Plane(picture(random), cover, (camera, _motion(size, random, pace))))
    shutter = random.uniform(0, SHUTTER) if random.random() < SHARE_BLURRED else 0.0
    return Scene(tuple(planes), shutter, random.uniform(-LIGHT, LIGHT))


def _motion(size: int, random: np.random.Generator, uneven: float) -> Motion:
    """Returns a random motion; the logarithm of its length is uniformly distributed."""
    step = size * np.exp(random.uniform(np.log(SMALLEST_STEP), np.log(LARGEST_STEP)))
    direction, share = random.uniform(0, 2 * np.pi), step / (size * LARGEST_STEP)
    # Planes that shift little also rotate and zoom little.
    turns = share * random.standard_normal(4) * (random.random(4) < 0.5)
    return Motion(
        shift=(step * np.cos(direction), step * np.sin(direction)),
        angle=DEGREES * turns[0],
        zoom=LOG_ZOOM * turns[1],
        tilt=(PERSPECTIVE * turns[2], PERSPECTIVE * turns[3]),
        uneven=uneven,
    )


def _blob(size: int, random: np.random.Generator) -> np.ndarray:
    """Returns the cover of a blob: the region of an ellipse in which smooth noise is high."""
    noise = random.standard_normal((random.integers(3, 7),) * 2).astype(np.float32)
    hills = cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)
    x, y = np.meshgrid(np.linspace(-1, 1, size), np.linspace(-1, 1, size))
    (left, top), (wide, high) = random.uniform(-0.7, 0.7, 2), random.uniform(0.2, 0.7, 2)
    hills -= 2 * (((x - left) / wide) ** 2 + ((y - top) / high) ** 2 - 0.8)
    # The edge is about one pixel wide, like an edge between two surfaces.
    slope = np.hypot(*np.gradient(hills)) + 1e-6
    return np.clip(hills / slope + 0.5, 0, 1).astype(np.float32)


def _polygon(size: int, random: np.random.Generator) -> np.ndarray:
    """Returns the cover of a star-shaped polygon."""
    corners = random.integers(3, 9)
    angles = np.sort(random.uniform(0, 2 * np.pi, corners))
    reach = size * random.uniform(0.08, 0.4, corners)
    center = random.uniform(0.1, 0.9, (1, 2)) * size
    points = center + reach[:, None] * np.stack((np.cos(angles), np.sin(angles)), -1)
    return _drawn(size, lambda image: cv2.fillPoly(image, [_fine(points)], 255, cv2.LINE_AA, SHIFT))


def _wires(size: int, random: np.random.Generator) -> np.ndarray:
    """Returns the cover of a few thin lines."""

    def draw(image: np.ndarray) -> None:
        for _ in range(random.integers(1, 6)):
            ends = _fine(random.uniform(-0.2, 1.2, (2, 2)) * size)
            thickness = int(random.integers(1, max(2, size // 24)))
            cv2.line(image, ends[0], ends[1], 255, thickness, cv2.LINE_AA, SHIFT)

    return _drawn(size, draw)


SHAPES = (_blob, _polygon, _wires)
# OpenCV draws with a precision of 1/16 pixel.
SHIFT = 4


def _fine(points: np.ndarray) -> np.ndarray:
    return np.rint(points * 2**SHIFT).astype(np.int32)


def _drawn(size: int, draw: Callable[[np.ndarray], None]) -> np.ndarray:
    image = np.zeros((size, size), np.uint8)
    draw(image)
    return image.astype(np.float32) / 255
