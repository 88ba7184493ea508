"""The commands: flags in, one call into the library, an exit code out. One file each."""

from tfvfi.cli.command import main, run_script

__all__ = ["main", "run_script"]
