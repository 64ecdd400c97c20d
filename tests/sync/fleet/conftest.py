"""Both databases, for the same tests."""

from __future__ import annotations

import pytest

from sync.fleet.database import Database
from tests.sync.fleet.depot import NOON, Depot, bundle


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)],
)
def database_url(request, tmp_path):
    """A fresh, empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/fleet.db"
    return request.getfixturevalue("postgres").create()


@pytest.fixture
def database(database_url):
    opened = Database(database_url)
    yield opened
    opened.close()


class Clock:
    """The wall clock, where a test sets it."""

    now = NOON

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def depot(tmp_path, database, clock):
    depot = Depot(tmp_path / "repository", database, clock)
    depot.add(bundle())
    return depot
