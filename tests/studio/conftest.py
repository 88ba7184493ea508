"""What the tests of the studio share."""

import os

import pytest


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    """Tasks that run in the process of the tests leave its priority as it is."""
    if hasattr(os, "setpriority"):
        monkeypatch.setattr(os, "setpriority", lambda *_: None)
