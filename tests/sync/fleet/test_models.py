import pytest
import sqlalchemy as sa

from sync.fleet.models import known_stations, models
from sync.fleet.rollout_tables import model_states
from sync.fleet.tables import stations
from tests.sync.fleet.ceremonies import Plant
from tests.sync.fleet.depot import OLD, bundle, state


@pytest.fixture
def plant(tmp_path, database):
    return Plant(tmp_path, database)


def hear(plant, **said):
    with plant.database.transaction() as connection:
        for station, body in said.items():
            row = {"station": f"a/b/{station}", "at": "2026", "body": body}
            connection.execute(sa.insert(model_states), [row])


def read(plant):
    with plant.database.transaction() as connection:
        return models(connection)


def test_every_bundle_with_where_it_runs(plant):
    plant.give(plant.push(rollout="r1"), bundle())
    plant.give(plant.push(bundle(seed=2), rollout="r2"), bundle(seed=2))
    first, second = bundle().digest, bundle(seed=2).digest
    hear(
        plant,
        one=state("a/b/one", running=first),
        two=state("a/b/two", running=first, candidate={"bundle": second, "state": "shadow"}),
        three=state("a/b/three", running=OLD),
        four="nonsense",
    )
    found = read(plant)
    assert [(one.digest, one.rollouts) for one in found[:2]] == [
        (first, ("r1",)),
        (second, ("r2",)),
    ]
    assert found[0].running == ("a/b/one", "a/b/two")
    assert found[1].candidate == ("a/b/two",)
    assert all(one.listed for one in found[:2])
    assert found[0].manifest
    assert (found[2].digest, found[2].running, found[2].manifest) == (OLD, ("a/b/three",), "")
    assert len(found) == 3


def test_a_bundle_that_waits_for_signatures_is_not_listed(tmp_path, database):
    plant = Plant(tmp_path, database, targets_keys=2, targets_threshold=2)
    plant.give(plant.push(), bundle())
    assert [one.listed for one in read(plant)] == [False]


def test_nothing_was_pushed(plant):
    assert read(plant) == []
    with plant.database.transaction() as connection:
        assert known_stations(connection) == {}


def test_stations_and_what_they_say_they_run(plant):
    with plant.database.transaction() as connection:
        row = {"station": "a/b/silent", "at": "2026", "status": "{}"}
        connection.execute(sa.insert(stations), [row])
    hear(plant, talks=state("a/b/talks"))
    with plant.database.transaction() as connection:
        found = known_stations(connection)
    assert found == {"a/b/silent": None, "a/b/talks": f"rings 1 ({OLD[:12]})"}
