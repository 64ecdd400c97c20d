"""Assignments that were decided are signed: as many as records can wait for, and each roll-out's by
themselves where not all can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from sync.assignment import Assignment, BundleFile
from sync.fleet import shelf
from sync.fleet.database import DatabaseError
from sync.fleet.knowing import Known, Newest
from sync.fleet.rollout import Decision, Order

MOST_ORDERS = 100
"""Stations that are assigned in one transaction: records must not wait long for it."""
AGAIN_S = 30.0
"""A roll-out whose assignments could not be signed is left out for so long."""


class Signer(Protocol):
    """The repository, as far as a turn needs it: see `sync/fleet/repository.py`."""

    def open(self, connection: Connection) -> object:
        """Begin the documents where the database has none yet."""

    def assign(self, connection: Connection, words: Mapping[str, Assignment]) -> None:
        """Sign these and store them as the newest of their stations."""

    def renew(self, connection: Connection) -> bool:
        """Sign anew what expires soon; whether anything was."""


class NoBundle(Exception):
    """A roll-out of a bundle that the database does not hold."""

    mend = "push it again"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a roll-out does not go on, and what a person can do."""

    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Given:
    """What was signed: by station the roll-out and the serial. With `more` some wait for the next
    turn."""

    by_station: Mapping[str, tuple[str, int]]
    more: bool


@dataclass(frozen=True, slots=True)
class _Wish:
    known: Known
    order: Order


class Giving:
    """`faults` are those of roll-outs that cannot go on, by id; they hold up no other. `text` gives
    a time as it is stored."""

    def __init__(self, signer: Signer, text: Callable[[float], str]) -> None:
        self.faults: dict[str, Fault] = {}
        self._signer = signer
        self._text = text
        self._again_at: dict[str, float] = {}

    def fault(self, rollout: str, error: Exception, now: float) -> None:
        """This roll-out cannot go on now."""
        mend = str(getattr(error, "mend", "please report it, with the lines before"))
        self.faults[rollout] = Fault(f"{rollout} does not go on: {error}", mend)
        self._again_at[rollout] = now + AGAIN_S

    def begin(self, known: Sequence[Known], now: float) -> None:
        """Forget the faults that are to be looked at again, or are of what has ended."""
        ids = {one.rollout.id for one in known}
        for rollout, at in list(self._again_at.items()):
            if rollout not in ids or not now < at <= now + AGAIN_S:
                self.faults.pop(rollout, None)
                del self._again_at[rollout]

    def give(
        self,
        connection: Connection,
        known: Sequence[Known],
        decided: Sequence[Decision],
        told: Mapping[str, Newest],
        now: float,
    ) -> Given:
        """Sign what was decided. Of two roll-outs that want a station the newer one has it.

        Raises what is the database's fault; then nothing counts.
        """
        wishes: dict[str, _Wish] = {}
        for one, decision in zip(reversed(known), reversed(decided), strict=True):
            for order in decision.orders:
                if one.rollout.id not in self.faults:
                    wishes.setdefault(order.station, _Wish(one, order))
        # what stops a candidate goes before what begins one
        ranked = sorted(wishes, key=lambda name: (wishes[name].order.action == "run", name))
        chosen = {station: wishes[station] for station in ranked[:MOST_ORDERS]}
        made = self._made(connection, chosen, told, now)
        signed = self._signed(connection, made, now)
        return Given(
            {station: (word.rollout, word.serial) for station, word in signed.items()},
            len(ranked) > MOST_ORDERS,
        )

    def _made(
        self,
        connection: Connection,
        chosen: Mapping[str, _Wish],
        told: Mapping[str, Newest],
        now: float,
    ) -> dict[str, Assignment]:
        made: dict[str, Assignment] = {}
        files: dict[str, BundleFile | None] = {}
        for station, wish in chosen.items():
            rollout = wish.known.rollout
            if rollout.digest not in files:
                files[rollout.digest] = shelf.read(connection, rollout.digest)
            file = files[rollout.digest]
            if file is None:
                what = f"the bundle {rollout.digest} is not in the database"
                self.fault(rollout.id, NoBundle(what), now)
                continue
            before = told[station].serial if station in told else 0
            serial = max(before + 1, int(now))  # also after a database was restored
            made[station] = _assignment(wish, file, serial, self._text(now))
        return made

    def _signed(
        self, connection: Connection, made: dict[str, Assignment], now: float
    ) -> dict[str, Assignment]:
        """All of them; where that cannot be, those of each roll-out that can."""
        if not made or self._try(connection, made) is None:
            return made
        signed: dict[str, Assignment] = {}
        for rollout in sorted({word.rollout for word in made.values()}):
            own = {station: word for station, word in made.items() if word.rollout == rollout}
            error = self._try(connection, own)
            if error is None:
                signed.update(own)
            else:
                self.fault(rollout, error, now)
        return signed

    def _try(self, connection: Connection, words: Mapping[str, Assignment]) -> Exception | None:
        try:
            with connection.begin_nested():
                self._signer.assign(connection, words)
        except (DBAPIError, DatabaseError, OSError):
            raise
        except Exception as error:  # one that nobody would take must not end the turn of others
            return error
        return None


def _assignment(wish: _Wish, file: BundleFile, serial: int, at: str) -> Assignment:
    plan, order = wish.known.rollout.plan, wish.order
    return Assignment(
        station=order.station,
        serial=serial,
        rollout=wish.known.rollout.id,
        issued_at=at,
        by=wish.known.by,
        action=order.action,
        bundle=file,
        strategy=plan.strategy,
        steps=plan.steps,
        promote=plan.promote,
        again=order.again,
        not_trained_on_yours=plan.not_trained_on_yours,
        limits=plan.limits,
    )
