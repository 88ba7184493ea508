"""Rules of the house that no tool checks."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "tfvfi"
LONGEST = 400
SOURCES = sorted(
    path for name in ("tfvfi", "tests", "tools") for path in (ROOT / name).rglob("*.py")
)


def test_files_are_short():
    long = {str(path): lines for path in SOURCES if (lines := _lines(path)) > LONGEST}
    assert not long


def _lines(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


@pytest.mark.parametrize(
    "path",
    [path for path in SOURCES if path.is_relative_to(PACKAGE) and "cli" not in path.parts],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_the_library_names_arguments_and_not_flags(path):
    """Messages of errors and logs: commands turn `argument` into --argument."""
    messages = [
        constant.value
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and _called(call) in MESSAGES
        for constant in ast.walk(call)
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    ]
    found = [text for text in messages if " --" in f" {text}" and "pip install" not in text]
    # The flags of other programs, and whole command lines.
    assert not [text for text in found if not text.lstrip().startswith(ALLOWED)]


MESSAGES = {"InputError", "ArgumentError", "warning", "info", "debug"}
ALLOWED = ("--grpc", "smaller frames, or raise its limit (--grpc", "--model=")


def _called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
