"""The persons of a plant, each with the PIN that the tests type."""

from __future__ import annotations

from edge.access.person import Person
from edge.access.pins import Cost
from edge.config import Config
from edge.demo.joining import opened

PINS = {"lena": "482913", "otto": "7391", "ida": "8264", "max": "9157", "emma": "602847"}
CHEAP = Cost(n=1 << 4)
"""Guessing these PINs is easy, signing in costs nothing."""
_GIVEN = "905172"
"""What a new person gets first, and must change."""
PERSONS = {
    "lena": Person("", "Lena Lead", "100", "lead", "en"),
    "otto": Person("", "Otto Operator", "201", "operator", "en"),
    "ida": Person("", "Ida Operator", "202", "operator", "en"),
    "max": Person("", "Max Bediener", "203", "operator", "de"),
    "emma": Person("", "Emma Engineer", "300", "engineer", "de"),
}
BADGES = {"otto": "EI-BADGE-0201", "ida": "EI-BADGE-0202"}


def settle(config: Config) -> dict[str, Person]:
    """Let everybody in, before the page starts; the persons with their ids, by name."""
    found: dict[str, Person] = {}
    with opened(config, CHEAP) as (people, _):
        for name, wanted in PERSONS.items():
            if not found:
                code = people.first_code()
                assert code is not None
                found[name] = people.first(
                    code, str(wanted.name), wanted.number, PINS[name], "127.0.0.1"
                )
                continue
            lead = found["lena"]
            made = people.add(
                lead, str(wanted.name), wanted.number, wanted.role, _GIVEN, wanted.language
            )
            people.set_pin(made, made.id, PINS[name])
            found[name] = made
        for name, badge in BADGES.items():
            people.set_badge(found["lena"], found[name].id, badge)
    return found
