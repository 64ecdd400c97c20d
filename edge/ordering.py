"""How a command gives the fleet an order, whether `fleet serve` runs or not.

PostgreSQL, or an SQLite file whose lock is free: the command writes the tables itself. Otherwise it
leaves the order in the repository's folder, where `fleet serve` finds and applies it with the same
code. An order counts once, however often it is given.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from edge.clock import Clock
from edge.collecting import take_lock
from edge.files import write_atomically
from edge.requests import Answer, Desk, Refused, Request, ask
from edge.status import account
from edge.store.errors import Held
from edge.store.owner import become_owner
from sync.assignment import BundleFile
from sync.fleet.ceremony import Ceremony
from sync.fleet.database import Database, DatabaseError, existing, file_of
from sync.fleet.folder import Folder
from sync.fleet.metadata import lists
from sync.fleet.models import known_stations, refusing
from sync.fleet.order import Order, OrderRefused, read
from sync.fleet.orders import Orders
from sync.fleet.plan import Plan
from sync.fleet.pushed import taking
from sync.fleet.rehearsal import copy_of
from sync.fleet.repository import Repository
from sync.fleet.roles import Roles
from sync.fleet.said import Refusal

KIND = "order"
WITHIN_S = 30.0
KEEP_LEFT_S = 7 * 86400.0
"""An order that nobody fetched is removed after so long."""


@dataclass(slots=True)
class Office:
    """Where a command gives its orders. `held` says who writes the database, if somebody does.
    `keys` is where new keys are made. In a dry run both are copies, and nothing is kept."""

    repository: Repository
    url: str
    database: Database
    held: str | None
    keys: Path
    dry_run: bool = False

    def give(self, order: Order, data: bytes = b"") -> Answer | None:
        """The answer; None when the order is left for `fleet serve`, which has not answered yet.

        Raises OrderRefused, DatabaseError, OSError.
        """
        if self.held is None:
            return self._write(order, data)
        folder = self.repository.folder
        leave(folder, order, data)
        request = Request(order.id, KIND, {"order": order.id}, order.by, order.account)
        answer = ask(folder.requests, request, WITHIN_S)
        if answer is not None and not answer.get("ok"):
            what, _, mend = str(answer.get("message")).partition(" → ")
            raise OrderRefused(what, mend)
        return answer

    def stations(self) -> dict[str, str | None]:
        """Every station that was ever heard, with the model that it says it runs."""
        with self.database.transaction() as connection:
            return known_stations(connection)

    def refusing(self, digest: str) -> dict[str, Refusal]:
        """The stations that take this bundle only when they are told to try it again, and why."""
        with self.database.transaction() as connection:
            return refusing(connection, digest)

    def taking(self, digest: str, plan: Plan) -> dict[str, str]:
        """The stations that have this bundle or get it by the same plan, and by which roll-out."""
        with self.database.transaction() as connection:
            return taking(connection, digest, plan)

    def listing(self, file: BundleFile) -> dict[str, object]:
        """The next list of bundles with this one, signed by the keys at hand; empty where it is
        listed. Raises RepositoryError where no key is at hand that may sign it."""
        with self.database.transaction() as connection:
            roles = self.roles(connection)
            if lists(self.repository.document(roles, "targets"), file):
                return {}
            return Ceremony(self.repository).listing(roles, file).as_json()

    def roles(self, connection: Any) -> Roles:
        """The signed documents; in a database that we write they are begun where there are none."""
        look = self.repository.open if self.held is None else self.repository.look
        return look(connection)

    def _write(self, order: Order, data: bytes) -> Answer:
        held = {sha256(data).hexdigest(): data}
        orders = Orders(self.repository, held.__getitem__)
        with self.database.transaction() as connection:
            answer = orders.apply(connection, order)
        if not self.dry_run:
            with self.database.transaction() as connection:
                self.repository.keep_copy(connection)
        return answer


@contextmanager
def office(
    folder: Path,
    url: str,
    keys: Sequence[Path] = (),
    passphrase: bytes | None = None,
    dry_run: bool = False,
) -> Iterator[Office]:
    """Open it; root becomes the owner of the folder. `keys` are further places of private keys.
    In a dry run every order is carried out on a copy: what would be refused is refused.

    Raises RepositoryError, KeysError, DatabaseError (also where there is none yet), NotOwner.
    """
    become_owner(folder)
    kept = Folder(folder)
    kept.check()
    file = existing(url)  # before its lock: a mistyped address leaves nothing behind
    with contextlib.ExitStack() as stack:
        repository = Repository(folder, kept.ring(keys, passphrase))
        if dry_run:
            new = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            yield Office(repository, url, stack.enter_context(copy_of(url)), None, new, True)
            return
        held = None
        if file is not None:
            try:
                stack.enter_context(take_lock(file))
            except Held as error:
                held = error.holder
        database = Database(url, read_only=held is not None, create=False)
        stack.callback(database.close)
        yield Office(repository, url, database, held, kept.keys)


def begin(folder: Path, url: str) -> None:
    """Make the database of this repository, where it is not there yet. Raises RepositoryError,
    KeysError, DatabaseError, Held, NotOwner."""
    become_owner(folder)
    repository, file = Repository(folder), file_of(url)
    with contextlib.ExitStack() as stack:
        if file is not None:
            stack.enter_context(take_lock(file))
        database = Database(url)
        stack.callback(database.close)
        with database.transaction() as connection:
            repository.open(connection)


def new_order(kind: str, by: str, body: dict[str, object]) -> Order:
    """An order by this person, typed by this account, with an id of its own."""
    return Order(Clock().new_id(), kind, by, body, account())


def leave(folder: Folder, order: Order, data: bytes) -> None:
    """Put an order, and first the file that it speaks of, where `fleet serve` finds them."""
    folder.orders.mkdir(exist_ok=True)
    _sweep(folder.orders)
    if data:
        write_atomically(folder.orders / f"{sha256(data).hexdigest()}.zip", data)
    write_atomically(folder.orders / f"{order.id}.json", order.as_text().encode())


def desk(repository: Repository, database: Database) -> Desk:
    """The end of `fleet serve`: its `step` applies the orders that wait."""
    counter = _Counter(repository, database)
    return Desk(repository.folder.requests, {KIND: counter.apply})


@dataclass(frozen=True, slots=True)
class _Counter:
    repository: Repository
    database: Database

    def apply(self, request: Request) -> Answer:
        """Raises Refused; the database's own trouble is an answer, too."""
        place = self.repository.folder.orders / f"{request.id}.json"
        try:
            order = read(place.read_bytes())
            if order.id != request.id:
                raise OrderRefused("the order has another id", "give it again")
            return self._apply(order)
        except OrderRefused as refusal:
            raise Refused(f"{refusal} → {refusal.mend}") from refusal
        except OSError as error:
            raise Refused(f"the order cannot be read: {error} → give it again") from error
        except DatabaseError as error:
            raise Refused(f"{error} → {error.mend}") from error

    def _apply(self, order: Order) -> Answer:
        orders = Orders(self.repository, self._data)
        with self.database.transaction() as connection:
            answer = orders.apply(connection, order)
        with self.database.transaction() as connection:
            self.repository.keep_copy(connection)
        return answer

    def _data(self, name: str) -> bytes:
        if len(name) != 64 or not name.isalnum():
            raise OSError("strange name of a file")
        return (self.repository.folder.orders / f"{name}.zip").read_bytes()


def _sweep(folder: Path) -> None:
    """What commands left that did not come to their end, or was applied long ago."""
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - path.lstat().st_mtime > KEEP_LEFT_S:
                path.unlink()
