"""Puts trained weights into the package: 16 bits a number, with what their file tells.

python recipes/bundle.py out/3_longer.weights.h5 tfvfi/bundled/ifrnet_s.weights.h5
"""

import sys
from pathlib import Path

from tfvfi import registry, startup, weights

ABOUT = {
    "origin": "trained by recipes/ifrnet_s.sh",
    "trained_on": "procedural scenes of the pictures that tfvfi/bundled/sources.md lists",
    "licence": "Apache-2.0",
}
# Of a training only what does not tell where things lay.
KEPT = ("options", "metrics", "git")


def main(trained: Path, bundled: Path) -> None:
    """Writes the file."""
    startup.import_keras()
    about = weights.describe(trained)
    network = registry.load(about["model"], trained)
    told = {key: about[key] for key in KEPT}
    weights.save(network, bundled, half=True, **ABOUT, **told)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
