from pathlib import Path

import pytest

from edge.store import usage
from tests.edge.workers.retaining import MUCH, Station


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made: list[Station] = []
    monkeypatch.setattr(usage, "disk", lambda folder: MUCH)

    def make(**limits: object) -> Station:
        made.append(Station(tmp_path, **limits))
        return made[0]

    yield make
    for one in made:
        one.storing.close()
        one.journal.close()
