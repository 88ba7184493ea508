"""Imports Keras without the messages of its backend, and runs actions once it is imported."""

import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType


def after_keras(action: Callable[[], None]) -> None:
    """Runs an action as soon as Keras is imported, which may be immediately."""
    if "keras" in sys.modules:
        action()
    else:
        sys.meta_path.insert(0, _KerasWatch(action))


class _KerasWatch:
    """A module finder that notices the import of Keras and leaves all finding to others."""

    def __init__(self, action: Callable[[], None]):
        self._action = action

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Returns the spec of Keras with a loader that also runs the action, else None."""
        if name != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_act(module: ModuleType) -> None:
                execute(module)
                self._action()

            spec.loader.exec_module = execute_and_act  # type: ignore[method-assign]
        return spec


def import_keras() -> None:
    """Imports Keras and its backend, and shows what they print only if the import fails.

    TensorFlow prints several lines on import, for example about a missing GPU or processor
    features, before any of its own settings can suppress them.
    """
    if "keras" in sys.modules:
        return
    import tempfile

    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            import keras  # noqa: F401
        except Exception:
            said.seek(0)
            os.write(stderr, said.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
