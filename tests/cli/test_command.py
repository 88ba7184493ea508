"""Every command: `--help` at once, wrong flags 2, a user's mistake 1 and one sentence."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from absl import flags

from tfvfi.cli import command
from tfvfi.errors import InputError

ROOT = Path(__file__).parents[2]
TOOLS = sorted(path for path in (ROOT / "tools").glob("*.py") if path.name != "demo.py")
HEAVY = ("tensorflow", "keras", "cv2", "av", "tensorflow_datasets")


def python(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda path: path.stem)
def test_help_answers_at_once(tool):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = python(str(tool), "--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Time of the processor, which does not depend on what else the machine does.
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert done.returncode == 0, done.stderr
    assert "Usage:" in done.stdout
    assert seconds < 0.5, f"--help took {seconds:.2f} s"


@pytest.mark.parametrize("tool", TOOLS, ids=lambda path: path.stem)
def test_wrong_flag_exits_2_in_one_line(tool):
    done = python(str(tool), "--no_such_flag=1")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "no_such_flag" in done.stderr


def test_import_costs_nothing():
    check = f"import sys, tfvfi; print([name for name in {HEAVY} if name in sys.modules])"
    assert python("-c", check).stdout.strip() == "[]"


def test_list_models_needs_no_backend():
    check = (
        "import sys, tfvfi; tfvfi.list_models();"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    assert python("-c", check).stdout.strip() == "[]"


def test_program_lists_commands_and_refuses_others():
    listed = python("-c", "from tfvfi.cli import main; main(['tfvfi', '--help'])")
    assert listed.returncode == 0 and "interpolate" in listed.stdout
    unknown = python("-c", "from tfvfi.cli import main; main(['tfvfi', 'nonsense'])")
    assert unknown.returncode == 2
    assert unknown.stderr.count("\n") == 1 and "nonsense" in unknown.stderr


def values() -> flags.FlagValues:
    defined = flags.FlagValues()
    flags.DEFINE_integer("factor", 2, "how many times", lower_bound=1, flag_values=defined)
    return defined


def test_mistake_exits_1_with_its_sentence(capsys):
    def fail():
        raise InputError("there is no file clip.mp4")

    assert command.exit_code(fail, values(), ["tool"]) == 1
    assert capsys.readouterr().err == "tfvfi: there is no file clip.mp4\n"


@pytest.mark.parametrize("argument", ["--factor=none", "--factor=0", "stray", "--factr=2"])
def test_wrong_flags_exit_2(capsys, argument):
    assert command.exit_code(lambda: None, values(), ["tool", argument]) == 2
    assert capsys.readouterr().err.startswith("tfvfi: ")


def test_interrupt_exits_130(capsys):
    def interrupted():
        raise KeyboardInterrupt

    assert command.exit_code(interrupted, values(), ["tool"]) == 130
    assert "interrupted" in capsys.readouterr().err
