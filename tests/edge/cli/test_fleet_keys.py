"""Keys from the command line, and a push that waits for the second person."""

import json
import shutil

import pytest

from edge.store.lock import Lock
from inference.bundle import load
from sync.fleet.rollout_tables import rollouts
from sync.fleet.tables import METADATA
from tests.edge.cli.test_fleet_push import WHO, Fleet
from tests.inference.bundles import make


@pytest.fixture
def fleet(tmp_path, monkeypatch):
    return Fleet(tmp_path, monkeypatch)


@pytest.fixture
def pair(tmp_path, monkeypatch):
    """Two targets keys must sign; each is on a stick of its own."""
    made = Fleet(tmp_path, monkeypatch, "--targets-keys", "2", "--targets-threshold", "2")
    for name in ("targets-1", "targets-2"):
        (tmp_path / name).mkdir()
        shutil.move(tmp_path / "repo" / "keys" / f"{name}.pem", tmp_path / name)
    return made


def listed(fleet):
    return json.loads(fleet.good("keys", "list", "--json").stdout)


def roles(fleet):
    return {
        one["role"]: (one["threshold"], [key["name"] for key in one["keys"]])
        for one in listed(fleet)["roles"]
    }


def test_the_first_keys(fleet):
    assert roles(fleet) == {
        "root": (1, ["root-1"]),
        "targets": (1, ["targets-1"]),
        "online": (1, ["online"]),
        "assignments": (1, ["assignments"]),
    }
    words = fleet.good("keys", "list").stdout
    assert "root         1 of root-1, until 20" in words


def test_init_makes_nothing_where_something_is(fleet, tmp_path):
    done = fleet.run("init", str(tmp_path / "repo"))
    assert done.exit_code == 1
    assert "not empty" in done.stderr


def test_sealed_keys(tmp_path, monkeypatch):
    phrase = tmp_path / "phrase"
    phrase.write_text("correct horse\n")
    fleet = Fleet(tmp_path, monkeypatch, "--passphrase-file", str(phrase))
    bundle = make(tmp_path / "bundle").root
    done = fleet.push(bundle)
    assert done.exit_code == 1
    assert "sealed" in done.stderr
    assert fleet.push(bundle, "--passphrase-file", str(phrase)).exit_code == 0
    made = fleet.good("keys", "rotate", "targets-1", *WHO, "--passphrase-file", str(phrase))
    assert "targets-1.2.pem is its private key" in made.stderr
    assert "ENCRYPTED" in (tmp_path / "repo" / "keys" / "targets-1.2.pem").read_text()
    fleet.good("keys", "rotate", "online", *WHO, "--passphrase-file", str(phrase))
    assert "ENCRYPTED" not in (tmp_path / "repo" / "keys" / "online.2.pem").read_text()


def test_a_push_waits_for_the_second_person(pair, tmp_path):
    bundle = make(tmp_path / "bundle").root
    none = pair.push(bundle)
    assert none.exit_code == 1
    assert "no key that signs targets" in none.stderr
    done = pair.push(bundle, "--keys", str(tmp_path / "targets-1"))
    assert done.exit_code == 0, done.output
    assert "waits for 1 more signature\n" in done.stderr
    assert pair.read(rollouts)[0].state == "pending"
    (waits,) = listed(pair)["pending"]
    assert (waits["signed"], waits["may"]) == (["targets-1"], ["targets-2"])
    assert "waits: targets" in pair.good("keys", "list").stdout
    assert "→ edge-inspect fleet keys list tells what waits" in pair.good("status").stdout
    again = pair.run("keys", "sign", "--by", "ann", "--keys", str(tmp_path / "targets-1"))
    assert again.exit_code == 1
    assert "these are: targets-2" in again.stderr
    second = ("keys", "sign", "--by", "bob", "--keys", str(tmp_path / "targets-2"))
    told = f"lists bright 1.2.3 ({load(bundle).digest[:12]}, "
    assert told in pair.good("keys", "list").stdout
    assert told in pair.good(*second, "--dry-run").stderr, "nobody signs what was not said"
    assert pair.read(rollouts)[0].state == "pending"
    assert "begins" in pair.good(*second).stderr
    assert pair.read(rollouts)[0].state == "running"
    assert pair.run(*second).exit_code == 1


def test_what_waits_is_dropped(pair, tmp_path):
    pair.push(make(tmp_path / "bundle").root, "--keys", str(tmp_path / "targets-1"))
    pair.good("keys", "sign", "--by", "ann", "--discard")
    assert listed(pair)["pending"] == []
    assert pair.read(rollouts)[0].state == "cancelled"


def test_a_key_that_was_made_elsewhere_is_let_in(fleet, tmp_path):
    made = fleet.good("keys", "make", "bob", "--out", str(tmp_path / "bob"))
    public = str(tmp_path / "bob" / "bob.pub")
    add = ("keys", "add", "bob", "--role", "targets", "--public", public, *WHO)
    fleet.good(*add, "--threshold", "targets=2", "--dry-run")
    assert roles(fleet)["targets"] == (1, ["targets-1"])
    done = fleet.good(*add, "--threshold", "targets=2")
    assert "waits for 1 more" in done.stderr  # the new list needs both
    fleet.good("keys", "sign", "--by", "bob", "--keys", str(tmp_path / "bob"))
    assert roles(fleet)["targets"] == (2, ["targets-1", "bob"])
    key = next(one for one in listed(fleet)["roles"][1]["keys"] if one["name"] == "bob")
    assert (key["id"], key["here"]) == (made.stdout.strip(), False)
    assert fleet.run(*add).exit_code == 1  # it may already


def test_no_two_keys_have_one_name(fleet, tmp_path):
    for folder in ("one", "two"):
        fleet.good("keys", "make", "bob", "--out", str(tmp_path / folder))
    public = [str(tmp_path / folder / "bob.pub") for folder in ("one", "two")]
    other = fleet.run("keys", "add", "ann", "--role", "root", "--public", public[0], *WHO)
    assert other.exit_code == 1
    assert "holds the key 'bob'" in other.stderr
    fleet.good("keys", "add", "bob", "--role", "root", "--public", public[0], *WHO)
    fleet.good("keys", "add", "bob", "--role", "targets", "--public", public[0], *WHO)
    for words in (("add", "bob", "--role", "root"), ("rotate", "targets-1")):
        second = fleet.run("keys", *words, "--public", public[1], *WHO)
        assert second.exit_code == 1
        assert "another key is called 'bob'" in second.stderr
    id_ = next(one["id"] for one in listed(fleet)["roles"][0]["keys"] if one["name"] == "bob")
    fleet.good("keys", "revoke", id_, *WHO)
    assert roles(fleet)["targets"] == (1, ["targets-1"])


def test_revoking_and_thresholds(fleet):
    fleet.good("keys", "add", "carol", "--role", "root", "--role", "targets", *WHO)
    fleet.good("keys", "threshold", "root=2", *WHO)
    assert roles(fleet)["root"] == (2, ["root-1", "carol"])
    assert fleet.run("keys", "revoke", "carol", *WHO).exit_code == 1  # two would be needed of one
    fleet.good("keys", "revoke", "carol", "--role", "targets", *WHO)
    fleet.good("keys", "revoke", "carol", "--threshold", "root=1", *WHO)
    assert roles(fleet)["root"] == (1, ["root-1"])
    assert fleet.run("keys", "revoke", "carol", *WHO).exit_code == 1
    assert listed(fleet)["root"] == 5


def test_rotating_takes_all_roles_in_one_step(fleet, tmp_path):
    for name in ("root-1", "targets-1", "online", "assignments"):
        fleet.good("keys", "rotate", name, *WHO)
    names = {one for _, (own,) in roles(fleet).values() for one in [own]}
    assert names == {"root-1.2", "targets-1.2", "online.2", "assignments.2"}
    fleet.good("keys", "rotate", "online.2", "--to", "box-7", *WHO)
    assert roles(fleet)["online"] == (1, ["box-7"])
    assert fleet.push(make(tmp_path / "bundle").root).exit_code == 0


def test_renewal(fleet):
    fleet.good("keys", "sign", "--renew", "--by", "ann")
    assert listed(fleet)["root"] == 2


def test_the_newest_root_is_exported(fleet, tmp_path):
    first = fleet.good("keys", "export-root").stdout
    assert json.loads(first)["signed"]["version"] == 1
    fleet.good("keys", "rotate", "root-1", *WHO)
    fleet.good("keys", "export-root", "--out", str(tmp_path / "root.json"))
    assert json.loads((tmp_path / "root.json").read_text())["signed"]["version"] == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("add", "bob", *WHO), 2),
        (("add", "bob", "--role", "king", *WHO), 2),
        (("add", "Bob", "--role", "root", *WHO), 1),
        (("add", "bob", "--role", "root", "--public", "nowhere.pub", *WHO), 1),
        (("threshold", "root", *WHO), 2),
        (("threshold", "root=0", *WHO), 2),
        (("threshold", "root=2", *WHO), 1),
        (("rotate", "bob", *WHO), 1),
        (("sign", "--by", "ann"), 1),
        (("sign", "--by", "ann", "--renew", "--discard"), 2),
        (("make", "../bob", "--out", "x"), 1),
    ],
)
def test_what_cannot_be_is_said_in_words(fleet, words, code):
    done = fleet.run("keys", *words)
    assert done.exit_code == code, done.output
    assert "→" in done.stderr


def everything(fleet):
    """Every row, and every byte of the repository."""
    files = [path for path in (fleet.folder / "repo").rglob("*") if path.is_file()]
    rows = {table.name: sorted(map(repr, fleet.read(table))) for table in METADATA.sorted_tables}
    return {path: path.read_bytes() for path in files}, rows


def waits(fleet):
    """A change of keys that a second person has to sign."""
    made = fleet.good("keys", "make", "bob", "--out", str(fleet.folder / "bob"))
    more = ("--public", str(fleet.folder / "bob" / "bob.pub"), "--threshold", "root=2")
    fleet.good("keys", "add", "bob", "--role", "root", *more, *WHO)
    return made


def rolled_out(fleet):
    fleet.push(make(fleet.folder / "bundle").root)


def without_online_key(fleet):
    fleet.good("keys", "make", "new", "--out", str(fleet.folder / "new"))


DIGEST = "{digest}"
REFUSED = [
    (rolled_out, ("strike", DIGEST), "still rolls it out"),
    (waits, ("keys", "rotate", "root-1"), "another change waits"),
    (waits, ("keys", "add", "ann", "--role", "root"), "another change waits"),
    (waits, ("keys", "threshold", "targets=1"), "another change waits"),
    (waits, ("keys", "sign", "--renew"), "another change waits"),
    (waits, ("push", "{bundle}", "--to", "a/b/c", "--skip-proof"), "another change waits"),
    (without_online_key, ("keys", "rotate", "online", "--public", "{new}"), "is not in"),
    (without_online_key, ("keys", "revoke", "root-1"), "root"),
    (rolled_out, ("push", "{other}", "--to", "a/b/c", "--skip-proof"), "another bundle was pushed"),
    (rolled_out, ("resume", "bright-1.2.3"), "is running"),
]


def name_of(one):
    return one.__name__ if callable(one) else " ".join(one[:2])


@pytest.mark.parametrize(("before", "words", "told"), REFUSED, ids=name_of)
def test_a_dry_run_is_refused_where_the_order_is(fleet, before, words, told):
    before(fleet)
    places = {
        "digest": load(make(fleet.folder / "same").root).digest,
        "bundle": make(fleet.folder / "unpushed", version="9.0.0").root,
        "other": make(fleet.folder / "other", deadline_ms=77).root,
        "new": fleet.folder / "new" / "new.pub",
    }
    words = [word.format(**places) for word in words]
    who = ("--by", "ann") if "--renew" in words else WHO
    was = everything(fleet)
    dry = fleet.run(*words, *who, "--dry-run")
    assert everything(fleet) == was
    real = fleet.run(*words, *who)
    assert (dry.exit_code, real.exit_code) == (1, 1), dry.output
    assert told in dry.stderr
    assert real.stderr.endswith(dry.stderr)  # before it, a key that was made


@pytest.mark.parametrize(
    "words",
    [
        ("keys", "rotate", "root-1"),
        ("keys", "rotate", "online"),
        ("keys", "rotate", "assignments"),
        ("keys", "add", "ann", "--role", "targets"),
        ("keys", "sign", "--renew"),
        ("pause",),
        ("rollback",),
        ("push", "{bundle}", "--to", "a/b/c", "--skip-proof"),
    ],
    ids=" ".join,
)
def test_a_dry_run_of_what_is_carried_out_changes_nothing(fleet, words):
    rolled_out(fleet)
    more = make(fleet.folder / "more", version="9.0.0").root
    words = [word.format(bundle=more) for word in words]
    who = ("--by", "ann") if "--renew" in words else WHO
    was = everything(fleet)
    with Lock(fleet.folder / "db" / "fleet.db.lock", "edge-inspect fleet serve"):
        dry = fleet.good(*words, *who, "--dry-run")  # whoever holds it is not waited for
    assert "nothing changed" in dry.stderr
    assert everything(fleet) == was
    fleet.good(*words, *who)
    assert everything(fleet) != was


def test_a_bundle_is_struck_off_the_list(fleet, tmp_path):
    fleet.push(make(tmp_path / "bundle").root)
    digest = json.loads(fleet.good("models", "--json").stdout)["digest"]
    strike = ("strike", digest[:12], *WHO)
    done = fleet.run(*strike)
    assert done.exit_code == 1
    assert "still rolls it out" in done.stderr
    fleet.good("rollback", *WHO)
    fleet.good(*strike, "--dry-run")
    assert json.loads(fleet.good("models", "--json").stdout)["signed"]
    fleet.good(*strike)
    assert not json.loads(fleet.good("models", "--json").stdout)["signed"]
    assert "0 listed bundles" in fleet.run(*strike).stderr
    assert fleet.run("strike", "ab", *WHO).exit_code == 2
    assert fleet.push(make(tmp_path / "again").root).exit_code == 0  # on purpose, by its keys


def test_the_ceremony_of_the_documentation(fleet, tmp_path):
    """Two persons take over from the keys that `init` made, each with a key of their own."""
    phrase = tmp_path / "phrase"
    phrase.write_text("correct horse")
    sealed = ("--passphrase-file", str(phrase))
    for name, more in (("ann", sealed), ("bob", ())):
        fleet.good("keys", "make", name, "--out", str(tmp_path / name), *more)
        public = str(tmp_path / name / f"{name}.pub")
        roles_of = ("--role", "root", "--role", "targets")
        fleet.good("keys", "add", name, *roles_of, "--public", public, *WHO)
    stick, other = ("--keys", str(tmp_path / "ann"), *sealed), ("--keys", str(tmp_path / "bob"))
    for role in ("root", "targets"):
        words = ("keys", "revoke", f"{role}-1", "--threshold", f"{role}=2", *WHO, *stick)
        assert "waits for" in fleet.good(*words).stderr
        fleet.good("keys", "sign", "--by", "bob", *other)
        (tmp_path / "repo" / "keys" / f"{role}-1.pem").unlink()
    assert roles(fleet)["root"] == roles(fleet)["targets"] == (2, ["ann", "bob"])
    assert fleet.push(make(tmp_path / "bundle").root, *stick).exit_code == 0
    assert "begins" in fleet.good("keys", "sign", "--by", "bob", *other).stderr
