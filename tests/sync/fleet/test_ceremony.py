"""Keys come and go, persons sign one after the other, and stations follow."""

import json

import pytest

from sync.fleet import keys, metadata
from sync.fleet.ceremony import Offer, Stale
from sync.fleet.change import Change, with_keys
from sync.fleet.folder import RepositoryError
from sync.fleet.keys import Ring
from sync.fleet.metadata import BINS, MetadataError
from sync.fleet.order import OrderRefused
from sync.refusals import TrustRefused
from tests.simulators.signer import assignment_of
from tests.sync.fleet.ceremonies import STATION, Plant
from tests.sync.fleet.depot import NOON, add_bundle, bundle

DAY = 86400.0


@pytest.fixture
def plant(tmp_path, database):
    return Plant(tmp_path, database)


@pytest.fixture
def strict(tmp_path, database):
    """Two of three persons sign, in both roles."""
    counts = {"root_keys": 3, "root_threshold": 2, "targets_keys": 3, "targets_threshold": 2}
    return Plant(tmp_path, database, **counts)


def add(plant):
    with plant.database.transaction() as connection:
        return add_bundle(plant.whole, connection, bundle())


def change(plant, wish, *names, at_serve=()):
    """The answer to an order for other keys, signed by those named."""
    offer = plant.look(lambda ceremony, roles: ceremony.changed(roles, wish), *names)
    order = plant.order("offer", offer.as_json())
    return plant.give(order, repository=plant.with_keys(*at_serve))


def new_key(plant, name):
    return keys.make(plant.whole.folder.keys, name)


def keyid(plant, name):
    return keys.read_public(plant.whole.folder.keys / f"{name}.pub").keyid


def refusal(trust, pack):
    with pytest.raises(TrustRefused) as refused:
        trust.accept(pack)
    return refused.value.code


ONLINE = ("snapshot", "timestamp")


def test_the_online_key_is_replaced_and_stations_follow(plant):
    file = add(plant)
    trust = plant.trust()
    old = plant.packed(1, file)
    assert trust.accept(old).assignment.serial == 1
    key = new_key(plant, "online.2")
    gone = keyid(plant, "online")
    wish = Change({role: [key] for role in ONLINE}, {role: [gone] for role in ONLINE})
    with pytest.raises(OrderRefused, match="the key that signs snapshot is not in"):
        change(plant, wish, "root-1")
    assert change(plant, wish, "root-1", at_serve=["online.2"])["root"] == 2
    with plant.database.transaction() as connection:
        pack = plant.with_keys("online.2").pack(connection, STATION)
    assert trust.accept(pack).assignment.serial == 1
    assert refusal(trust, old) == "revoked_key"
    with plant.database.transaction() as connection, pytest.raises(RepositoryError):
        plant.with_keys().assign(connection, {STATION: assignment_of(STATION, 9, file, at=NOON)})


def test_the_key_of_the_assignments_is_replaced(plant):
    file = add(plant)
    trust = plant.trust()
    trust.accept(plant.packed(1, file))
    key = new_key(plant, "assignments.2")
    wish = Change({"assignments": [key]}, {"assignments": [keyid(plant, "assignments")]})
    assert change(plant, wish, "root-1", "targets-1", at_serve=["assignments.2"])["missing"] == 0
    with plant.database.transaction() as connection:
        pack = plant.with_keys("assignments.2").pack(connection, STATION)
    assert trust.accept(pack).assignment.serial == 1


def test_a_revoked_targets_key_signs_no_bundle_any_more(strict):
    plant = strict
    file = add(plant)
    trust = plant.trust()
    trust.accept(plant.packed(1, file))
    wish = Change(remove={"targets": [keyid(plant, "targets-1")]})
    assert change(plant, wish, "root-1", "root-2", "targets-2", "targets-3")["missing"] == 0
    assert trust.accept(plant.packed(2, file)).assignment.serial == 2
    with pytest.raises(RepositoryError, match="no key that signs targets"):
        plant.push(bundle(seed=2), "targets-1")
    answer = plant.give(plant.push(bundle(seed=2), "targets-1", "targets-2"), bundle(seed=2))
    assert answer["missing"] == 1


def test_root_itself_changes_hands(strict):
    plant = strict
    file = add(plant)
    trust, late = plant.trust(), plant.trust("late")
    trust.accept(plant.packed(1, file))
    for number in range(4, 7):  # one after the other: in the end nobody of the first is left
        key = new_key(plant, f"root-{number}")
        gone = keyid(plant, f"root-{number - 3}")
        wish = Change({"root": [key]}, {"root": [gone]})
        assert change(plant, wish, f"root-{number - 3}", f"root-{number - 2}", f"root-{number}")
        assert plant.pending() == []
    pack = plant.packed(2, file)
    assert trust.accept(pack).assignment.serial == 2
    assert late.accept(pack).assignment.serial == 2  # through all roots, from the first


def test_one_of_two_is_not_enough_and_the_other_finishes_it(strict):
    plant = strict
    add(plant)
    key = new_key(plant, "bob")
    assert change(plant, Change({"targets": [key]}), "root-1", "targets-1")["missing"] == 2
    waits = {one.role: one for one in plant.pending()}
    assert waits["root"].signed == ("root-1",)
    assert waits["root"].may == ("root-2", "root-3")
    assert waits["targets"].may == ("bob", "targets-2", "targets-3")
    assert [one.missing for one in waits.values()] == [1, 1]
    assert plant.signatures("root-1") == []  # has signed already
    first = plant.signatures("root-3")
    assert plant.give(plant.order("sign", {"signatures": first}))["missing"] == 1
    second = plant.signatures("bob", "root-2")
    assert plant.give(plant.order("sign", {"signatures": second}))["root"] == 2
    assert plant.pending() == []


def test_what_waits_is_not_in_force(strict):
    plant = strict
    file = add(plant)
    trust = plant.trust()
    key = new_key(plant, "mallory")
    wish = Change({"targets": [key]}, thresholds={"targets": 1})
    change(plant, wish, "root-1", "targets-1")
    pack = plant.packed(1, file)
    assert trust.accept(pack).assignment.serial == 1
    with pytest.raises(RepositoryError, match="no key that signs targets"):
        plant.push(bundle(seed=2), "mallory")


def test_signatures_of_others_and_broken_ones_do_not_count(strict):
    plant = strict
    add(plant)
    new_key(plant, "mallory")
    change(plant, Change(thresholds={"root": 3}), "root-1", "root-2")
    (good,) = plant.signatures("root-3")
    flipped = format(int(good["sig"][:2], 16) ^ 1, "02x") + good["sig"][2:]
    wrong = [
        {**good, "sig": flipped},
        {**good, "sig": "zz"},
        {**good, "sig": ""},
        {**good, "keyid": keyid(plant, "mallory")},
        {**good, "keyid": keyid(plant, "targets-1")},
        {**good, "version": 7},
        {**good, "role": "targets"},
        {},
    ]
    for one in wrong:
        with pytest.raises(OrderRefused, match="meanwhile"):
            plant.give(plant.order("sign", {"signatures": [one]}))
    assert plant.pending()[0].missing == 1
    assert plant.give(plant.order("sign", {"signatures": [*wrong, good]}))["missing"] == 0


def test_one_change_at_a_time(strict):
    plant = strict
    add(plant)
    change(plant, Change(thresholds={"root": 3}), "root-1")
    with pytest.raises(OrderRefused, match="another change waits"):
        change(plant, Change(thresholds={"root": 1}), "root-1", "root-2")
    plant.give(plant.order("discard", {}))
    assert plant.pending() == []
    with pytest.raises(OrderRefused, match="nothing waits"):
        plant.give(plant.order("discard", {}))
    assert change(plant, Change(thresholds={"root": 1}), "root-1", "root-2")["missing"] == 0


def test_a_document_made_of_what_is_no_longer_there_is_refused(plant):
    add(plant)
    wish = Change(thresholds={"root": 1})
    root = plant.look(lambda ceremony, roles: ceremony.changed(roles, wish), "root-1")
    push = plant.push(bundle(seed=2), "targets-1", rollout="r2")
    plant.give(plant.order("offer", root.as_json()))
    with pytest.raises(OrderRefused, match="meanwhile"):
        plant.give(plant.order("offer", root.as_json()))
    plant.give(plant.push(bundle(seed=3), "targets-1", rollout="r3"), bundle(seed=3))
    with pytest.raises(OrderRefused, match="meanwhile"):
        plant.give(push, bundle(seed=2))  # it would drop what was listed since


def test_nobody_can_make_the_repository_unusable(plant):
    add(plant)
    root = keyid(plant, "root-1")
    for wish in (
        Change(remove={"root": [root]}),
        Change(remove={"targets": [root]}),
        Change(thresholds={"targets": 2}),
        Change(add={"root": [keys.read_public(plant.whole.folder.keys / "root-1.pub")]}),
    ):
        with pytest.raises(RepositoryError):
            plant.look(lambda one, roles, wish=wish: one.changed(roles, wish), "root-1")


@pytest.mark.parametrize("text", ["", "{}", "null", "[]", '{"signed": {"_type": "root"}}'])
def test_offers_that_are_none(plant, text):
    add(plant)
    for body in (
        Offer(text).as_json(),
        {"root": 5},
        {"base": "x"},
        {"targets": text, "base": None},
    ):
        with pytest.raises(OrderRefused):
            plant.give(plant.order("offer", body))
    assert plant.pending() == []


def test_a_document_that_nobody_signed_does_not_wait(strict):
    plant = strict
    add(plant)
    offer = plant.look(
        lambda one, roles: one.changed(roles, Change(thresholds={"root": 3})), "root-1"
    )
    content = json.loads(offer.root)
    stranger = {**content["signatures"][0], "keyid": "0" * 64}
    flipped = {**content["signatures"][0], "sig": "0" * 128}
    for signatures in ([], [stranger], [flipped]):
        bare = json.dumps({**content, "signatures": signatures})
        with pytest.raises(OrderRefused, match="nobody of those"):
            plant.give(plant.order("offer", Offer(bare).as_json()))


def test_root_and_targets_are_signed_for_another_year(plant):
    file = add(plant)
    trust = plant.trust()
    plant.now = NOON + 300 * DAY
    offer = plant.look(lambda one, roles: one.renewed(roles), "root-1", "targets-1")
    assert plant.give(plant.order("offer", offer.as_json()))["root"] == 2
    plant.now = NOON + 500 * DAY
    assert trust.accept(plant.packed(1, file)).assignment.serial == 1


def test_a_list_that_ended_is_refused(plant):
    file = add(plant)
    plant.now = NOON + 400 * DAY
    assert refusal(plant.trust(), plant.packed(1, file)) == "expired"


def test_stale_says_what_to_do():
    assert Stale().mend == "do it again"


def test_what_is_struck_off_the_list_is_not_assigned(plant):
    plant.give(plant.push(), bundle())
    plant.give(plant.order("rollback", {"rollout": "r1"}))
    offer = plant.look(lambda one, roles: one.striking(roles, bundle().digest), "targets-1")
    assert plant.give(plant.order("offer", offer.as_json()))["missing"] == 0
    with pytest.raises(RepositoryError, match="not signed by the targets"):
        plant.packed(1, bundle().as_file())
    with pytest.raises(MetadataError, match="not listed"):
        plant.look(lambda one, roles: one.striking(roles, bundle().digest), "targets-1")


def spoil(plant, name, change):
    """Write to the database as its owner can, who has no key of a person."""
    with plant.database.transaction() as connection:
        repository = plant.with_keys()
        roles = repository.open(connection)
        document = change(repository.document(roles, name))
        only = name != "root"
        roles.put(name, document.signed.version, metadata.to_bytes(document), only=only)


def with_another(file):
    return lambda targets: metadata.with_bundle(targets, file, NOON)


def of_a_thief(plant, folder):
    thief = keys.make(folder, "thief")

    def change(root):
        document, _ = with_keys(root, metadata.first_targets(thief, NOON), Change(), NOON)
        document.signed.keys[thief.keyid] = thief
        document.signed.roles["targets"].keyids.append(thief.keyid)
        metadata.sign(document, Ring([folder]).signers([thief.keyid]))
        return document

    return change


@pytest.mark.parametrize("role", ["targets", "root"])
def test_nobody_signs_along_what_was_put_into_the_database(plant, tmp_path, role):
    evil = bundle(seed=66, name="evil").as_file()
    spoil(
        plant,
        role,
        with_another(evil) if role == "targets" else of_a_thief(plant, tmp_path / "thief"),
    )
    for work in (
        lambda ceremony, roles: ceremony.listing(roles, bundle().as_file()),
        lambda ceremony, roles: ceremony.striking(roles, evil.digest),
        lambda ceremony, roles: ceremony.changed(roles, Change(thresholds={"root": 1})),
        lambda ceremony, roles: ceremony.renewed(roles),
        lambda ceremony, roles: ceremony.signatures(roles),
    ):
        with pytest.raises(RepositoryError, match="not signed by who may"):
            plant.look(work, "root-1", "targets-1")


def test_who_signs_second_is_told_what_it_is(strict):
    add_key = Change(add={"targets": [new_key(strict, "dora")]}, thresholds={"targets": 1})
    change(strict, add_key, "root-1", "targets-1")
    waiting = {one.role: one.changes for one in strict.pending()}
    dora = keyid(strict, "dora")[:12]
    assert waiting["root"] == (f"dora ({dora}) may sign targets", "targets needs 1 of 4 keys")
    strict.give(strict.order("discard", {}))
    parcel = bundle()
    strict.give(strict.push(parcel, "targets-1"), parcel)
    (waits,) = strict.pending()
    file = parcel.as_file()
    said = f"rings 1.1.0 ({file.digest[:12]}, {file.path}, 100,000 bytes)"
    assert waits.changes == (f"lists {said}",)
    strict.give(strict.order("sign", {"signatures": strict.signatures("targets-2")}))
    struck = strict.look(lambda ceremony, roles: ceremony.striking(roles, file.digest), "targets-1")
    strict.give(strict.order("rollback", {"rollout": "r1"}))
    strict.give(strict.order("offer", struck.as_json()))
    assert strict.pending()[0].changes == (f"strikes {said}",)


def test_another_key_for_the_assignments_is_told(strict):
    old, new = keyid(strict, "assignments"), new_key(strict, "assignments.2")
    wish = Change(add={BINS: [new]}, remove={BINS: [old]})
    change(strict, wish, "root-1", "targets-1", at_serve=("assignments.2",))
    (targets,) = [one for one in strict.pending() if one.role == "targets"]
    assert targets.changes == (
        f"assignments.2 ({new.keyid[:12]}) may sign assignments",
        f"assignments ({old[:12]}) signs assignments no more",
    )
