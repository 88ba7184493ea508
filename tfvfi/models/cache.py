"""Where downloaded weights are kept, once converted, for every later load."""

import os
from pathlib import Path

from tfvfi.models.preset import Download, Preset
from tfvfi.weights import SUFFIX


def cache_folder() -> Path:
    """The folder that TFVFI_CACHE_DIR names, or else the user's own cache of this package.

    Compiled operations are kept there too, see `tfvfi.ops.native.build`.
    """
    chosen = os.environ.get("TFVFI_CACHE_DIR")
    standard = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(chosen) if chosen else Path(standard) / "tfvfi"


def weights_folder() -> Path:
    """The folder in the cache that holds weights."""
    return cache_folder() / "weights"


def cached_path(known: Preset) -> Path | None:
    """Where the downloaded weights of a preset are kept; None where nothing can be downloaded."""
    download = downloadable(known)
    if download is None:
        return None
    # The hash makes sure that a preset with other weights never finds these.
    return weights_folder() / f"{known.name}-{download.member_sha256[:12]}{SUFFIX}"


def downloadable(known: Preset) -> Download | None:
    """The download that gives a preset its default weights, if a package carries them."""
    return next((each.download for each in known.checkpoints if each.download), None)


def state_of_weights(known: Preset) -> str:
    """How the default weights of a preset are had, as `tfvfi.list_models` shows it.

    Returns:
        "none needed", "bundled", "cached" (downloaded before), "downloadable", "to convert" (from
        a published file), or "to train".
    """
    if not known.has_weights:
        return "none needed"
    if known.bundled is not None:
        return "bundled"
    path = cached_path(known)
    if path is not None:
        return "cached" if path.is_file() else "downloadable"
    return "to convert" if known.checkpoints else "to train"
