"""The fleet of `newcomer.py`: pushes a model to one station, and takes it back.

python benchmarks/conductor.py '{"folder": …, "newcomers": […], "seconds": 3}'
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # this folder has a sync.py of its own

STATION = "bench/line/station"
AFTER_S = 2.5
"""So long after a switch its children are still ended and started."""

GIVE_UP_S = 90.0


def conduct(folder: str, newcomers: list[str], seconds: float) -> None:
    """Push, install, shadow, canary, switch and roll back, each for about so many seconds."""
    from inference.bundle import load
    from tests.simulators.pushing import pushing

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Path(folder).mkdir()
    made = [load(Path(one)) for one in newcomers]
    with pushing(Path(folder), STATION) as pusher:
        for one in made:
            pusher.file(one)
        print(pusher.broker.url, pusher.root, flush=True)
        Conductor(pusher, made, seconds).all()


class Conductor:
    """Says what comes next, and waits until the station tells that it is so."""

    def __init__(self, pusher: Any, made: list[Any], seconds: float) -> None:
        self._pusher, self._made, self._seconds = pusher, made, seconds

    def all(self) -> None:
        """Every phase, one after the other."""
        from sync.assignment import Limits

        limits = Limits(min_parts=1, max_latency_ratio=1000.0)
        *others, newcomer = self._made
        orders = {"limits": limits, "not_trained_on_yours": True}
        self._until(lambda said: said["running"] is not None)
        self._rest(self._seconds)
        self._push(others[0], newcomer)
        for one in (*others, newcomer):
            self._pusher.say(one, strategy="shadow", **orders)
            self._until(lambda said, one=one: self._at(said, one, "shadow", calibrated=True))
        self._rest(self._seconds)
        self._pusher.say(newcomer, strategy="canary", steps=(50.0,), promote=False, **orders)
        self._until(lambda said: self._at(said, newcomer, "canary"))
        self._rest(self._seconds)
        self._pusher.say(newcomer, strategy="blue-green", **orders)
        self._until(lambda said: said["running"]["bundle"] == newcomer.digest)
        self._rest(self._seconds / 2)
        self._pusher.say(newcomer, action="rollback")
        self._until(lambda said: said["running"]["bundle"] != newcomer.digest)
        self._rest(AFTER_S)

    def _push(self, *files: Any) -> None:
        """Files of 5 MB without their last piece, one after the other."""
        end, turn, pusher = time.monotonic() + self._seconds, 0, self._pusher
        while time.monotonic() < end:
            one = files[turn % len(files)]
            turn += 1
            last, before = len(pusher.file(one).pieces) - 1, len(pusher.fleet.pieces)
            pusher.withheld = last
            pusher.say(one, strategy="shadow")
            while len(pusher.fleet.pieces) - before < last:
                pusher.step()
        pusher.withheld = None

    def _rest(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._pusher.step()

    def _until(self, condition: Any) -> None:
        end, said = time.monotonic() + GIVE_UP_S, None
        while time.monotonic() < end:
            said = self._pusher.fleet.states.get(STATION)
            if said is not None and condition(json.loads(said)):
                return
            self._pusher.step()
        raise SystemExit(f"waited {GIVE_UP_S:.0f} s; the station says {said!r}")

    @staticmethod
    def _at(said: Any, one: Any, state: str, calibrated: bool = False) -> bool:
        candidate = said["candidate"] or {}
        last = said["last"] or {}
        if last.get("bundle") == one.digest and last.get("code") not in (None, "superseded"):
            raise SystemExit(f"{one.version} ended: {last}")
        there = candidate.get("bundle") == one.digest and candidate.get("state") == state
        return there and (not calibrated or candidate.get("calibration") is not None)


if __name__ == "__main__":
    conduct(**json.loads(sys.argv[1]))
