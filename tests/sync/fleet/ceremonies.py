"""Persons with keys, orders, and a station that looks at what comes out."""

from __future__ import annotations

import itertools
from hashlib import sha256

from sync.fleet.ceremony import Ceremony
from sync.fleet.folder import Founding
from sync.fleet.keys import Ring
from sync.fleet.order import Order
from sync.fleet.orders import Orders
from sync.fleet.plan import Plan
from sync.fleet.repository import Repository
from sync.trust import Trust
from tests.simulators.signer import assignment_of
from tests.sync.fleet.depot import NOON, bundle

STATION = "plant-a/line-3/caps"
SERVE = ("online", "assignments")
"""The keys at `fleet serve`."""
_NUMBERS = itertools.count(1)


class Plant:
    """A repository, a database, and a clock that is set by hand."""

    def __init__(self, folder, database, **founding):
        self.folder, self.database, self.now = folder, database, NOON
        self.whole = Repository.create(folder / "repo", Founding(**founding), lambda: self.now)
        self.root = folder / "root.json"
        self.root.write_bytes(self.whole.folder.roots()[1])

    def with_keys(self, *names):
        """The repository as somebody sees it who has these keys, and the two online ones."""
        places = [self.whole.folder.keys / f"{name}.pem" for name in (*names, *SERVE)]
        return Repository(self.folder / "repo", Ring(places), lambda: self.now)

    def order(self, kind, body, by="ann"):
        return Order(f"order-{next(_NUMBERS)}", kind, by, body)

    def give(self, order, parcel=None, repository=None):
        """As `fleet serve` applies it: with the online keys only."""
        files = {} if parcel is None else {sha256(parcel.data).hexdigest(): parcel.data}
        orders = Orders(repository or self.with_keys(), files.__getitem__)
        with self.database.transaction() as connection:
            return orders.apply(connection, order)

    def look(self, work, *names):
        """What a ceremony of somebody with these keys says."""
        repository = self.with_keys(*names)
        with self.database.transaction() as connection:
            return work(Ceremony(repository), repository.open(connection))

    def push(self, parcel=None, *names, stations=(STATION,), plan=None, rollout="r1", but=()):
        parcel = parcel or bundle()
        signed = self.look(
            lambda ceremony, roles: ceremony.listing(roles, parcel.as_file()),
            *(names or ("targets-1",)),
        )
        return self.order(
            "push", push_body(parcel, stations, plan, rollout) | signed.as_json() | dict(but)
        )

    def signatures(self, *names):
        return self.look(lambda ceremony, roles: ceremony.signatures(roles), *names)

    def pending(self):
        return self.look(lambda ceremony, roles: ceremony.pending(roles))

    def packed(self, serial, file, station=STATION):
        """The station's pack, with an assignment of this serial."""
        repository = self.with_keys()
        with self.database.transaction() as connection:
            word = assignment_of(station, serial, file, at=self.now)
            repository.assign(connection, {station: word})
            return repository.pack(connection, station)

    def trust(self, name="trust", root=None, station=STATION):
        return Trust(
            self.folder / name, root or self.root, station,
            now=lambda: self.now, clock_synced=lambda: True,
        )  # fmt: skip


def push_body(parcel, stations=(STATION,), plan=None, rollout="r1"):
    """An order to push this, as far as it is not about signatures."""
    return {
        "rollout": rollout,
        "bundle": {
            "name": parcel.name,
            "version": parcel.version,
            "digest": parcel.digest,
            "manifest": parcel.manifest,
            "sha256": sha256(parcel.data).hexdigest(),
        },
        "plan": (plan or Plan(("*/*/*",))).as_text(),
        "stations": list(stations),
        "reason": "better",
    }
