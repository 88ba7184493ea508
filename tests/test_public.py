"""The public names: what `import tfvfi` offers, and what type checkers see of it."""

import importlib
from pathlib import Path

import pytest

import tfvfi


def test_every_public_name_is_written_out_once():
    lazy = {"__version__", *tfvfi._HOMES, *tfvfi._MODULES}
    assert sorted(tfvfi.__all__) == tfvfi.__all__ == dir(tfvfi)
    assert set(tfvfi.__all__) == lazy


@pytest.mark.parametrize("name", tfvfi.__all__)
def test_every_public_name_is_there(name):
    assert getattr(tfvfi, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = tfvfi.nonsense


def test_type_checkers_find_the_marker():
    package = Path(importlib.import_module("tfvfi").__file__).parent
    assert (package / "py.typed").is_file()
