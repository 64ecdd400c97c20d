"""Power cuts while a bundle is installed and pictures are pinned: the old ones or the new ones.

A slot may be empty after one (the candidate is then installed anew), never half full; what was said
to be there is there.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

from edge.calibrating.pictures import listing, read_labelled
from edge.rollout import pinned
from edge.rollout.pinned import Pinned
from inference.slots import Slots
from tests.conftest import SOAK
from tests.edge.rollout.places import dataset
from tests.faults.powercut import Disk, moments, write_tree
from tests.faults.preload import Faults
from tests.faults.quick import scratch
from tests.inference.bundles import make

CUTS = 1000 if SOAK else 150
ABOUT = Pinned(Path(), "c1", "view", "2026-11-20T12:00:00Z", "anna")
PROGRAM = """
import sys
from dataclasses import replace
from pathlib import Path
from edge.rollout.pinned import of_folder, pin
from inference.slots import Slots
from tests.appliance.test_power_cuts_of_bundles import ABOUT
top, old, new, before, after = map(Path, sys.argv[1:])
Slots(top / "slots").put(old, "a")
pin(top, of_folder(before), ABOUT, 10**9)
print("begun", flush=True)
Slots(top / "slots").put(new, "a")
print("installed", flush=True)
pin(top, of_folder(after), replace(ABOUT, calibration="c2"), 10**9)
print("pinned", flush=True)
Slots(top / "slots").empty("a")
print("emptied", flush=True)
"""


def test_whatever_is_left_is_whole(tmp_path: Path) -> None:
    top, old, new = tmp_path / "top", make(tmp_path / "1"), make(tmp_path / "2", "float32")
    first, second = dataset(tmp_path / "d1", 3, 3), dataset(tmp_path / "d2", 4, 2)
    top.mkdir()
    disk = Disk(top)
    faults = Faults(tmp_path / "faults", top, record=True)
    command = [sys.executable, "-c", PROGRAM, *map(str, (top, old.root, new.root, first, second))]
    subprocess.run(command, env=faults.environment, stdout=subprocess.PIPE, check=True)
    seen: set[object] = set()
    with scratch(tmp_path) as folder:
        events, taken, said = faults.events(), 0, b""
        for number, place in enumerate(moments(events, CUTS, Random(CUTS))):
            for event in events[taken:place]:
                disk.take(event)
                said += event.data if event.op == "M" else b""
            taken = place
            left = folder / str(number)
            write_tree(disk.after_power_cut(number), left)
            seen.add(installed(left, said, {old.digest, new.digest}))
            seen.add(kept(left, said))
            shutil.rmtree(left)
    assert seen >= {old.digest, new.digest, None, "c1", "c2"}


def installed(top: Path, said: bytes, known: set[str]) -> str | None:
    """The digest of what is in the slot; checked against what had been said."""
    slots = Slots(top / "slots")
    found = slots.read("a")
    digest = None if found is None else found.digest
    assert digest is None or digest in known
    if b"emptied" in said:
        assert digest is None
    elif b"installed" in said and b"pinned" not in said:
        assert digest is not None
    slots.sweep()
    assert {path.name for path in top.glob("slots/*")} <= {"a"}
    return digest


def kept(top: Path, said: bytes) -> str | None:
    """The calibration whose pictures are pinned: all of them, whole."""
    found = pinned.read(top)
    if found is None:
        assert b"begun" not in said, "neither the old pictures nor the new ones"
        return None
    assert found.calibration == "c2" or b"pinned" not in said
    for path in listing(found.folder)[0]:
        about, _ = read_labelled(found.folder, path)
        assert path.stem == about.shot.sha256[:32]
    counts = {"c1": (3, 3), "c2": (4, 2)}
    assert (found.good, found.defect) == counts[found.calibration]
    assert len(listing(found.folder)[0]) == found.good + found.defect
    return found.calibration
