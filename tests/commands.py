"""Commands in the process of the tests, which imported TensorFlow once for all."""

from types import ModuleType

from tfvfi.cli import command


def run(module: ModuleType, *arguments: str) -> int:
    """The exit code of a command; what earlier calls gave its flags is forgotten.

    Args:
        module: The command, for instance `tfvfi.cli.evaluate`.
        *arguments: What follows its name on the command line.
    """
    module.FLAGS.unparse_flags()
    for flag in module.FLAGS:
        module.FLAGS[flag].unparse()
    return command.exit_code(module.main, module.FLAGS, [module.__name__, *arguments])
