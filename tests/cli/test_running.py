"""Commands that are interrupted, or fail in a way that nobody foresaw."""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from absl import flags

from tests import signals
from tfvfi.cli import command
from tfvfi.cli.running import reports
from tfvfi.cli.running.messages import with_flags
from tfvfi.errors import ArgumentError, InputError

ROOT = Path(__file__).parents[2]
# A command that leaves a file aside while it works and removes it whatever happens.
SLOW = """
import sys, time
from pathlib import Path
from absl import flags
from tfvfi.cli import command

def main():
    aside = Path(sys.argv[1])
    try:
        aside.touch()
        {work}
    finally:
        {cleaning}
        aside.unlink()

command.run(main, flags.FlagValues(), ["slow"])
"""


def started(aside, work="time.sleep(60)", cleaning="pass"):
    """A process of `SLOW` that is at work."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW.format(work=work, cleaning=cleaning), str(aside)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=signals.heard,
    )
    while not aside.exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    return process


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_signals_end_a_command_tidily(name, code, tmp_path):
    process = started(tmp_path / "aside")
    process.send_signal(getattr(signal, name))
    assert process.wait(10) == code
    assert process.stderr.read() == "tfvfi: interrupted; nothing half-written was left\n"
    assert not (tmp_path / "aside").exists()


def test_a_signal_that_arrives_twice_at_once_counts_once(tmp_path):
    process = started(tmp_path / "aside", cleaning="time.sleep(0.3)")
    process.send_signal(signal.SIGTERM)
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 143
    assert not (tmp_path / "aside").exists()


def test_a_second_signal_ends_it_at_once(tmp_path):
    process = started(tmp_path / "aside", cleaning="time.sleep(60)")
    process.send_signal(signal.SIGINT)
    time.sleep(0.8)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 130


def test_a_thread_that_goes_on_does_not_hold_up_the_end(tmp_path):
    work = (
        "import threading; threading.Thread(target=time.sleep, args=(60,)).start(); time.sleep(60)"
    )
    process = started(tmp_path / "aside", work)
    start = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 143
    assert time.monotonic() - start < 5


def test_an_interruption_that_turns_into_another_error_is_still_one(tmp_path):
    work = "\n".join(
        [
            "try:",
            "            time.sleep(60)",
            "        except BaseException:",
            "            raise ImportError('half-imported')",
        ]
    )
    process = started(tmp_path / "aside", work)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 143
    assert process.stderr.read().count("\n") == 1


def test_a_signal_during_imports_leaves_one_line():
    process = subprocess.Popen(
        [sys.executable, "tools/evaluate.py", "--dataset=none", "--data_dir=x", "--report=x"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    # TensorFlow is being imported once its package shows up among the mapped files.
    maps = Path(f"/proc/{process.pid}/maps")
    while process.poll() is None and "tensorflow" not in maps.read_text():
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 143
    assert process.stderr.read() == "tfvfi: interrupted; nothing half-written was left\n"


def values() -> flags.FlagValues:
    defined = flags.FlagValues()
    flags.DEFINE_string("output", None, "a file", flag_values=defined)
    flags.DEFINE_bool("overwrite", False, "replace it", flag_values=defined)
    return defined


def failing(error):
    def main():
        raise error

    return main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_an_unforeseen_error_becomes_one_sentence_and_a_report(folder, capsys):
    assert command.exit_code(failing(KeyError("a bug")), values(), ["tool", "--output=x y"]) == 1
    said = capsys.readouterr().err
    (report,) = folder.glob("tfvfi-report-*.txt")
    assert said.startswith("tfvfi: something unexpected went wrong (KeyError)")
    assert str(report) in said and said.count("\n") == 1 and "Traceback" not in said
    written = report.read_text()
    assert "KeyError: 'a bug'" in written and "tool '--output=x y'" in written
    assert "package   keras" in written


def test_a_report_that_cannot_be_saved_is_no_second_error(folder, capsys, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(reports, "save", full)
    assert command.exit_code(failing(KeyError("a bug")), values(), ["tool"]) == 1
    assert "no report of it could be saved" in capsys.readouterr().err


def test_debugging_shows_the_trace(folder, capsys, monkeypatch):
    monkeypatch.setenv("TFVFI_DEBUG", "1")
    assert command.exit_code(failing(KeyError("a bug")), values(), ["tool"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (InputError("there is no file clip.mp4"), 1, "there is no file clip.mp4"),
        (ArgumentError("`output` is a file"), 2, "--output is a file"),
        (MemoryError(), 1, "there is not enough memory; try smaller frames, tiles or batches"),
        (PermissionError(13, "Permission denied", "a.mp4"), 1, "a.mp4 cannot be used: Permission"),
    ],
)
def test_errors_of_the_user_and_the_machine(folder, capsys, error, code, said):
    assert command.exit_code(failing(error), values(), ["tool"]) == code
    assert capsys.readouterr().err.startswith(f"tfvfi: {said}")
    assert not list(folder.iterdir())


def test_arguments_become_flags():
    names = ["output", "overwrite", "tile"]
    message = "`output`, `overwrite=True`, `overwrite=False`, `tile=512`, `other`, `model.fit`"
    shown = "--output, --overwrite, --nooverwrite, --tile=512, `other`, `model.fit`"
    assert with_flags(message, names) == shown


def test_messages_of_the_library_are_lines_of_the_command(capsys):
    def main():
        logging.getLogger("tfvfi.media").warning("pass `overwrite=True`: %d", 3)

    assert command.exit_code(main, values(), ["tool"]) == 0
    assert capsys.readouterr().err == "tfvfi: pass --overwrite: 3\n"
    assert not logging.getLogger("tfvfi").handlers


def test_a_reader_that_leaves_early_causes_no_trace():
    done = subprocess.run(
        f"{sys.executable} tools/train.py --help | head -1",
        shell=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stderr == "" and done.stdout.startswith("Trains")
