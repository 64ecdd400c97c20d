"""From the configuration to the parts of the service: web on one page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from edge import __version__
from edge.access.asked import handlers as about_persons
from edge.access.machines import Machines
from edge.access.people import People
from edge.access.secret import secret_of
from edge.access.sessions import Sessions
from edge.access.store import FILE as WEB_FILE
from edge.access.store import WebStore
from edge.clock import Clock, boot_id
from edge.config import Config
from edge.line_watch import LineWatch
from edge.records import Origin
from edge.recovery.history import History
from edge.requests import Desk
from edge.review.answers import Answers
from edge.review.board import Board
from edge.review.chain import Chain
from edge.review.lineside import LineFiles
from edge.review.seeded import Seeding
from edge.review.verdicts import FILE as QUEUE_FILE
from edge.review.waiting import Waiting
from edge.running import running
from edge.statusfile import StatusFile
from edge.store.archive import Archive
from edge.web.copies import Copies
from edge.web.desk import handlers
from edge.web.events import Hub
from edge.web.following import Follower, Rounds
from edge.web.line_news import LineNews
from edge.web.line_reader import LineReader
from edge.web.line_state import LineState
from edge.web.live import LiveCamera
from edge.web.looks import Looks
from edge.web.pages_env import Pages
from edge.web.pictures import Pictures
from edge.web.reading import Readers
from edge.web.refusals import Refusals
from edge.web.shop import Shop
from edge.web.texts import Texts
from edge.web.today import Today
from edge.web.web_status import WebStatus


@dataclass(frozen=True, slots=True)
class Opened:
    """The service without its server. `close` lets everything go, the lock last."""

    shop: Shop
    follower: Follower
    status: WebStatus
    store: WebStore
    chain: Chain
    line: LineFiles

    def start(self) -> None:
        """What works beside those who ask and the thread that follows."""
        self.shop.looks.start()

    def close(self) -> None:
        """Once nobody asks and nothing follows any more."""
        self.follower.close()
        self.shop.looks.close()
        self.status.write("stopped")
        self.shop.reading.close()
        self.shop.answered.close()
        self.line.close()
        self.store.close()
        self.chain.close()


@dataclass(frozen=True, slots=True)
class _Base:
    """What is opened first, for all the rest."""

    config: Config
    clock: Clock
    boot: str
    chain: Chain
    store: WebStore
    state: LineState

    @property
    def line_db(self) -> Path:
        return self.config.state_dir / "line.db"

    @property
    def origin(self) -> Origin:
        config = self.config
        return Origin(config.station.path, self.boot, config.digest, __version__)


def open_all(config: Config, secure: bool) -> Opened:
    """Raises Held (another process writes to the queue), StoreError, sqlite3.Error, OSError."""
    clock, boot, state = Clock(), boot_id(), LineState()
    chain = Chain(config.state_dir, boot, clock)
    try:
        store = WebStore(config.state_dir / WEB_FILE)
    except BaseException:
        chain.close()
        raise
    base = _Base(config, clock, boot, chain, store, state)
    try:
        line = LineFiles(base.line_db, state.status)
        shop = _shop(base, line, secure)
        follower, status = _follower(base, shop)
        return Opened(shop, follower, status, store, chain, line)
    except BaseException:
        store.close()
        chain.close()
        raise


def _shop(base: _Base, line: LineFiles, secure: bool) -> Shop:
    config, clock = base.config, base.clock
    board = Board(config.web.lease_s)
    answers = Answers(board, base.chain, clock, base.origin, line, config.escalation.undo_s)
    secret = secret_of(config.state_dir)
    sessions = Sessions(base.store, secret, clock, base.boot, config.web.lock_after_s)
    people = People(base.store, base.chain.record, clock, base.origin, secret, sessions)
    reading = Readers(lambda: History(base.line_db))
    return Shop(
        config=config,
        clock=clock,
        answers=answers,
        people=people,
        sessions=sessions,
        machines=Machines(base.store, people.reporting, clock),
        reading=reading,
        answered=Readers(lambda: Archive(config.state_dir / QUEUE_FILE)),
        line=base.state,
        figures=Today(ZoneInfo(config.station.time_zone), config.station.shifts),
        camera=LiveCamera(config, clock.monotonic_ns, clock.wall),
        pictures=Pictures(config.state_dir, _Named(reading, answers)),
        looks=Looks(config),
        texts=Texts(),
        pages=Pages(),
        hub=Hub(),
        refused=Refusals(),
        types=_types(config),
        secure=secure,
    )


def _follower(base: _Base, shop: Shop) -> tuple[Follower, WebStatus]:
    config, clock, chain, hub = base.config, base.clock, base.chain, shop.hub
    asked = {**handlers(shop.answers), **about_persons(shop.people, shop.machines)}
    desk = Desk(config.state_dir / "requests" / "web", asked)
    copies = Copies(base.store)
    reader = LineReader(base.line_db)
    news = LineNews(
        reader, shop.answers, chain, shop.figures, copies, clock, base.boot, hub.publish
    )
    status = WebStatus(
        file=StatusFile(config.status_folder, "web"),
        listen=config.web.listen,
        secure=shop.secure,
        config=config.digest,
        wall=clock.wall,
        line=base.state,
        failing=lambda: news.failing,
        numbers=_Numbers(shop, desk),
        head=lambda: chain.head,
    )
    seeding = Seeding(config.state_dir, config.web.seeded_per_day, shop.answers, clock)
    rounds = Rounds(
        {
            "queue": chain.tend,
            "seeded": seeding.step,
            "sessions": shop.sessions.tidy,
            "clock": clock.refresh,
            "status": status.write,
        }
    )
    watch = LineWatch(StatusFile(config.status_folder, "line"))
    answers = shop.answers
    follower = Follower(news, watch, base.state, answers, desk, copies, rounds, hub.publish, clock)
    return follower, status


def _types(config: Config) -> tuple[str, ...]:
    """The kinds of defects that the model knows: a person says one of them by a tap."""
    bundle = running(config).bundle
    if bundle is None:
        return ()
    labels = bundle.manifest.spec.output.labels
    return tuple(one.name for one in labels if one.role == "defect" and one.name != "defect")


@dataclass(frozen=True, slots=True)
class _Named:
    """Path and hash of an inspection's picture, by its record or by what the queue keeps."""

    reading: Readers[History]
    answers: Answers

    def __call__(self, inspection: str) -> tuple[str, str] | None:
        case = self.answers.case(inspection)
        if case is not None:
            return None if case.path is None or case.picture is None else (case.path, case.picture)
        with self.reading() as line:
            rows = line.find(inspection)
        for row in rows:
            record = json.loads(row.body)
            image = record["image"]
            if record["id"] == inspection and image is not None:
                return str(image["path"]), str(image["sha256"])
        return None


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What the status file counts."""

    shop: Shop
    desk: Desk

    def waiting(self) -> Waiting:
        return self.shop.answers.waiting()

    def sessions(self) -> int:
        return self.shop.sessions.count

    def streams(self) -> int:
        return self.shop.hub.streams

    def refused(self) -> Mapping[str, int]:
        return self.shop.refused.all()

    def nonsense(self) -> int:
        return self.desk.nonsense
