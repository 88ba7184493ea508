"""How every command starts and ends: flags in, exit code out.

A command is a module beside this one with a docstring, its own `FLAGS` and a `main()`:

    FLAGS = flags.FlagValues()
    flags.DEFINE_string("model", "ifrnet_s", "which network", flag_values=FLAGS)

    def main() -> None:
        ...

`tfvfi <name with dashes>` runs it once the package is installed, `tools/<name>.py` in a checkout.

Flags are not absl's global ones, so that many commands can live in one process.
"""

import importlib
import os
import pkgutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from absl import flags

from tfvfi.errors import InputError

DONE, FAILED, WRONG_FLAGS, INTERRUPTED = 0, 1, 2, 130


def run(
    main: Callable[[], None], values: flags.FlagValues, argv: Sequence[str] | None = None
) -> NoReturn:
    """Parses the flags, runs `main` and leaves the process with 0 (done), 1 (failed) or 2 (flags).

    Args:
        main: The work; a mistake of the user's raises `InputError`.
        values: The command's own flags.
        argv: Program name and arguments; the process's own by default.
    """
    # TensorFlow's notes about its own start, a missing GPU among them, are not the user's concern.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Nor are OpenCV's on every picture of a kind that it reads all the same.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
    sys.exit(exit_code(main, values, list(sys.argv if argv is None else argv)))


def exit_code(main: Callable[[], None], values: flags.FlagValues, argv: list[str]) -> int:
    """Runs a command and returns its exit code."""
    if any(argument in ("--help", "-h", "-help") for argument in argv[1:]):
        print(help_text(sys.modules[main.__module__], values, argv[0]))
        return DONE
    try:
        positional = values(argv)[1:]
        if positional:
            raise flags.Error(
                f"unexpected argument '{positional[0]}'; flags look like --name=value"
            )
    except flags.Error as error:
        return _complain(f"{error} (--help lists the flags)", WRONG_FLAGS)
    try:
        main()
    except InputError as error:
        return _complain(str(error), FAILED)
    except flags.Error as error:
        return _complain(str(error), WRONG_FLAGS)
    except KeyboardInterrupt:
        return _complain("interrupted; nothing half-written was left", INTERRUPTED)
    return DONE


def help_text(module: ModuleType, values: flags.FlagValues, program: str) -> str:
    """What `--help` prints: the command's docstring and its flags."""
    about = (module.__doc__ or "").strip()
    return f"{about}\n\nUsage: {program} --flag=value ...\n\nFlags:\n{values.get_help()}"


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """The installed `tfvfi` program: `tfvfi <command> --flag=value ...`."""
    argv = list(sys.argv if argv is None else argv)
    commands = command_names()
    if len(argv) < 2 or argv[1] in ("--help", "-h", "help"):
        print("\n".join(["Usage: tfvfi <command> --flag=value ...", "", "Commands:", *commands]))
        print("\n`tfvfi <command> --help` tells the flags of one.")
        sys.exit(DONE if len(argv) > 1 else WRONG_FLAGS)
    if argv[1] == "--version":
        from tfvfi import __version__

        print(f"tfvfi {__version__}")
        sys.exit(DONE)
    if argv[1] not in commands:
        known = ", ".join(commands)
        sys.exit(_complain(f"'{argv[1]}' is no command of tfvfi; there are: {known}", WRONG_FLAGS))
    module = _module(argv[1])
    run(module.main, module.FLAGS, [f"tfvfi {argv[1]}", *argv[2:]])


def run_script(path: str) -> NoReturn:
    """Runs the command that a launcher in `tools/` is named after.

    Args:
        path: The launcher's `__file__`.
    """
    module = _module(Path(path).stem)
    run(module.main, module.FLAGS)


def command_names() -> list[str]:
    """Names of the commands, as typed after `tfvfi`."""
    folder = str(Path(__file__).parent)
    found = {module.name for module in pkgutil.iter_modules([folder])} - {Path(__file__).stem}
    return sorted(name.replace("_", "-") for name in found)


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"tfvfi.cli.{name.replace('-', '_')}")


def _complain(sentence: str, code: int) -> int:
    print(f"tfvfi: {sentence}", file=sys.stderr)
    return code
