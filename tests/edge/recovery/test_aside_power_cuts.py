"""The power is cut while a damaged database is set aside, while the new one is made, while records
are saved: nothing that was reported is missing, and what a person has set is not forgotten."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from edge.recovery import aside, salvage
from edge.recovery.history import History
from tests.conftest import SOAK
from tests.edge.store import damaged
from tests.edge.store.builders import sure
from tests.edge.store.processes import ROOT
from tests.faults.powercut import Disk, moments, write_tree
from tests.faults.preload import Faults
from tests.faults.quick import scratch

CUTS = 1000 if SOAK else 150


@pytest.mark.slow
def test_setting_aside_is_whole_or_goes_on_at_the_next_start(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    faults = Faults(tmp_path / "faults", top, record=True)
    command = [sys.executable, "-m", "tests.edge.store.damager", str(top / "state" / "line.db")]
    subprocess.run(command, cwd=ROOT, env=faults.environment, check=True, stdout=subprocess.PIPE)
    disk, events, said, taken, moved = Disk(top), faults.events(), b"", 0, set[int]()
    with scratch(tmp_path) as folder:
        for number, place in enumerate(moments(events, CUTS, Random(2))):
            for event in events[taken:place]:
                disk.take(event)
                said += event.data if event.op == "M" else b""
            taken, target = place, folder / str(number)
            write_tree(disk.after_power_cut(number), target)
            moved.add(_check(target / "state", said.decode().split("\n")[:-1]))
            shutil.rmtree(target)
    assert moved == {0, 1, 2, 3}


def _check(state: Path, said: list[str]) -> int:
    """Start on what is left, save what was set aside; how many databases that were."""
    promised = [line for line in said if line.startswith("{")]
    path = state / "line.db"
    if not promised and not state.exists():
        return 0
    journal = damaged.begin(path)
    if "set" in said:
        assert journal.state("automation.degree") == "partial"
        assert journal.seen("0" * 36)
    assert len(journal.open_escalations()) == 1 or not promised
    journal.append(sure(1))
    journal.close()
    assert not [*state.glob("damaged/*/mov*.json"), *state.glob("*.new*")]
    cases = aside.cases(state)
    for case in cases:
        if not case.salvaged:
            salvage.salvage(case, state)
    with History(path) as history:
        there = {
            row.body.decode()
            for archive in (history, *history.earlier)
            for row in archive.rows(0, 1 << 20, 1 << 30)
        }
    assert set(promised) <= there
    ids = [json.loads(body)["id"] for body in there if body]
    assert len(ids) == len(set(ids)), "nothing was written twice"
    return len(cases)
