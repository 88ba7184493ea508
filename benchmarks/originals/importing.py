"""Imports the authors' modules from a clone, in a process that does nothing else."""

import contextlib
import importlib
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import torch


def load(clone: Path, name: str, unused: tuple[str, ...] = (), on_processor: bool = False) -> Any:
    """Imports a module of a clone.

    Args:
        clone: The folder of the repository.
        name: The module inside it.
        unused: Modules that it imports but that a forward pass does not need. Those that are not
            installed are replaced.
        on_processor: Removes `.cuda()` from the source, so that tensors stay where they are.
    """
    for each in unused:
        try:
            importlib.import_module(each)
        except ImportError:
            sys.modules[each] = MagicMock(name=each)
    sys.path.insert(0, str(clone))
    # Scripts read their flags when they are imported.
    sys.argv = [name]
    if not on_processor:
        return importlib.import_module(name)
    file = clone / f"{name}.py"
    loaded = sys.modules[name] = types.ModuleType(name)
    exec(compile(file.read_text().replace(".cuda()", ""), file, "exec"), vars(loaded))
    return loaded


def package(name: str, folder: Path) -> None:
    """Makes the modules of a folder importable as those of a package, without its `__init__`."""
    module = types.ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module


def module(name: str, **contents: Any) -> None:
    """Puts a module of our own in the place of one of the authors'."""
    made = types.ModuleType(name)
    vars(made).update(contents)
    sys.modules[name] = made


@contextlib.contextmanager
def without_downloads() -> Iterator[None]:
    """Lets networks that download their weights when they are created keep random ones."""
    download, take = torch.hub.load_state_dict_from_url, torch.nn.Module.load_state_dict
    torch.hub.load_state_dict_from_url = lambda *_, **__: {}
    torch.nn.Module.load_state_dict = lambda *_, **__: None
    try:
        yield
    finally:
        torch.hub.load_state_dict_from_url, torch.nn.Module.load_state_dict = download, take
