"""Sessions: they lock, they end, and nobody can choose one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.access.person import Person
from edge.access.sessions import MOST_EACH, Sessions
from tests.edge.access.door import HandClock, House

ADA, BERT = Person("p-1", "Ada", "7", "lead"), Person("p-2", "Bert", "8", "operator")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path)
    yield found
    found.close()


def restarted(house: House, boot_id: str = "boot-1") -> Sessions:
    return Sessions(house.store, house.secret, house.clock, boot_id, 300.0)


def test_a_cookie_names_its_session_and_no_other(house: House) -> None:
    session = house.sessions.begin(ADA)
    assert session.cookie is not None
    found = house.sessions.find(session.cookie)
    assert found is not None
    assert (found.person, found.locked, found.csrf) == ("p-1", False, session.csrf)
    assert found.cookie is None
    assert house.sessions.find(session.cookie[:-1]) is None
    assert house.sessions.find("") is None
    assert house.sessions.find("\udcff") is None


def test_only_hashes_are_stored(house: House, tmp_path: Path) -> None:
    session = house.sessions.begin(ADA)
    assert session.cookie is not None
    everything = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert session.cookie.encode() not in everything
    assert session.csrf.encode() not in everything
    assert bytes.fromhex(session.csrf) not in everything
    assert session.cookie not in repr(session)


def test_every_session_has_its_own_token(house: House) -> None:
    assert house.sessions.begin(ADA).csrf != house.sessions.begin(ADA).csrf


def test_idle_it_is_locked_used_it_is_not(house: House) -> None:
    session = house.sessions.begin(ADA)
    for _ in range(5):
        house.clock.after(299)
        house.sessions.seen(session)
    found = house.sessions.again(session.key)
    assert found is not None
    assert not found.locked
    house.clock.after(300)
    found = house.sessions.again(session.key)
    assert found is not None
    assert found.locked


def test_a_locked_one_does_not_unlock_by_being_used(house: House) -> None:
    session = house.sessions.begin(ADA)
    house.sessions.lock(session)
    house.sessions.seen(session)
    found = house.sessions.again(session.key)
    assert found is not None
    assert found.locked
    opened = house.sessions.unlock(session, fresh=False)
    assert opened is not None
    assert not opened.locked


def test_it_ends_after_twelve_hours_whatever_happens(house: House) -> None:
    session = house.sessions.begin(ADA)
    for _ in range(12 * 60 - 1):
        house.clock.after(60)
        house.sessions.seen(session)
    assert house.sessions.again(session.key) is not None
    house.clock.after(60)
    assert house.sessions.again(session.key) is None
    assert house.sessions.unlock(session, fresh=True) is None
    assert house.store.rows("SELECT * FROM sessions") == []


def test_a_disk_that_refuses_keeps_none_open_and_raises_nothing(house: House) -> None:
    session, idle = house.sessions.begin(ADA), house.sessions.begin(BERT)
    house.store._database.execute("PRAGMA query_only = ON")
    house.clock.after(200)
    house.sessions.seen(session)
    house.clock.after(200)
    found, locked = house.sessions.again(session.key), house.sessions.again(idle.key)
    assert found is not None
    assert not found.locked
    assert locked is not None
    assert locked.locked
    house.clock.after(12 * 3600)
    assert house.sessions.again(session.key) is None
    assert house.sessions.count == 1
    house.store._database.execute("PRAGMA query_only = OFF")
    assert restarted(house).again(session.key) is None


def test_a_restart_of_the_service_ends_none(house: House) -> None:
    session, locked = house.sessions.begin(ADA, fresh=True), house.sessions.begin(BERT)
    house.sessions.lock(locked)
    house.clock.after(31)
    house.sessions.seen(session)
    again = restarted(house)
    house.clock.after(280)
    found, other = again.again(session.key), again.again(locked.key)
    assert found is not None
    assert not found.locked
    assert not again.fresh(found), "that the PIN was given just before is not kept"
    assert other is not None
    assert other.locked


def test_a_reboot_ends_all(house: House) -> None:
    session = house.sessions.begin(ADA)
    assert restarted(house, "boot-2").again(session.key) is None


def test_a_fresh_pin_is_good_for_two_minutes(house: House) -> None:
    badge, pin = house.sessions.begin(ADA), house.sessions.begin(ADA, fresh=True)
    assert not house.sessions.fresh(badge)
    assert house.sessions.fresh(pin)
    house.clock.after(119)
    assert house.sessions.fresh(pin)
    house.clock.after(2)
    assert not house.sessions.fresh(pin)


def test_locking_ends_what_the_fresh_pin_allowed(house: House) -> None:
    session = house.sessions.begin(ADA, fresh=True)
    house.sessions.lock(session)
    by_badge = house.sessions.unlock(session, fresh=False)
    assert by_badge is not None
    assert not house.sessions.fresh(by_badge)
    by_pin = house.sessions.unlock(session, fresh=True)
    assert by_pin is not None
    assert house.sessions.fresh(by_pin)


def test_ending(house: House) -> None:
    one, two, other = (house.sessions.begin(who) for who in (ADA, ADA, BERT))
    house.sessions.end(one)
    assert house.sessions.again(one.key) is None
    assert house.sessions.end_all("p-1") == 1
    assert house.sessions.again(two.key) is None
    assert house.sessions.again(other.key) is not None


def test_ending_all_but_one(house: House) -> None:
    one, two = house.sessions.begin(ADA), house.sessions.begin(ADA)
    house.sessions.end_all("p-1", but=one)
    assert house.sessions.again(one.key) is not None
    assert house.sessions.again(two.key) is None


def test_nobody_can_fill_the_table(house: House) -> None:
    first = house.sessions.begin(ADA)
    for _ in range(MOST_EACH):
        house.clock.after(1)
        house.sessions.begin(ADA)
    assert house.sessions.again(first.key) is None
    assert house.sessions.count == MOST_EACH


def test_a_long_wall_clock_jump_changes_nothing(house: House) -> None:
    session = house.sessions.begin(ADA)
    house.clock.seconds += 10**9
    assert isinstance(house.clock, HandClock)
    assert house.sessions.again(session.key) is not None
