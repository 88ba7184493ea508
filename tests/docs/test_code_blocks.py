"""Every code block of the README and of the guides runs as it is written.

Blocks of a page run in order, in one folder with the files that the pages name. A block that cannot
run in a test says why in a comment before it: `<!-- not run: needs Docker -->`.
"""

import importlib
import re
import shlex
import shutil
from fractions import Fraction
from pathlib import Path

import cv2
import pytest

from tests.data.small_videos import scene
from tests.video.clips import write
from tfvfi.cli import command, main

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(
    r"(?P<skip><!-- not run: [^\n]+ -->\s*)?^(?P<indent> *)```(?P<language>\w+)[^\n]*\n"
    r"(?P<code>.*?)^(?P=indent)```$",
    re.DOTALL | re.MULTILINE,
)
# What a newcomer follows first; the other pages run in `make test-all`.
FIRST = ("README.md",)
PAGES = sorted(
    str(path.relative_to(ROOT))
    for folder in (ROOT / "docs", ROOT / "docs" / "guides", ROOT / "docs" / "models")
    for path in folder.glob("*.md")
)


def blocks(page: str) -> list[tuple[str, str]]:
    """The language and the code of every block that is meant to run."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        (found["language"], re.sub(rf"^{found['indent']}", "", found["code"], flags=re.MULTILINE))
        for found in BLOCK.finditer(text)
        if not found["skip"] and found["language"] in ("python", "shell")
    ]


def cases() -> list:
    """One test for each page that has something to run."""
    pages = dict.fromkeys((*FIRST, *PAGES))
    return [
        pytest.param(page, marks=() if page in FIRST else pytest.mark.slow, id=page)
        for page in pages
        if blocks(page)
    ]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """A folder with everything that the pages name."""
    folder = tmp_path_factory.mktemp("pages")
    moving = scene(6, step=2, size=(64, 96))
    write(folder / "in.mp4", moving, codec="libx264", pixel_format="yuv420p", beep_at=Fraction(0))
    write(folder / "drawn.mkv", [frame for frame in moving for _ in range(2)])
    for name, frame in (("first", moving[0]), ("second", moving[1])):
        cv2.imwrite(str(folder / f"{name}.png"), frame[..., ::-1])
    for part in ("frames", "videos", "records"):
        (folder / part).mkdir()
    for number, frame in enumerate(moving[:3]):
        cv2.imwrite(str(folder / "frames" / f"{number:04d}.png"), frame[..., ::-1])
    for name in ("one", "two"):
        shutil.copy(folder / "in.mp4", folder / "videos" / f"{name}.mp4")
    (folder / "records" / "sample").symlink_to(ROOT / "records" / "sample")
    shutil.copy(ROOT / "tfvfi" / "bundled" / "ifrnet_s.weights.h5", folder)
    return folder


@pytest.mark.parametrize("page", cases())
def test_code_blocks_run(page, files, tmp_path, monkeypatch):
    place = tmp_path / "here"
    shutil.copytree(files, place, symlinks=True)
    monkeypatch.chdir(place)
    names: dict = {}
    for language, code in blocks(page):
        if language == "python":
            exec(compile(code, f"{page}", "exec"), names)
        else:
            run_commands(code)


def run_commands(code: str) -> None:
    """Runs the lines of a shell block, all of which are commands of tfvfi."""
    for line in code.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        assert words[0] == "tfvfi", f"only commands of tfvfi can run here: {line}"
        forget_flags(words[1])
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 0, line


def forget_flags(name: str) -> None:
    """A repeatable flag would otherwise add to what the line before gave."""
    if name in command.command_names():
        values = importlib.import_module(f"tfvfi.cli.{name.replace('-', '_')}").FLAGS
        for flag in values:
            values[flag].unparse()


def test_blocks_are_found():
    """The pattern sees blocks inside tabs, and leaves out what says that it cannot run."""
    assert len(blocks("README.md")) >= 3
    assert not any("docker" in code for _, code in blocks("docs/guides/serving.md"))
