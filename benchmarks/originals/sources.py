"""Clones the authors' repositories, which this repository does not contain."""

import subprocess
from pathlib import Path

from originals.catalog import GITHUB, Original
from tfvfi.errors import InputError


def fetch(original: Original, folder: Path) -> Path:
    """Returns the clone of a repository in `folder`, which is made if it is missing.

    A clone without a tag that lies there already saves downloading the tag.
    """
    clone = folder / original.folder
    if not original.repository or clone.is_dir():
        return clone
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / original.repository.rpartition("/")[2]
    source = str(whole.resolve()) if whole.is_dir() else f"{GITHUB}{original.repository}"
    print(f"cloning {source} (licence: {original.licence}) to {clone}", flush=True)
    branch = ["--branch", original.ref] if original.ref else []
    made = _git("clone", "--quiet", *branch, source, str(clone))
    if made.returncode:
        raise InputError(
            f"git cannot clone {source}: {made.stderr.strip().splitlines()[-1]}; clone it to "
            f"{clone} yourself"
        )
    return clone


def commit(clone: Path) -> str:
    """Returns the commit of a clone, or nothing if it has none."""
    return _git("-C", str(clone), "rev-parse", "--short=12", "HEAD").stdout.strip()


def _git(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["git", "-c", "advice.detachedHead=false", *arguments], capture_output=True, text=True
    )
