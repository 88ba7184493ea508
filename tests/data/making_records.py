"""Small records made from small videos, in this process or by the command."""

import hashlib
import subprocess
import sys
from pathlib import Path

from tfvfi.data import clip_parts, making
from tfvfi.data.clip_parts import Taking

ROOT = Path(__file__).parents[2]
SMALL = Taking(patch_size=64)


def here(tasks):
    """Makes parts in this process, the last one first."""
    for number in reversed(range(len(tasks))):
        yield number, clip_parts.make(*tasks[number])


def create(videos, output, taking=SMALL):
    return making.create(str(videos), str(output), taking, runner=here)


def checksums(folder: Path) -> dict[str, str]:
    """Of every file of the folder."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
    }


def command(videos, output, *flags) -> list[str]:
    """A call of the command, for small patches."""
    given = [f"--videos={videos}", f"--output={output}", "--patch_size=64", *flags]
    return [sys.executable, str(ROOT / "tools" / "create_records.py"), *given]


def call(*arguments) -> subprocess.CompletedProcess:
    done = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=120)
    assert "Traceback" not in done.stderr, done.stderr
    return done
