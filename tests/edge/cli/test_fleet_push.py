"""Pushing from the command line: what is asked, what is refused, what is said."""

import json
import shlex
import shutil

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from edge.cli.fleet import app
from edge.store.lock import Lock
from inference.bundle import load
from inference.manifest import from_yaml
from sync.fleet.database import Database
from sync.fleet.plan import parse
from sync.fleet.rollout_tables import bundles, members, model_states, rollouts
from sync.fleet.tables import stations
from tests.inference.bundles import make, manifest
from tests.sync.fleet.depot import state

WHO = ("--by", "ann", "--reason", "better")


class Fleet:
    """A repository, a database, and the commands."""

    def __init__(self, folder, monkeypatch, *options):
        self.folder, self.url = folder, f"sqlite:///{folder}/db/fleet.db"
        monkeypatch.setenv("EDGE_INSPECT_FLEET_DATABASE", self.url)
        monkeypatch.setenv("EDGE_INSPECT_FLEET_REPOSITORY", str(folder / "repo"))
        done = self.run("init", str(folder / "repo"), *options)
        assert done.exit_code == 0, done.output

    def run(self, *words):
        return CliRunner().invoke(app, [*words])

    def good(self, *words):
        done = self.run(*words)
        assert done.exit_code == 0, done.output
        return done

    def push(self, bundle, *words, to="a/b/c", proof=False):
        skip = () if proof else ("--skip-proof",)
        return self.run("push", str(bundle), "--to", to, *WHO, *skip, *words)

    def read(self, table):
        database = Database(self.url)
        with database.transaction() as connection:
            found = connection.execute(sa.select(table)).all()
        database.close()
        return found

    def hear(self, *names):
        database = Database(self.url)
        with database.transaction() as connection:
            for name in names:
                row = {"station": name, "at": "2026", "status": "{}"}
                connection.execute(sa.insert(stations), [row])
        database.close()

    def says(self, states):
        database = Database(self.url)
        with database.transaction() as connection:
            for name, body in states.items():
                row = {"station": name, "at": "2026", "body": body}
                connection.execute(sa.insert(model_states), [row])
        database.close()


@pytest.fixture
def fleet(tmp_path, monkeypatch):
    return Fleet(tmp_path, monkeypatch)


@pytest.fixture
def bundle(tmp_path):
    return make(tmp_path / "bundle").root


def test_a_bundle_that_ships_with_this_is_proved_signed_and_rolled_out(fleet):
    done = fleet.push("@rings", proof=True)
    assert done.exit_code == 0, done.output
    assert "proving rings" in done.stderr
    assert "golden pictures" in done.stderr
    assert "never heard" in done.stderr
    (row,) = fleet.read(rollouts)
    assert (row.state, row.by, row.reason) == ("running", "ann", "better")
    assert row.id.startswith("rings-1.")
    assert [one.station for one in fleet.read(members)] == ["a/b/c"]


def test_what_is_typed_is_in_the_plan(fleet, bundle):
    done = fleet.push(
        bundle, "--strategy", "shadow", "--canary", "1,10%", "--waves", "1,10%", "--no-promote",
        "--again", "--not-trained-on-station-pictures", "--min-parts", "50", "--max-permissive",
        "1%", "--max-escalation-rise", "0.2", "--max-overkill-rise", "0", "--max-latency-ratio",
        "2", "--wait-calibration-days", "2", "--max-failed", "25%", "--max-deaths", "7",
        "--success", "80%", "--to", "a/*/*", to="a/b/d",
    )  # fmt: skip
    assert done.exit_code == 1  # nobody fits a/*/* yet
    assert "no station that was ever heard fits 'a/*/*'" in done.stderr
    fleet.hear("a/b/c", "b/b/c")
    words = done = fleet.push(
        bundle, "--strategy", "shadow", "--canary", "1,10%", "--waves", "1,10%", "--no-promote",
        "--again", "--not-trained-on-station-pictures", "--min-parts", "50", "--max-permissive",
        "1%", "--max-escalation-rise", "0.2", "--max-overkill-rise", "0", "--max-latency-ratio",
        "2", "--wait-calibration-days", "2", "--max-failed", "25%", "--max-deaths", "7",
        "--success", "80%", "--to", "a/*/*", "--json", to="a/b/d",
    )  # fmt: skip
    assert done.exit_code == 0, words.output
    assert json.loads(done.stdout)["stations"] == 2
    plan = parse(fleet.read(rollouts)[0].plan)
    assert (plan.targets, plan.strategy, plan.steps) == (("a/b/d", "a/*/*"), "shadow", (1.0, 10.0))
    assert plan.waves == ("1", "10%", "100%")
    assert (plan.promote, plan.again, plan.not_trained_on_yours) == (False, True, True)
    assert (plan.limits.min_parts, plan.limits.max_permissive) == (50, 0.01)
    assert (plan.limits.max_escalation_rise, plan.limits.max_overkill_rise) == (0.2, 0.0)
    assert (plan.limits.max_latency_ratio, plan.limits.wait_calibration_s) == (2.0, 172800.0)
    thresholds = plan.thresholds
    assert (thresholds.max_failed, thresholds.max_deaths, thresholds.success) == (0.25, 7, 0.8)
    assert (thresholds.min_parts, thresholds.max_permissive) == (50, 0.01)
    assert {one.station for one in fleet.read(members)} == {"a/b/c", "a/b/d"}


@pytest.mark.parametrize(
    "words",
    [
        ("--strategy", "hope"),
        ("--canary", "x"),
        ("--canary", "25,5"),
        ("--waves", "none"),
        ("--max-permissive", "200%"),
        ("--max-failed", "many"),
        ("--to", "a/b"),
        ("--to", "a/b/#"),
        ("--max-latency-ratio", "nan"),
        ("--min-parts", "0"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_else(fleet, bundle, words):
    done = fleet.push(bundle, *words)
    assert done.exit_code == 2, done.output
    assert "→" in done.stderr or "Usage" in done.stderr


def test_an_unconfirmed_bundle_is_refused_unless_told(fleet, tmp_path):
    made = make(tmp_path / "guessed", provenance={"colour": "guessed"})
    done = fleet.push(made.root)
    assert done.exit_code == 1
    assert "colour" in done.stderr
    assert "model confirm" in done.stderr
    assert fleet.push(made.root, "--unconfirmed", "--strategy", "blue-green").exit_code == 2
    assert fleet.push(made.root, "--unconfirmed").exit_code == 0


def test_a_bundle_that_is_not_proved_here_is_refused(fleet, tmp_path):
    broken = make(tmp_path / "broken", model=b"no model").root
    done = fleet.push(broken, proof=True)
    assert done.exit_code == 4
    assert "not proved here" in done.stderr
    assert fleet.read(rollouts) == []


def test_a_bundle_that_is_none(fleet, tmp_path):
    assert fleet.push(tmp_path / "nowhere").exit_code == 2
    assert fleet.push("@nothing").exit_code == 2
    (tmp_path / "empty").mkdir()
    assert fleet.push(tmp_path / "empty").exit_code == 1


def test_a_dry_run_changes_nothing(fleet, bundle):
    done = fleet.push(bundle, "--dry-run", "--json")
    assert "to 1 station, in waves of 100%" in done.stderr
    assert "nothing changed" in done.stderr
    assert json.loads(done.stdout) == {
        "dry_run": True, "stations": ["a/b/c"], "skipped": [],
    }  # fmt: skip
    assert fleet.read(rollouts) == fleet.read(bundles) == []


def refuse(fleet, digest, station, code="escalation", **more):
    """What a station says of a bundle that has ended there."""
    one = {"bundle": digest, "code": code, "why": "too much", "at": "2026-11-20T12:30:00.000Z"}
    fleet.says({station: state(station, refused=[one | {"serial": 5}], **more)})


def test_stations_where_the_bundle_has_ended_are_named_and_left_out(fleet, bundle):
    fleet.hear("a/b/c", "a/b/d", "a/b/e", "a/b/f")
    digest = load(bundle).digest
    refuse(fleet, digest, "a/b/c")
    refuse(fleet, "1" * 64, "a/b/d")
    refuse(fleet, digest, "a/b/e", code="not_calibrated")  # nothing against the bundle
    dry = fleet.push(bundle, "--dry-run", "--json", to="a/b/*")
    done = fleet.push(bundle, "--json", to="a/b/*")
    for one in (dry, done):
        assert one.exit_code == 0, one.output
        assert "to 3 stations" in one.stderr
        assert "not to 1 station where it has ended before" in one.stderr
        assert "a/b/c" in one.stderr
        assert "skipped: 2026-11-20 12:30, escalation: too much" in one.stderr
        assert "--again includes them" in one.stderr
        assert json.loads(one.stdout)["skipped"] == [
            {"station": "a/b/c", "code": "escalation", "why": "too much",
             "at": "2026-11-20T12:30:00.000Z"}
        ]  # fmt: skip
    assert [one.station for one in fleet.read(members)] == ["a/b/d", "a/b/e", "a/b/f"]


def test_again_includes_them(fleet, bundle):
    fleet.hear("a/b/c", "a/b/d")
    refuse(fleet, load(bundle).digest, "a/b/c")
    done = fleet.push(bundle, "--again", to="a/b/*")
    assert "skipped" not in done.stderr
    assert [one.station for one in fleet.read(members)] == ["a/b/c", "a/b/d"]


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_nothing_goes_out_where_the_bundle_has_ended_everywhere(fleet, bundle, more):
    fleet.hear("a/b/c")
    refuse(fleet, load(bundle).digest, "a/b/c")
    done = fleet.push(bundle, *more)
    assert done.exit_code == 2
    assert "has ended before wherever it is to go" in done.stderr
    assert "skipped: 2026-11-20 12:30, escalation: too much" in done.stderr
    assert "--again" in done.stderr
    assert fleet.read(rollouts) == []


def typed(fleet):
    """The command that `fleet status` says to type."""
    (line,) = [one for one in fleet.run("status").stdout.splitlines() if " fleet push " in one]
    words = shlex.split(line.removeprefix("  → edge-inspect fleet "))
    return [{"NAME": "bob", "WHY": "late"}.get(word, word) for word in words]


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--strategy", "shadow", "--waves", "1,10%", "--no-promote", "--min-parts", "50"),
        ("--canary", "1,12.5,100", "--max-permissive", "1%", "--max-failed", "33%",
         "--max-escalation-rise", "0.123", "--max-overkill-rise", "0", "--max-latency-ratio", "2.5",
         "--wait-calibration-days", "3", "--max-deaths", "7", "--success", "80%",
         "--not-trained-on-station-pictures"),
    ],
)  # fmt: skip
def test_who_came_later_gets_it_by_the_command_that_the_status_says(fleet, bundle, options):
    fleet.hear("a/b/c", "a/b/d")
    assert fleet.push(bundle, *options, to="a/b/*").exit_code == 0
    fleet.hear("a/b/late", "a/b/later", "c/d/e")
    shutil.rmtree(bundle)
    words = typed(fleet)
    done = fleet.run(*words)
    assert done.exit_code == 0, done.output
    assert "to 2 stations" in done.stderr
    assert "2 stations more, of the same plan, by bright-" in done.stderr
    first, second = fleet.read(rollouts)
    assert parse(first.plan) == parse(second.plan)
    each = {one.station: one.rollout for one in fleet.read(members)}
    assert [name for name, one in each.items() if one == second.id] == ["a/b/late", "a/b/later"]
    assert len(fleet.read(members)) == 4
    assert "first heard after" not in fleet.run("status").stdout
    again = fleet.run(*words)
    assert again.exit_code == 0
    assert "nothing to do" in again.stderr
    assert len(fleet.read(rollouts)) == 2


def test_another_plan_is_for_everybody(fleet, bundle):
    fleet.push(bundle)
    assert "runs: 1 station" in fleet.push(bundle, "--max-deaths", "9").stderr


def test_where_a_roll_out_ended_the_same_push_begins_anew(fleet, bundle):
    fleet.push(bundle)
    fleet.good("rollback", *WHO)
    assert "runs: 1 station" in fleet.push(bundle).stderr


def test_a_digest_of_no_bundle(fleet, bundle):
    done = fleet.push("ab" * 6)
    assert done.exit_code == 1
    assert "0 bundles that were pushed begin with" in done.stderr


def test_who_was_left_out_is_not_called_missed(fleet, bundle):
    fleet.hear("a/b/c", "a/b/d", "a/b/e")
    refuse(fleet, load(bundle).digest, "a/b/c")
    assert fleet.push(bundle, to="a/b/*").exit_code == 0
    fleet.hear("a/b/late")
    words = fleet.run("status").stdout
    assert "a/b/late: not in bright" in words
    assert "a/b/c: not in" not in words
    assert "a/b/c: does not take" in words


def test_pause_resume_and_rollback(fleet, bundle):
    fleet.push(bundle)
    (row,) = fleet.read(rollouts)
    assert "is paused" in fleet.good("pause", *WHO).stderr
    assert fleet.run("pause", *WHO).exit_code == 1
    assert json.loads(fleet.good("resume", *WHO, "--json").stdout)["again"] == 0
    dry = json.loads(fleet.good("rollback", row.id[:-2], *WHO, "--dry-run", "--json").stdout)
    assert dry == {"dry_run": True, "rollout": row.id, "order": "rollback"}
    assert fleet.read(rollouts)[0].state == "running"
    assert "is rolled back" in fleet.good("rollback", row.id, *WHO).stderr
    assert fleet.read(rollouts)[0].why == "ann: better"


def test_which_roll_out_is_meant(fleet, bundle, tmp_path):
    assert "no roll-out is running" in fleet.run("pause", *WHO).stderr
    fleet.push(bundle)
    fleet.push(bundle, "--max-deaths", "4")
    done = fleet.run("pause", *WHO)
    assert done.exit_code == 2
    assert "several" in done.stderr
    assert "begins with 'x'" in fleet.run("pause", "x", *WHO).stderr


def test_models_tell_their_lineage(fleet, bundle, tmp_path):
    fleet.push(bundle)
    parent = json.loads(fleet.good("models", "--json").stdout)["digest"]
    lineage = {"parent": parent, "data_hash": "ab" * 32, "metrics": {"auroc": 0.99}}
    fleet.push(make(tmp_path / "more", version="2.0.0", lineage=lineage).root)
    _, shown = map(json.loads, fleet.good("models", "--json").stdout.splitlines())
    assert shown["lineage"] == lineage
    assert (shown["version"], shown["signed"], shown["running"]) == ("2.0.0", True, [])
    words = fleet.good("models").stdout
    for one in ("parent       bright 1.2.3", "data hash    abab", "auroc 0.99", "ann", "nowhere"):
        assert one in words
    row = fleet.read(bundles)[1]
    assert from_yaml(row.manifest)[0] == manifest(version="2.0.0", lineage=lineage)


def test_no_model_was_pushed(fleet):
    fleet.hear("a/b/c")
    assert "nothing was pushed yet" in fleet.good("models").stderr


def test_somebody_holds_the_database_and_does_not_answer(fleet, bundle, monkeypatch):
    fleet.push(bundle)
    monkeypatch.setattr("edge.ordering.WITHIN_S", 0.0)
    with Lock(fleet.folder / "db" / "fleet.db.lock", "edge-inspect fleet serve"):
        done = fleet.run("pause", *WHO)
    assert done.exit_code == 1
    assert "the order waits" in done.stderr
    assert "fleet serve --repository" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("push", "{bundle}", "--to", "a/b/c", *WHO, "--skip-proof"),
        ("push", "{bundle}", "--to", "a/b/c", *WHO, "--skip-proof", "--dry-run"),
        ("pause", *WHO),
        ("resume", *WHO),
        ("rollback", "x", *WHO),
        ("strike", "0" * 64, *WHO),
        ("models",),
        ("status",),
        ("ledger",),
        ("explain", "P-1"),
        ("picture", "x", "--out", "x.jpg"),
        ("export", "{bundle}-out"),
        ("keys", "list"),
        ("keys", "add", "ann", "--role", "root", *WHO),
        ("keys", "revoke", "root-1", *WHO),
        ("keys", "rotate", "root-1", *WHO),
        ("keys", "threshold", "root=1", *WHO),
        ("keys", "sign", "--by", "ann"),
        ("keys", "sign", "--by", "ann", "--renew"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_database_that_is_not_there_is_named_and_not_made(fleet, bundle, tmp_path, words):
    before = sorted(tmp_path.rglob("*"))
    typed = tmp_path / "bd" / "fleet.db"
    words = [word.format(bundle=bundle) for word in words]
    done = fleet.run(*words, "--database", f"sqlite:///{typed}")
    assert done.exit_code == 2, done.output
    assert f"{typed} is not there" in done.stderr
    assert f"fleet init DIR --database sqlite:///{typed}" in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_a_database_that_was_lost_is_made_for_the_repository_that_is_there(fleet, tmp_path):
    root = fleet.good("keys", "export-root").stdout
    again = f"sqlite:///{tmp_path}/other/fleet.db"
    fleet.good("init", str(tmp_path / "repo"), "--database", again)
    fleet.good("keys", "list", "--database", again)
    assert fleet.good("keys", "export-root").stdout == root


def test_no_repository(fleet, bundle, tmp_path):
    done = fleet.push(bundle, "--repository", str(tmp_path))
    assert done.exit_code == 1
    assert "fleet init" in done.stderr
