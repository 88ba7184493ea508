"""The commands, each of which parses flags and makes one call into the library.

Each command has a module here. `tfvfi <name with dashes>` runs it once the package is installed,
and `tools/<name>.py` in a checkout. Code that all commands share is in `command` and `running`.
"""

from collections.abc import Sequence
from typing import NoReturn

from tfvfi.cli.running import signals

__all__ = ["main", "run_script"]


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Runs the installed program, `tfvfi <command> --flag=value ...`, and exits.

    Args:
        argv: Program name and arguments; those of the process by default.
    """

    def work(interruption: signals.Interruption) -> int:
        from tfvfi.cli import command

        return command.program(argv, interruption)

    signals.run(work)


def run_script(path: str) -> NoReturn:
    """Runs the command after which a launcher in `tools/` is named, and exits.

    Args:
        path: The `__file__` of the launcher.
    """

    def work(interruption: signals.Interruption) -> int:
        from tfvfi.cli import command

        return command.script(path, interruption)

    signals.run(work)
