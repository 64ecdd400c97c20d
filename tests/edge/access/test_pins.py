"""Which PINs are taken, and how they are kept."""

from __future__ import annotations

import pytest

from edge.access.denied import Denied
from edge.access.person import Role
from edge.access.pins import Cost, Pins, check_rules, long_enough
from edge.access.secret import Secret
from tests.edge.access.door import CHEAP


@pytest.mark.parametrize(
    ("pin", "role"),
    [
        ("", "operator"),
        ("739", "operator"),
        ("73917391739173", "operator"),
        ("0000", "operator"),
        ("1234", "operator"),
        ("4321", "operator"),
        ("7890", "operator"),
        ("1212", "operator"),
        ("2580", "operator"),
        ("73a1", "operator"),
        ("７３９１", "operator"),
        ("73 91", "operator"),
        ("4711", "operator"),
        ("1174", "operator"),
        ("7391", "lead"),
        ("73915", "engineer"),
        ("123456", "lead"),
        ("123123", "lead"),
        ("999999", "engineer"),
    ],
)
def test_pins_that_are_refused(pin: str, role: Role) -> None:
    with pytest.raises(Denied) as raised:
        check_rules(pin, role, "4711")
    assert raised.value.code == "weak_pin"
    assert not pin or pin not in str(raised.value)


@pytest.mark.parametrize(("pin", "role"), [("7391", "operator"), ("481516", "engineer")])
def test_pins_that_are_taken(pin: str, role: Role) -> None:
    check_rules(pin, role, "4711")


def test_what_is_long_enough_for_every_role() -> None:
    assert long_enough("481516")
    assert not long_enough("48151")


def test_the_same_pin_is_kept_differently_each_time() -> None:
    pins = Pins(Secret(b"k" * 32), CHEAP)
    one, two = pins.hash("7391"), pins.hash("7391")
    assert one != two
    assert pins.same("7391", one)
    assert pins.same("7391", two)
    assert not pins.same("7392", one)
    assert not pins.same("7391", None)
    assert not pins.same("0", None), "the PIN that nobody has is nobody's either"


def test_a_hash_of_an_earlier_cost_stays_good() -> None:
    secret = Secret(b"k" * 32)
    kept = Pins(secret, CHEAP).hash("7391")
    assert Pins(secret, Cost(n=4)).same("7391", kept)


def test_the_cost_is_what_the_documents_say() -> None:
    assert (Cost().n, Cost().r, Cost().p) == (32768, 8, 1)
    assert Pins(Secret(b"k" * 32)).hash("7391").startswith("scrypt$32768$8$1$")


def test_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask at once, one core at most is busy with it."""
    import hashlib
    import threading

    busy, most, lock = 0, 0, threading.Lock()
    scrypt = hashlib.scrypt

    def watched(*given: object, **more: object) -> bytes:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        found = scrypt(*given, **more)  # type: ignore[arg-type]
        with lock:
            busy -= 1
        return found

    pins = Pins(Secret(b"k" * 32), Cost(n=1 << 10))
    kept = pins.hash("7391")
    monkeypatch.setattr(hashlib, "scrypt", watched)
    threads = [threading.Thread(target=pins.same, args=("7391", kept)) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert most == 1
