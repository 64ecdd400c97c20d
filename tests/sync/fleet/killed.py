"""Ends a push with SIGKILL at one step after the other, and looks at what is left.

A step is a statement to the database, a commit, or a file that is written. Run as a program with an
empty folder and a stride; prints as JSON for each step whether the push had happened by then. Its
processes are copies of itself, so that only the first one imports anything.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa

from edge import ordering
from sync import durable
from sync.fleet.database import Database
from sync.fleet.order import Order
from sync.fleet.orders import Orders
from sync.fleet.repository import Repository
from sync.fleet.rollout_tables import members, rollouts
from sync.trust import Trust
from tests.simulators.signer import assignment_of
from tests.sync.fleet.ceremonies import STATION, push_body
from tests.sync.fleet.depot import bundle

FIRST, SECOND = bundle(40_000, 1), bundle(40_000, 2)


def prepare(place: Path) -> Order:
    """A repository with one push behind it; the order of a second."""
    repository = Repository.create(place / "repo")
    url = f"sqlite:///{place}/fleet.db"
    ordering.begin(repository.folder.path, url)
    with ordering.office(repository.folder.path, url) as opened:
        body = push_body(FIRST, rollout="r1") | opened.listing(FIRST.as_file())
        opened.give(ordering.new_order("push", "ann", body), FIRST.data)
        body = push_body(SECOND, rollout="r2") | opened.listing(SECOND.as_file())
        return ordering.new_order("push", "ann", body)


def die_at(step: int) -> None:
    """End this process before the step of this number."""
    left = [step]

    def count(*_: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    sa.event.listen(sa.Engine, "commit", count)
    real = os.fsync

    def fsync(handle: int) -> None:
        count()
        real(handle)

    durable.os.fsync = fsync  # type: ignore[attr-defined]


def push(place: Path, order: Order) -> None:
    with ordering.office(place / "repo", f"sqlite:///{place}/fleet.db") as opened:
        opened.give(order, SECOND.data)


def killed(place: Path, order: Order, step: int) -> bool:
    """Whether the push was ended at this step, and did not come to its end before it."""
    child = os.fork()
    if not child:
        die_at(step)
        push(place, order)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.waitstatus_to_exitcode(status) == 0, status
    return False


def look(place: Path, order: Order) -> str:
    """Everything works, and the push is there as a whole or not at all; then give it again."""
    database = Database(f"sqlite:///{place}/fleet.db")
    repository = Repository(place / "repo")
    with database.transaction() as connection:
        there = connection.execute(sa.select(rollouts).where(rollouts.c.id == "r2")).first()
        own = sa.select(members).where(members.c.rollout == "r2")
        assert bool(there) == bool(connection.execute(own).first())
        word = assignment_of(STATION, 1, FIRST.as_file(), at=repository.wall())
        repository.assign(connection, {STATION: word})
        accept(place, repository.pack(connection, STATION))
        again = Orders(repository, {sha256(SECOND.data).hexdigest(): SECOND.data}.__getitem__)
        if there is not None:
            assert again.apply(connection, order)["rollout"] == "r2"
    if there is None:
        push(place, order)
    with database.transaction() as connection:
        word = assignment_of(STATION, 2, SECOND.as_file(), at=repository.wall())
        repository.assign(connection, {STATION: word})
        accept(place, repository.pack(connection, STATION))
        count = sa.select(sa.func.count()).select_from(rollouts)
        assert connection.execute(count).scalar() == 2
    database.close()
    return "after" if there is not None else "before"


def accept(place: Path, pack: bytes | None) -> None:
    """A station takes it."""
    assert pack is not None
    repository = Repository(place / "repo")
    root = place / "repo" / "root" / "1.root.json"
    trust = Trust(place / "trust", root, STATION, now=repository.wall, clock_synced=lambda: True)
    trust.accept(pack)


def main(folder: Path, stride: int) -> None:
    """Every `stride`-th step."""
    order = prepare(folder / "first")
    ends: dict[int, str] = {}
    step = 0
    while True:
        place = folder / str(step)
        shutil.copytree(folder / "first", place)
        went_on = killed(place, order, step)
        ends[step] = look(place, order)
        shutil.rmtree(place)
        if not went_on:
            break
        step += stride
    print(json.dumps(ends))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
