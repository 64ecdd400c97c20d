"""What all tests share."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# How long an example takes says something about the machine, not about the code.
settings.register_profile("edge-inspect", deadline=None, print_blob=True)
settings.load_profile("edge-inspect")

SOAK = bool(os.environ.get("EDGE_INSPECT_SOAK"))
"""Whether this is `make soak`: the same tests, with the numbers of the long version."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What only `make soak` runs is left out otherwise, and says so."""
    if not SOAK:
        for item in items:
            if item.get_closest_marker("soak"):
                item.add_marker(pytest.mark.skip(reason="the long version: make soak"))
