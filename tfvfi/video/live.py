"""Interpolates frames while they arrive: from a webcam, an address, a pipe, or your own code."""

import re
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from tfvfi import registry
from tfvfi.errors import ArgumentError, InputError
from tfvfi.media.colors import Converter
from tfvfi.media.source import open_source
from tfvfi.video.contract import FrameInterpolator
from tfvfi.video.pipeline import interpolate_frames
from tfvfi.video.treatment import AUTO, HOLD

ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def stream(
    source: int | str | Path | Iterable[np.ndarray],
    model: str | registry.ModelSpec | FrameInterpolator | None = None,
    factor: int = 2,
    *,
    quality: str | None = None,
    weights: str | Path | None = "default",
    options: Mapping[str, Any] | None = None,
    scene_cuts: str = HOLD,
    tile: str | int = AUTO,
    delay: int | None = None,
) -> Iterator[np.ndarray]:
    """Yields the frames of a source and the frames between them while they arrive.

    A frame is yielded as soon as the next one arrives, so the delay is one frame of the source plus
    the time that the network takes. If the network is slower than a live source, the oldest waiting
    frames are dropped, so that the delay does not grow.

    Args:
        source: The number of a webcam; an address such as "rtsp://..."; a video file or animation;
            "-" for y4m on standard input; or frames, H x W x 3, uint8, uint16 or float in [0, 1].
        model: The name of a network, its `ModelSpec`, or a loaded network.
        factor: The number of output frames per source frame.
        quality: "fast", "balanced" (the default) or "best", in place of a model.
        weights: A `.weights.h5` file for a model given by name.
        options: Arguments of a model given by name.
        scene_cuts: At a cut, "hold" the frame before it, "fade" across it, or "mix" the frames as
            if there were no cut.
        tile: "auto", "off", or the side in pixels of the tiles into which frames are cut.
        delay: The largest number of waiting frames; older ones are dropped. With 0 no frame is
            dropped. The default is 2 for webcams and addresses, and 0 for everything else.

    Yields:
        The frames in order, of the same type as those of the source.

    Raises:
        InputError: The source cannot be read.

    Example:
        >>> import numpy as np, tfvfi
        >>> camera = (np.full((48, 64, 3), level, "uint8") for level in (0, 8, 16))
        >>> [int(frame.mean()) for frame in tfvfi.stream(camera, factor=2)]
        [0, 4, 8, 12, 16]
    """
    chosen = registry.chosen(model, quality, weights, options)
    is_address = isinstance(source, str) and ADDRESS.match(source) is not None
    if delay is None:
        delay = 2 if isinstance(source, int) or is_address else 0
    if delay < 0:
        raise ArgumentError(f"`delay` is a number of frames from 0 on; received {delay}")
    if isinstance(source, int):
        frames = _webcam(source)
    elif is_address:
        frames = _address(str(source))
    elif isinstance(source, str | Path):
        frames = (shown.image for shown in open_source([source]))
    else:
        frames = iter(source)
    if delay:
        frames = newest(frames, delay)
    try:
        yield from interpolate_frames(frames, chosen, factor, scene_cuts, tile)
    finally:
        if hasattr(frames, "close"):
            frames.close()


def newest(frames: Iterator[np.ndarray], at_most: int) -> Iterator[np.ndarray]:
    """Yields the newest frames, which a thread reads; the oldest waiting frames are dropped.

    Args:
        frames: The frames of a live source.
        at_most: The largest number of waiting frames.
    """
    waiting: deque[np.ndarray] = deque(maxlen=at_most)
    changed, ended, failed = threading.Condition(), threading.Event(), []

    def take() -> None:
        try:
            for frame in frames:
                with changed:
                    waiting.append(frame)
                    changed.notify()
                if ended.is_set():
                    break
        except Exception as error:
            failed.append(error)
        finally:
            if hasattr(frames, "close"):
                frames.close()
            ended.set()
            with changed:
                changed.notify()

    threading.Thread(target=take, daemon=True).start()
    try:
        while True:
            with changed:
                changed.wait_for(lambda: waiting or ended.is_set())
                if not waiting:
                    break
                frame = waiting.popleft()
            yield frame
        if failed:
            raise failed[0]
    finally:
        ended.set()


def _webcam(number: int) -> Iterator[np.ndarray]:
    """Yields the frames of a camera of this machine."""
    camera = cv2.VideoCapture(number)
    try:
        if not camera.isOpened():
            raise InputError(f"there is no camera {number}, or another program uses it")
        while True:
            seen, frame = camera.read()
            if not seen:
                return
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    finally:
        camera.release()


def _address(address: str) -> Iterator[np.ndarray]:
    """Yields the frames that a server sends."""
    try:
        with av.open(address) as container:
            if not container.streams.video:
                raise InputError(f"{address} has no video stream")
            converter = Converter()
            for frame in container.decode(video=0):
                yield converter.array(frame, deep=False, alpha=False)
    except (av.FFmpegError, OSError) as error:
        raise InputError(f"{address} cannot be read: {error.strerror}") from None
