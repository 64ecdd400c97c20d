"""Tokens: shown once, kept as hashes, good for what they were made for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.access.denied import Denied
from edge.access.machines import MOST, Machines, hash_of, listed, new_token
from tests.edge.access.door import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = House(tmp_path)
    yield found
    found.close()


def test_a_token_is_its_machines(house: House) -> None:
    token = house.machines.add("p-1", "PLC", ["look"])
    found = house.machines.find(token)
    assert found is not None
    assert (found.name, found.rights) == ("PLC", {"look"})
    assert found.may("look")
    assert not found.may("answer")
    assert house.machines.find(token[:-1]) is None
    assert house.machines.find("\udcff") is None
    assert [one.content()["action"] for one in house.records] == ["token_added"]
    assert house.records[0].about == found.id


def test_a_disk_that_refuses_is_no_reason_to_refuse_a_program(house: House) -> None:
    token = house.machines.add("p-1", "PLC", ["look"])
    house.store._database.execute("PRAGMA query_only = ON")
    assert house.machines.find(token) is not None


def test_only_the_hash_is_stored(house: House, tmp_path: Path) -> None:
    token = house.machines.add("p-1", "PLC", ["look"])
    everything = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert token.encode() not in everything
    assert token not in str([one.content() for one in house.records])


@pytest.mark.parametrize(
    "rights", [[], ["people"], ["degree"], ["tokens"], ["camera"], ["correct"], ["look", "root"]]
)
def test_rights_that_no_machine_gets(house: House, rights: list[str]) -> None:
    with pytest.raises(Denied) as raised:
        house.machines.add("p-1", "PLC", rights)
    assert raised.value.code == "nonsense"
    assert house.machines.all() == []
    assert house.records == []


def test_removing(house: House) -> None:
    token = house.machines.add("p-1", "PLC", ["look"])
    (one,) = house.machines.all()
    house.machines.remove("p-1", one.machine.id)
    assert house.machines.find(token) is None
    assert house.machines.by_id(one.machine.id) is None
    with pytest.raises(Denied) as raised:
        house.machines.remove("p-1", one.machine.id)
    assert raised.value.code == "unknown"


def test_when_it_was_last_used_is_kept_once_a_minute(house: House, tmp_path: Path) -> None:
    token = house.machines.add("p-1", "PLC", ["look"])
    assert listed(tmp_path)[0].used is None
    house.machines.find(token)
    first = listed(tmp_path)[0].used
    assert first is not None
    house.clock.after(30)
    house.machines.find(token)
    assert listed(tmp_path)[0].used == first
    house.clock.after(31)
    house.machines.find(token)
    assert listed(tmp_path)[0].used > first


def test_they_survive_a_restart(house: House) -> None:
    token = house.machines.add("p-1", "PLC", ["answer", "look"])
    again = Machines(house.store, house.people.reporting, house.clock)
    found = again.find(token)
    assert found is not None
    assert found.rights == {"answer", "look"}


def test_the_same_hash_twice_is_one_machine(house: House) -> None:
    key = hash_of(new_token())
    one = house.machines.add_hashed("p-1", "PLC", ["look"], key)
    assert house.machines.add_hashed("p-1", "PLC", ["look"], key) == one
    assert len(house.machines.all()) == 1


def test_there_is_an_end(house: House) -> None:
    for number in range(MOST):
        house.machines.add("p-1", f"PLC {number}", ["look"])
    with pytest.raises(Denied) as raised:
        house.machines.add("p-1", "one more", ["look"])
    assert raised.value.code == "taken"


def test_where_the_service_never_ran_there_are_none(tmp_path: Path) -> None:
    assert listed(tmp_path) == []
