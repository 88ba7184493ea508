"""Commands in the process of the tests, which imported TensorFlow once for all."""

from types import ModuleType

from tfvfi.cli import command


def run(module: ModuleType, *arguments: str) -> int:
    """The exit code of a command; its flags know nothing of calls before, and nothing afterwards.

    Args:
        module: The command, for instance `tfvfi.cli.evaluate`.
        *arguments: What follows its name on the command line.
    """
    _forget(module)
    try:
        return command.exit_code(module.main, module.FLAGS, [module.__name__, *arguments])
    finally:
        _forget(module)


def _forget(module: ModuleType) -> None:
    module.FLAGS.unparse_flags()
    for flag in module.FLAGS:
        module.FLAGS[flag].unparse()
