"""Whatever a pack holds, a station refuses it in words, or takes exactly what was signed."""

import contextlib
import json
import random
import tracemalloc
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from securesystemslib.formats import encode_canonical
from tuf.api.serialization import DeserializationError

from sync.pack import unpack
from sync.refusals import TrustRefused
from tests.simulators.signer import START, assignment_of, text
from tests.sync.trusting import STATION, Station

OUTSIDE = ("timestamp.json", "2.root.json")
"""What is read before anything vouches for it."""
FEW = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["root", "timestamp", "2030-01-01T00:00:00Z", "0" * 64, "\ud800"]),
)
SHAPES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@pytest.fixture
def station(tmp_path):
    made = Station(tmp_path)
    made.accept()
    return made


def judged(station, pack):
    """Refused with a code, or accepted as what was signed; nothing else can happen."""
    try:
        accepted = station.trust.accept(pack)
    except TrustRefused as refused:
        return refused.code
    assert accepted.assignment == assignment_of()
    return "accepted"


def compressed(content):
    return zlib.compress(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())


def written(files):
    """A pack as `pack` makes it, but without a look at what is in it."""
    return compressed({"files": files, "schema": "pack/1", "sent_at": text(START)})


def test_any_bit_of_a_pack(station):
    """Few flipped bits get past zlib's checksum; those are judged like any other forgery."""
    whole = station.fleet.pack()
    genuine, passed = unpack(whole), 0
    for bit in range(len(whole) * 8):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        with contextlib.suppress(TrustRefused):
            same = unpack(bytes(changed)) == genuine  # the bits that fill up a byte say nothing
            assert judged(station, bytes(changed)) == "accepted" or not same
            passed += 1
    assert passed < 50
    assert judged(station, whole) == "accepted"


def test_bits_of_what_is_inside(station):
    """Packed anew after the change, as an attacker would."""
    content = zlib.decompress(station.fleet.pack())
    chance, seen = random.Random(1), set()
    for _ in range(400):
        changed = bytearray(content)
        changed[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        seen.add(judged(station, zlib.compress(bytes(changed))))
    assert {"malformed", "wrong_key", "mix_and_match"} <= seen
    assert judged(station, station.fleet.pack()) == "accepted"


@FEW
@given(st.data())
def test_pieces_of_a_pack_in_any_order(station, data):
    """Texts of three states, under any of their names."""
    states = [station.fleet.files()]
    for serial in (2, 3):
        station.fleet.assign(assignment_of(serial=serial))
        states.append(station.fleet.files())
    names = sorted({name for files in states for name in files})
    texts = [body for files in states for body in files.values()]
    files = {
        name: data.draw(st.sampled_from(texts))
        if data.draw(st.integers(0, 3)) == 0
        else next(files[name] for files in reversed(states) if name in files)
        for name in names
        if data.draw(st.integers(0, 9)) > 0
    }
    try:
        accepted = station.trust.accept(written(files)).assignment
    except TrustRefused:
        return
    assert accepted.serial in (1, 2, 3)
    assert accepted == assignment_of(serial=accepted.serial)


@FEW
@given(SHAPES, st.sampled_from(OUTSIDE))
def test_hostile_documents(station, shape, name):
    files = {**station.fleet.files(), name: json.dumps(shape)}
    assert judged(station, written(files)) not in ("accepted", "not_stored")


@FEW
@given(SHAPES, st.randoms(use_true_random=False), st.sampled_from(OUTSIDE))
def test_hostile_members_of_documents(station, shape, chance, name):
    document = json.loads(station.fleet.files()[name.replace("2.", "1.")])
    replace_somewhere(document, shape, chance)
    assert judged(station, written({**station.fleet.files(), name: json.dumps(document)}))


@FEW
@given(SHAPES, st.randoms(use_true_random=False), st.integers(0, 4))
def test_hostile_members_that_are_signed(station, shape, chance, which):
    """By a thief of the online keys."""
    fleet = station.fleet
    honest = dict(fleet.documents)
    bin_ = next(name for name in honest if honest[name].find(STATION.encode()) > 0)
    role = ("timestamp", "snapshot", "targets", bin_, bin_)[which]
    document = json.loads(honest[role])
    replace_somewhere(document["signed"], shape, chance)
    try:
        signed = encode_canonical(document["signed"]).encode()
    except Exception:
        return  # nothing that could be signed
    key = fleet.keys["assignments" if role == bin_ else role]
    document["signatures"] = [one.sign(signed).to_dict() for one in key]
    fleet.documents[role] = json.dumps(document).encode()
    try:
        if role == "snapshot":
            fleet.sign_timestamp()
        elif role != "timestamp":
            fleet.sign_snapshot()
            fleet.sign_timestamp()
        judged(station, written(fleet.files()))
    except (ValueError, KeyError, TypeError, AttributeError, DeserializationError):
        pass  # the simulator itself could not go on with it
    finally:
        fleet.documents = honest


def replace_somewhere(document, shape, chance):
    """Put a shape in the place of one member, somewhere below."""
    here = document
    while True:
        if not here:
            return
        name = chance.choice(sorted(here) if isinstance(here, dict) else list(range(len(here))))
        if isinstance(here[name], dict | list) and chance.random() < 0.7:
            here = here[name]
        else:
            here[name] = shape
            return


@FEW
@given(SHAPES, st.randoms(use_true_random=False))
def test_hostile_assignments_that_are_signed(station, shape, chance):
    content = assignment_of(serial=2).as_json()
    replace_somewhere(content, shape, chance)
    path = f"assignments/{STATION}.json"
    station.fleet.assigned[path] = json.dumps(content).encode()
    station.fleet.publish()
    with contextlib.suppress(TrustRefused):
        accepted = station.trust.accept(station.fleet.pack())
        assert accepted.assignment.bundle == assignment_of().bundle


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("depth", [200, 900, 3000, 100_000])
def test_deep_nesting(station, name, depth):
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        open_ = opening * depth
        whole = open_ + "1" + closing * depth
        document = json.loads(station.fleet.files()["timestamp.json"])
        document["signed"]["more"] = "HERE"
        inside = json.dumps(document).replace('"HERE"', whole)
        for said in (open_, whole, inside):
            assert judged(station, written({**station.fleet.files(), name: said})) in (
                "malformed",
                "endless",
                "wrong_key",
            )


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("unit", ["[],", "{},", '"",', "1,", "null,"])
def test_many_small_things_cost_little(station, name, unit):
    """A short text can stand for many objects: the largest that is read at all stays bounded."""
    for size in (16_000, 250_000, 2_000_000):
        said = "[" + unit * (size // len(unit)) + "1]"
        pack = written({**station.fleet.files(), name: said})
        tracemalloc.start()
        assert judged(station, pack) in ("malformed", "endless")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 32 * 2**20


@FEW
@given(st.binary(max_size=60))
def test_noise_in_a_document(station, noise):
    for name in OUTSIDE:
        files = {**station.fleet.files(), name: noise.decode("latin-1")}
        assert judged(station, written(files)) != "accepted"


def test_names_said_twice(station):
    """The last one counts for the reader, and the signature is over what the reader sees."""
    said = station.fleet.documents["timestamp"].decode()
    twice = said.replace('"version":', '"version":99999,"version":', 1)
    assert twice != said
    assert judged(station, station.fleet.pack(**{"timestamp.json": twice})) == "accepted"
    last = said.replace('"signed":', '"signed":{"version":1},"signed":', 1)
    assert judged(station, station.fleet.pack(**{"timestamp.json": last})) == "accepted"
    forged = said.rstrip("}") + ',"version":99999}}'
    assert judged(station, station.fleet.pack(**{"timestamp.json": forged})) == "wrong_key"


@pytest.mark.parametrize("name", ["\ud800", "a\nb", "\x1b[2J"])
def test_what_is_quoted_of_it_can_be_logged_sent_and_shown(station, name):
    files = dict(unpack(station.fleet.pack()).files)
    files[f"targets/assignments/{STATION}.json"] = json.dumps({"station": name})
    with pytest.raises(TrustRefused) as caught:
        station.trust.accept(written(files))
    assert caught.value.code == "other_station"
    assert caught.value.what.isprintable()
    assert len(TrustRefused("malformed", "x" * 5000).what) == 300
