"""Waits after wrong tries: they grow, they are bounded, they lock nobody out for ever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.access import attempts
from edge.access.attempts import Attempts, place_of
from edge.access.denied import Denied
from edge.access.store import WebStore
from tests.edge.access.door import ELSEWHERE, HERE, HandClock


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[WebStore]:
    found = WebStore(tmp_path / "web.db")
    yield found
    found.close()


@pytest.fixture
def tries(store: WebStore, clock: HandClock) -> Attempts:
    return Attempts(store, clock, "boot-1")


def wait_of(tries: Attempts, number: str | None, address: str = HERE) -> float:
    try:
        tries.admit(number, address)
    except Denied as denied:
        return denied.wait_s
    return 0.0


def wrong(tries: Attempts, number: str | None, times: int = 1, address: str = HERE) -> None:
    for _ in range(times):
        tries.wrong(number, address)


def test_four_wrong_pins_cost_nothing_the_fifth_half_a_minute(tries: Attempts) -> None:
    wrong(tries, "7", 4)
    assert wait_of(tries, "7") == 0
    assert tries.wrong("7", HERE) == (5, [attempts.Lockout("number", 5, 30.0)])
    assert wait_of(tries, "7") == 30
    assert wait_of(tries, "8") == 0


def test_each_further_one_doubles_the_wait_up_to_a_quarter_of_an_hour(
    tries: Attempts, clock: HandClock
) -> None:
    wrong(tries, "7", 4)
    waits = []
    for _ in range(9):
        wrong(tries, "7")
        waits.append(wait_of(tries, "7"))
        clock.after(3600)
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900, 900]


def test_a_wait_passes(tries: Attempts, clock: HandClock) -> None:
    wrong(tries, "7", 5)
    clock.after(29.9)
    assert wait_of(tries, "7") > 0
    clock.after(0.2)
    assert wait_of(tries, "7") == 0


def test_the_right_pin_ends_the_count(tries: Attempts) -> None:
    wrong(tries, "7", 4)
    tries.right("7", HERE)
    wrong(tries, "7", 4)
    assert wait_of(tries, "7") == 0


def test_a_day_without_a_wrong_pin_ends_the_count(tries: Attempts, clock: HandClock) -> None:
    wrong(tries, "7", 6)
    clock.after(24 * 3600 + 1)
    wrong(tries, "7")
    assert wait_of(tries, "7") == 0


def test_an_address_that_tries_one_number_after_the_other_waits_too(tries: Attempts) -> None:
    for number in range(19):
        wrong(tries, str(number))
    assert wait_of(tries, "99") == 0
    wrong(tries, "19")
    assert wait_of(tries, "99") == 30
    assert wait_of(tries, None) == 30
    assert wait_of(tries, "99", ELSEWHERE) == 0


def test_ones_own_pin_pays_for_no_guesses_of_others(tries: Attempts) -> None:
    for number in range(20):
        wrong(tries, str(number))
        tries.right("mine", HERE)
    assert wait_of(tries, "99") == 30


def test_who_types_a_wrong_pin_now_and_then_never_waits(tries: Attempts, clock: HandClock) -> None:
    for number in range(200):
        wrong(tries, str(number))
        clock.after(60)
        assert wait_of(tries, "99") == 0


def test_guessing_from_elsewhere_locks_nobody_out_at_their_own_tablet(tries: Attempts) -> None:
    tries.right("8", HERE)
    wrong(tries, "7", 5, ELSEWHERE)
    assert wait_of(tries, "7", ELSEWHERE) > 0
    assert wait_of(tries, "7", "10.0.0.50") > 0, "every address that nobody knows shares one count"
    assert wait_of(tries, "7", HERE) == 0


def test_a_place_is_known_for_a_month(tries: Attempts, clock: HandClock) -> None:
    tries.right("8", HERE)
    clock.after(31 * 24 * 3600)
    wrong(tries, "7", 5, ELSEWHERE)
    assert wait_of(tries, "7", HERE) > 0


def test_many_addresses_together_are_slowed_down_where_nobody_ever_signed_in(
    tries: Attempts, clock: HandClock
) -> None:
    tries.right("8", HERE)
    for number in range(60):
        wrong(tries, str(number), address=f"10.1.0.{number}")
    assert 0 < wait_of(tries, "7", "10.2.0.1") <= 5
    assert wait_of(tries, "7", HERE) == 0
    clock.after(5)
    assert wait_of(tries, "7", "10.2.0.1") == 0


def test_a_restart_forgives_nothing(store: WebStore, tries: Attempts, clock: HandClock) -> None:
    tries.right("8", HERE)
    wrong(tries, "7", 5)
    again = Attempts(store, clock, "boot-1")
    assert wait_of(again, "7") == 30
    wrong(again, "9", 5, ELSEWHERE)
    assert wait_of(again, "9", HERE) == 0, "the places that are known are kept too"


def test_after_a_reboot_the_wait_begins_again(store: WebStore, tries: Attempts) -> None:
    wrong(tries, "7", 6)
    clock = HandClock()
    clock.ns = 10**9
    again = Attempts(store, clock, "boot-2")
    assert wait_of(again, "7") == 60


def test_a_jump_of_the_wall_clock_shortens_nothing(tries: Attempts, clock: HandClock) -> None:
    wrong(tries, "7", 5)
    clock.seconds += 10**8
    assert wait_of(tries, "7") == 30


def test_a_lead_can_forgive(tries: Attempts, store: WebStore, clock: HandClock) -> None:
    tries.right("8", HERE)
    wrong(tries, "7", 5)
    wrong(tries, "7", 5, ELSEWHERE)
    wrong(tries, "77", 5)
    tries.forgive("7")
    assert wait_of(tries, "7") == wait_of(tries, "7", ELSEWHERE) == 0
    assert wait_of(Attempts(store, clock, "boot-1"), "7") == 0
    assert wait_of(tries, "77") > 0


def test_what_is_remembered_is_bounded(
    tries: Attempts, store: WebStore, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "MOST", 10)
    for number in range(50):
        clock.after(1)
        wrong(tries, str(number), address=f"10.3.0.{number}")
    assert store.rows("SELECT count(*) FROM tries") == [(10,)]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2", True),
    ],
)
def test_who_counts_as_one(one: str, other: str, same: bool) -> None:
    assert (place_of(one) == place_of(other)) == same
