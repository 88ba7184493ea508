"""The commands: flags in, one call into the library, an exit code out. One file each.

`tfvfi <name with dashes>` runs a command once the package is installed, `tools/<name>.py` in a
checkout. What all of them share is in `command` and `running`.
"""

from collections.abc import Sequence
from typing import NoReturn

from tfvfi.cli.running import signals

__all__ = ["main", "run_script"]


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """The installed `tfvfi` program: `tfvfi <command> --flag=value ...`."""

    def work(interruption: signals.Interruption) -> int:
        from tfvfi.cli import command

        return command.program(argv, interruption)

    signals.run(work)


def run_script(path: str) -> NoReturn:
    """Runs the command that a launcher in `tools/` is named after.

    Args:
        path: The launcher's `__file__`.
    """

    def work(interruption: signals.Interruption) -> int:
        from tfvfi.cli import command

        return command.script(path, interruption)

    signals.run(work)
