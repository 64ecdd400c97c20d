"""Who joins the demo is let in by the same rules as anybody, and what lets them in is written
nowhere."""

import pytest

from edge.access.denied import Denied
from edge.config_file import load
from edge.demo.joining import join, opened
from edge.demo.station import prepare


@pytest.fixture
def config(tmp_path):
    return load(prepare(tmp_path / "demo", 2.0, with_broker=False).config_file)


def test_the_person_comes_in_with_the_pin_that_is_shown_and_sees_every_page(config):
    joining = join(config, "http://127.0.0.1:1", 0, "de")
    with opened(config) as (people, _):
        person = people.check(joining.number, joining.pin, "127.0.0.1")
    assert person.language == "de"
    assert all(person.may(right) for right in ("answer", "camera", "people", "degree", "tokens"))


def test_simulated_operators_say_what_they_are_and_may_answer_only(config):
    joining = join(config, "http://127.0.0.1:1", 2, "en")
    with opened(config) as (_, machines):
        found = [machines.find(token) for token in joining.tokens]
    assert [one.name for one in found] == [
        "simulated operator 1 (2% wrong)",
        "simulated operator 2 (2% wrong)",
    ]
    assert {one.rights for one in found} == {frozenset({"answer", "look"})}


def test_the_next_start_has_the_same_person_a_new_pin_and_as_many_operators_as_it_wants(config):
    first = join(config, "http://127.0.0.1:1", 3, "en")
    with opened(config) as (people, _):
        (before,) = people.all()
    second = join(config, "http://127.0.0.1:1", 1, "de")
    with opened(config) as (people, machines):
        (after,) = people.all()
        assert after.person.id == before.person.id
        assert people.check(second.number, second.pin, "127.0.0.1").id == before.person.id
        with pytest.raises(Denied):
            people.check(first.number, first.pin, "127.0.0.1")
        assert [one.machine.name for one in machines.all()] == ["simulated operator 1 (2% wrong)"]
        assert not any(machines.find(token) for token in first.tokens)


def test_a_visitor_who_was_removed_is_let_in_again_beside_those_who_are_there(config):
    join(config, "http://127.0.0.1:1", 0, "en")
    with opened(config) as (people, _):
        (visitor,) = [entry.person for entry in people.all()]
        other = people.add(visitor, "Other", "77", "engineer", "905172")
        people.close(other, visitor.id)
    again = join(config, "http://127.0.0.1:1", 0, "en")
    with opened(config) as (people, _):
        assert people.check(again.number, again.pin, "127.0.0.1").id != visitor.id


def test_pin_and_tokens_are_in_no_file(config):
    joining = join(config, "http://127.0.0.1:1", 2, "en")
    with opened(config) as (_, machines):
        assert len(machines.all()) == 2
    kept = b"".join(path.read_bytes() for path in config.state_dir.rglob("*") if path.is_file())
    for secret in (joining.pin, *joining.tokens):
        assert secret.encode() not in kept
