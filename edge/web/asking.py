"""How a command has something done about persons and machines, whether the page runs or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from edge import __version__
from edge.clock import Clock, boot_id
from edge.records import Origin
from edge.requests import Answer, Desk, Request, ask
from edge.status import account
from edge.store.errors import Held
from edge.store.owner import become_owner

if TYPE_CHECKING:
    from edge.config import Config
    from edge.review.chain import Chain


def ask_web(
    config: Config, kind: str, arguments: Mapping[str, object], by: str | None
) -> Answer | None:
    """The answer (`ok`, and `message` where it is false); None while it is still waiting.

    Must be called before anything else is opened: root becomes the owner of the state directory.
    Raises NotOwner, StoreError, sqlite3.Error, OSError.
    """
    from edge.review.chain import Chain

    typed_by = account()
    become_owner(config.state_dir)
    clock = Clock()
    request = Request(clock.new_id(), kind, dict(arguments), by, typed_by)
    folder = config.state_dir / "requests" / "web"
    try:
        chain = Chain(config.state_dir, boot_id(), clock)
    except Held:
        return ask(folder, request)
    with chain:
        return _apply(config, chain, clock, request)


def _apply(config: Config, chain: Chain, clock: Clock, request: Request) -> Answer:
    """With the service's own code, while it does not run."""
    from edge.access.asked import handlers
    from edge.access.machines import Machines
    from edge.access.people import People
    from edge.access.secret import secret_of
    from edge.access.sessions import Sessions
    from edge.access.store import FILE, WebStore

    boot = boot_id()
    origin = Origin(config.station.path, boot, config.digest, __version__)
    store = WebStore(config.state_dir / FILE)
    try:
        secret = secret_of(config.state_dir)
        sessions = Sessions(store, secret, clock, boot, config.web.lock_after_s)
        people = People(store, chain.record, clock, origin, secret, sessions)
        machines = Machines(store, people.reporting, clock)
        desk = Desk(config.state_dir / "requests" / "web", handlers(people, machines))
        return desk.apply(request)
    finally:
        store.close()
