"""Which bundle commands speak of: the active one, wherever it lies."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from edge.config import Config
from edge.config_file import ConfigError
from edge.records import Cuts
from edge.rollout.standing import FACTORY, STATE_ACTIVE, Place
from edge.running import running, with_digest
from edge.store.journal import Journal
from inference.bundle import Bundle
from inference.slots import Slots
from tests.appliance.station import config_of, station
from tests.edge.workers.crew import constant


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.factory, self.sent = constant(folder, "old", 1.0), constant(folder, "new", 1.5)
        more = {"decision": {"accept_below": 0.1, "reject_above": 0.9}}
        self.settings = station(
            folder, {"source": "synthetic"}, model={"bundle": str(self.factory.root)}, **more
        )
        self.config: Config = config_of(self.settings)
        self.slots = Slots(self.config.state_dir / "slots")

    def promoted(self, slot: str, bundle: Bundle, factory: str) -> None:
        place = Place(slot, bundle.digest, bundle.name, bundle.version, factory=factory)
        journal = Journal.open(self.config.state_dir / "line.db", "boot-1", 0)
        journal.append([], state={STATE_ACTIVE: json.dumps(asdict(place))})
        journal.close()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_without_a_promotion_it_is_the_configured_one_with_its_typed_cuts(bench: Bench) -> None:
    found = running(bench.config)
    assert found.bundle is not None
    assert (found.bundle.digest, found.slot) == (bench.factory.digest, FACTORY)
    assert found.named == str(bench.factory.root)
    basis = found.standards.basis(found.standards.choose())
    assert basis.cuts == Cuts(0.1, 0.9, certified=False)


def test_a_promoted_one_is_meant_and_typed_cuts_are_not_its(bench: Bench) -> None:
    bench.slots.put(Path(bench.sent.root), "a")
    bench.promoted("a", bench.sent, bench.factory.digest)
    found = running(bench.config)
    assert found.bundle is not None
    assert (found.bundle.digest, found.slot, found.named) == (bench.sent.digest, "a", "active")
    assert found.standards.basis(found.standards.choose()).cuts is None


def test_who_configures_another_bundle_afterwards_means_that_one(bench: Bench) -> None:
    bench.slots.put(Path(bench.sent.root), "a")
    bench.promoted("a", bench.sent, "f" * 64)
    assert running(bench.config).slot == FACTORY


def test_a_slot_that_is_empty_or_holds_another_one_is_said(bench: Bench) -> None:
    bench.promoted("b", bench.sent, bench.factory.digest)
    found = running(bench.config)
    assert (found.bundle, found.slot) == (None, "b")
    assert found.why
    bench.slots.put(Path(bench.factory.root), "b")
    found = running(bench.config)
    assert found.bundle is None
    assert "another bundle" in (found.why or "")


def test_where_nothing_can_be_read_nothing_is_remembered(bench: Bench) -> None:
    bench.config.state_dir.mkdir(exist_ok=True)
    (bench.config.state_dir / "line.db").write_bytes(b"no database" * 1000)
    assert running(bench.config).slot == FACTORY


def test_a_bundle_is_found_by_its_digest_wherever_it_lies(bench: Bench) -> None:
    bench.slots.put(Path(bench.sent.root), "b")
    for wanted in (bench.factory, bench.sent):
        found = with_digest(bench.config, wanted.digest)
        assert found is not None
        assert found.digest == wanted.digest
    assert with_digest(bench.config, "0" * 64) is None


def test_a_configured_bundle_that_is_not_there_is_a_wrong_configuration(bench: Bench) -> None:
    Path(bench.factory.root).rename(bench.folder / "gone")
    with pytest.raises(ConfigError):
        running(bench.config)
