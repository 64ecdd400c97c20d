"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.simulators.postgres import Postgres, running_postgres

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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests; each makes a database of its own, and may kill and start it."""
    with running_postgres(durable=False) as server:
        yield server
