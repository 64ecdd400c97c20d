"""The one writer of queue.db."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.access.record import Access
from edge.recovery import aside
from edge.recovery.enduring import EnduringJournal
from edge.review.chain import Chain
from edge.review.verdicts import FILE, after, give, latest, state_of
from edge.store.archive import Archive
from edge.store.errors import AlreadyApplied, Held
from edge.store.symptoms import Symptom, identity
from edge.store.verify import verify
from tests.edge.review.test_verdicts import verdict
from tests.edge.workers.parts import ORIGIN, FakeClock


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    with Chain(tmp_path, "boot-1", FakeClock()) as chain:
        yield chain


def say(chain: Chain, number: int) -> None:
    made = verdict(number, f"part-{number}")
    chain.append([made], state_of(made.content()))


def ids(folder: Path) -> list[object]:
    with Archive(folder / FILE) as queue:
        assert verify(queue, folder).sound
        return [record["id"] for _, record in after(queue, 0)]


def test_it_is_the_only_writer_until_it_is_closed(tmp_path: Path) -> None:
    chain = Chain(tmp_path, "boot-1", FakeClock())
    with pytest.raises(Held):
        Chain(tmp_path, "boot-1", FakeClock())
    with pytest.raises(Held):
        give(tmp_path, verdict(1))
    chain.close()
    chain.close()
    give(tmp_path, verdict(1))


def test_a_failed_opening_leaves_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*words: object, **more: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as now:
        now.setattr(EnduringJournal, "begin", full)
        with pytest.raises(sqlite3.OperationalError):
            Chain(tmp_path, "boot-1", FakeClock())
    Chain(tmp_path, "boot-1", FakeClock()).close()


def test_answers_and_what_is_done_about_persons_are_one_chain(tmp_path: Path, chain: Chain) -> None:
    say(chain, 1)
    moment = verdict(2).given
    chain.record(Access("access-1", ORIGIN, moment, "sign_in", by="p-00000001"))
    say(chain, 3)
    assert ids(tmp_path) == ["verdict-1", "access-1", "verdict-3"]
    assert chain.head[1] == 3
    found = chain.verdict("verdict-3")
    assert found is not None
    assert found["inspection"] == "part-3"
    assert chain.verdict("access-1") is None
    last = latest(chain, "part-1")
    assert last is not None
    assert last["id"] == "verdict-1"


def test_a_request_is_applied_once(chain: Chain) -> None:
    chain.append([verdict(1)], request_id="r")
    assert chain.seen("r")
    assert not chain.seen("s")
    with pytest.raises(AlreadyApplied):
        chain.append([verdict(2)], request_id="r")


def test_several_threads_write_one_chain(tmp_path: Path, chain: Chain) -> None:
    def work(first: int) -> None:
        for number in range(first, first + 20):
            say(chain, number)

    threads = [threading.Thread(target=work, args=(100 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids(tmp_path))) == 80


@pytest.mark.parametrize("noticed", ["by writing", "by looking", "by a reader"])
def test_a_file_that_is_damaged_while_it_runs_is_set_aside(tmp_path: Path, noticed: str) -> None:
    clock = FakeClock()
    with Chain(tmp_path, "boot-1", clock) as chain:
        for number in range(20):
            say(chain, number)
        epoch = chain.head[0]
        path = tmp_path / FILE
        chain._journal.checkpoint()
        with path.open("r+b") as file:
            file.write(b"\xff" * 4096)
        clock.move(5)
        if noticed == "by looking":
            chain.tend()
            assert chain.head[0] != epoch
        if noticed == "by a reader":
            chain.suspect(Symptom(identity(path), "seen"))
        say(chain, 99)
        assert chain.head[0] != epoch
        assert ids(tmp_path) == ["verdict-99"]
        assert chain.verdict("verdict-99") is not None
    (case,) = aside.cases(tmp_path)
    assert case.database == FILE


def test_a_page_that_only_an_undo_needs_is_noticed_when_it_is_damaged(
    tmp_path: Path, chain: Chain
) -> None:
    for number in range(400):
        say(chain, number)
    chain.close()
    path = tmp_path / FILE
    found = path.read_bytes().find(b'"id":"verdict-20"')
    page = found - found % 4096
    with path.open("r+b") as stream:
        stream.seek(page)
        stream.write(b"\xff" * 4096)
    with Chain(tmp_path, "boot-1", FakeClock()) as after_it:
        assert aside.cases(tmp_path) == []
        with pytest.raises(sqlite3.DatabaseError):
            after_it.verdict("verdict-20")
        say(after_it, 1000)
        assert len(aside.cases(tmp_path)) == 1
    assert ids(tmp_path) == ["verdict-1000"]
