"""Runs commands: parses their flags and returns their exit codes.

A command is a module beside this one with a docstring, its own `FLAGS` and a `main()`:

    FLAGS = flags.FlagValues()
    flags.DEFINE_string("model", "ifrnet_s", "which network", flag_values=FLAGS)

    def main() -> None:
        ...

Commands do not use absl's global flags, so that many of them can be imported into one process.
"""

import ast
import importlib
import logging
import os
import pkgutil
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from absl import flags

from tfvfi.cli.running import reports, signals
from tfvfi.cli.running.messages import Handler, about_flags, complain, with_flags
from tfvfi.cli.running.signals import Interruption
from tfvfi.errors import ArgumentError, InputError

DONE, FAILED, WRONG_FLAGS = 0, 1, 2


def run(
    main: Callable[[], None], values: flags.FlagValues, argv: Sequence[str] | None = None
) -> NoReturn:
    """Runs a script that is structured like a command, such as those in `benchmarks/`, and exits.

    Args:
        main: The work, which raises `InputError` for mistakes of the user.
        values: The flags of the script.
        argv: Program name and arguments; those of the process by default.
    """
    _prepare_process()
    signals.run(
        lambda interruption: exit_code(
            main, values, sys.argv if argv is None else argv, interruption
        )
    )


def program(argv: Sequence[str] | None, interruption: Interruption) -> int:
    """Runs `tfvfi <command> --flag=value ...` and returns its exit code.

    Args:
        argv: Program name and arguments; those of the process by default.
        interruption: Records whether a signal arrived.
    """
    argv = list(sys.argv if argv is None else argv)
    commands = command_names()
    if len(argv) < 2 or argv[1] in ("--help", "-h", "help"):
        print(overview(commands))
        return DONE if len(argv) > 1 else WRONG_FLAGS
    if argv[1] == "--version":
        from tfvfi import __version__

        print(f"tfvfi {__version__}")
        return DONE
    if argv[1] not in commands:
        complain(f"'{argv[1]}' is no command of tfvfi; the commands are: {', '.join(commands)}")
        return WRONG_FLAGS
    return _run(argv[1], [f"tfvfi {argv[1]}", *argv[2:]], interruption)


def script(path: str, interruption: Interruption) -> int:
    """Runs the command after which a launcher is named, and returns its exit code."""
    return _run(Path(path).stem, sys.argv, interruption)


def exit_code(
    main: Callable[[], None],
    values: flags.FlagValues,
    argv: Sequence[str],
    interruption: Interruption | None = None,
) -> int:
    """Parses the flags, runs a command and returns its exit code.

    Args:
        main: The work, which raises `InputError` for mistakes of the user.
        values: The flags of the command.
        argv: Program name and arguments.
        interruption: Records whether a signal arrived.

    Returns:
        0 on success, 1 on failure, 2 for wrong flags, or 128 plus the number of the signal that
        interrupted the command.
    """
    if any(argument in ("--help", "-h", "-help") for argument in argv[1:]):
        print(help_text(sys.modules[main.__module__], values, argv[0]))
        return DONE
    try:
        positional = values(list(argv))[1:]
    except flags.Error as error:
        complain(about_flags(error, values))
        return WRONG_FLAGS
    if positional:
        complain(
            f"unexpected argument '{positional[0]}'; flags look like --name=value "
            "(--help lists the flags)"
        )
        return WRONG_FLAGS
    interruption = interruption or Interruption()
    handler = Handler(values)
    library = logging.getLogger("tfvfi")
    library.addHandler(handler)
    if reports.debugging():
        library.setLevel(logging.DEBUG)
    try:
        main()
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        return interruption.report()
    except Exception as error:
        if interruption.number is not None:
            return interruption.report()
        if reports.debugging():
            traceback.print_exc()
        complain(with_flags(_sentence(error, argv), values))
        return WRONG_FLAGS if isinstance(error, ArgumentError | flags.Error) else FAILED
    finally:
        library.removeHandler(handler)
    return DONE


def help_text(module: ModuleType, values: flags.FlagValues, program: str) -> str:
    """Returns what `--help` prints, which is the docstring of the command and its flags."""
    about = (module.__doc__ or "").strip()
    # The two flags that absl adds to every program are omitted.
    listed = with_flags(values.get_help().partition("\nabsl.flags:")[0].rstrip(), values)
    return f"{about}\n\nUsage: {program} --flag=value ...\n\nFlags:\n{listed}"


def overview(commands: Sequence[str]) -> str:
    """Returns what `tfvfi --help` prints, which lists every command with a description."""
    width = max(map(len, commands))
    listed = [f"  {name:{width}}  {_about(name)}" for name in commands]
    usage = "Usage: tfvfi <command> --flag=value ..."
    advice = (
        "`tfvfi <command> --help` lists the flags of one; `tfvfi --version` prints the version."
    )
    return "\n".join([usage, "", "Commands:", *listed, "", advice])


def command_names() -> list[str]:
    """Returns the names of the commands, as typed after `tfvfi`."""
    modules = pkgutil.iter_modules([str(Path(__file__).parent)])
    names = {module.name for module in modules if not module.ispkg} - {Path(__file__).stem}
    return sorted(name.replace("_", "-") for name in names)


def _run(name: str, argv: Sequence[str], interruption: Interruption) -> int:
    _prepare_process()
    module = importlib.import_module(f"tfvfi.cli.{name.replace('-', '_')}")
    return exit_code(module.main, module.FLAGS, argv, interruption)


def _prepare_process() -> None:
    # TensorFlow's messages on import, such as a missing GPU, do not concern the user.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Neither do OpenCV's warnings about pictures that it can read.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
    # File names may consist of arbitrary bytes.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _about(name: str) -> str:
    """Returns the first line of a command's docstring without importing the command."""
    text = Path(__file__).with_name(f"{name.replace('-', '_')}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]


def _sentence(error: Exception, argv: Sequence[str]) -> str:
    """Returns the sentence that reports an error to the user."""
    if isinstance(error, InputError | flags.Error):
        return str(error)
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return "there is not enough memory; try smaller frames, tiles or batches"
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename} cannot be used: {error.strerror}"
    return reports.sentence(error, argv)
