"""Documents stay true: what exists is in them, and what is in them exists."""

import json
import re
import runpy
import subprocess
import sys
import typing

import pytest
import yaml
from pydantic import BaseModel, TypeAdapter

from camera.v4l2_driver import CONTROLS
from edge import applied, config, config_cameras, records
from edge.access import record as access
from edge.causes import WORDS
from edge.cli import errors
from edge.config import Config
from edge.decision import challenge
from edge.review import verdict
from edge.rollout import changes, probation
from edge.rollout import record as rollout
from edge.store.images import parse_policy
from edge.sync_status import SyncStatus
from sync.backoff import Backoff
from sync.position import PositionFile
from sync.topics import Station
from sync.uplink import Uplink
from tests.pages import DOCS, PAGES, ROOT, anchors, ids, keys, literals, rows, section, text, words
from tests.simulators.loopback import Loopback

COMMANDS = runpy.run_path(str(DOCS / "commands.py"))
NOT_YET = "Not yet (later versions):"


# Commands


def test_the_page_of_commands_is_the_one_that_the_commands_make():
    assert text("docs/commands.md") == COMMANDS["text"](), "run `make docs`"


def known_commands():
    return {
        name: {word for option in COMMANDS["options"](command) for word in option.name.split(", ")}
        for name, command in COMMANDS["commands"]()
    }


def longer(name, known):
    """Whether some command begins so: `web` alone is one, `web token add` another."""
    return any(f"{one} ".startswith(f"{name} ") for one in known)


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_commands_that_are_typed_in_documents_exist_with_their_options(page):
    known = known_commands()
    for line in re.findall(
        r"(?:^\$ |`|^|sudo |bin/)edge-inspect +([a-z][^`#\n]*)", page.read_text(), re.M
    ):
        first, *rest = line.split()
        name = f"edge-inspect {first}"
        while name not in known or (rest and longer(f"{name} {rest[0]}", known)):
            assert rest, line
            name = f"{name} {rest.pop(0)}"
        for option in re.findall(r"(?<= )--?[a-z][a-z-]*", line):
            assert option in known[name] | {"--help"}, line


def test_what_is_said_not_to_be_there_yet_is_not_there():
    missing = text("README.md").split(NOT_YET)[1].split("Not at all:")[0]
    known = [name.split()[1:] for name in known_commands()]
    there = {first for first, *_ in known} | {rest[0] for first, *rest in known if first == "model"}
    named = set(re.findall(r"`([a-z]+)`", missing))
    assert named
    assert not named & there


def test_exit_codes():
    listed = {int(row[0]) for row in rows(section(text("docs/operations.md"), "Exit codes"))}
    codes = (
        errors.FAILED,
        errors.USAGE,
        errors.NOT_RUNNING,
        errors.CHECK_FAILED,
        errors.INTERRUPTED,
    )
    assert listed == {0, *codes}


# Configuration

SECTIONS = {
    "The file": Config,
    "`station`": config.Station,
    "`camera`, source: `synthetic`": config_cameras.SyntheticCamera,
    "`camera`, source: `folder`": config_cameras.FolderCamera,
    "`camera`, source: `video`": config_cameras.VideoCamera,
    "`camera`, source: `v4l2`": config_cameras.V4l2Camera,
    "`camera`, source: `rtsp`": config_cameras.RtspCamera,
    "`camera.doubts`": config_cameras.DoubtLimits,
    "`trigger`": config.Trigger,
    "`model`": config.Model,
    "`decision`": config.DecisionRules,
    "`escalation`": config.Escalation,
    "`sync`": config.Sync,
    "`rollout`": config.Rollout,
    "`web`": config.Web,
    "`storage`": config.Storage,
}


def models(kind=Config):
    """Every section of the configuration, by following the types."""
    yield kind
    for field in kind.model_fields.values():
        for part in [field.annotation, *typing.get_args(field.annotation)]:
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from models(part)


def test_every_section_has_its_heading():
    assert set(models()) == set(SECTIONS.values())


@pytest.mark.parametrize("heading", SECTIONS)
def test_keys_and_defaults_of_the_configuration(heading):
    table = rows(section(text("docs/configuration.md"), heading))
    listed = {row[0].strip("`"): row[1] for row in table}
    common = set(config_cameras.CameraBase.model_fields) | {"source"}
    fields = {
        name: field
        for name, field in SECTIONS[heading].model_fields.items()
        if "camera`, " not in heading or name not in common
    }
    assert set(listed) == set(fields)
    for name, field in fields.items():
        default = listed[name]
        if field.is_required():
            assert default == "required", name
        elif default.startswith("`"):
            kind = field.annotation
            for more in field.metadata:
                kind = typing.Annotated[kind, more]
            adapter = TypeAdapter(kind)
            assert adapter.validate_python(yaml.safe_load(default.strip("`"))) == field.default, (
                name
            )
        else:
            value = field.get_default(call_default_factory=True)
            assert value in (None, {}) or isinstance(value, BaseModel), name


def test_common_keys_of_cameras():
    listed = keys(section(text("docs/configuration.md"), "`camera`"))
    assert {"source", "roi", "rotate", "doubts"} <= set(listed)


@pytest.mark.parametrize("heading", SECTIONS)
def test_words_that_a_key_allows_stand_on_the_page(heading):
    page = text("docs/configuration.md")
    for name, field in SECTIONS[heading].model_fields.items():
        for word in literals(field.annotation):
            assert f"`{word}`" in page, name


def test_words_for_pictures_and_controls():
    page = text("docs/configuration.md")
    for word in ("all", "none", "accepted", "rejected", "escalated", "random", "random:0.05"):
        parse_policy(word)
        assert f"`{word}`" in page
    for name in CONTROLS:
        assert f"`{name}`" in page


# Records and status


def test_doubts():
    told = set(keys(section(text("docs/wire-format.md"), "Doubts")))
    assert told - {"camera"} == words("Doubt", "Malformed")


def test_reasons_and_faults():
    table = section(text("docs/wire-format.md"), "Reasons")
    assert set(keys(table)) == set(typing.get_args(records.Reason))
    for code in words("ModelFault"):
        assert f"`{code}`" in table


def test_members_of_an_inspection():
    page = text("docs/wire-format.md")
    told = keys(section(page, "Members that all records have"))
    told += keys(section(page, "`inspection/1`: one part"))
    origin = records.Origin("a/b/c", "boot", "config", "0")
    made = records.Inspection(
        "id",
        origin,
        records.Moment(0, 0),
        "escalate",
        "fault",
        "shadow",
        fault="x",
        image_missing="y",
    )
    assert set(told) - {"at", "previous_hash", "hash"} == set(made.content()) | {
        "stream",
        "epoch",
        "seq",
    }


def test_members_of_a_verdict():
    told = section(text("docs/wire-format.md"), "`verdict/1`: a person's answer")
    origin = records.Origin("a/b/c", "boot", "config", "0")
    made = verdict.Verdict("id", origin, records.Moment(0, 0), "inspection", "accept", "j.doe")
    everywhere = section(text("docs/wire-format.md"), "Members that all records have")
    for name in made.content():
        assert f"`{name}`" in told + everywhere
    for word in (*typing.get_args(verdict.Answer), *typing.get_args(verdict.Basis)):
        assert f"`{word}`" in told


ACCESS = "`access/1`: who came in, and who changed what others may do"


def test_every_action_of_access_is_told():
    told = section(
        text("docs/wire-format.md"), "`access/1`: who came in, and who changed what others may do"
    )
    calls = r"(?:report|mention|_note|_leaving)\(\s*(?:by, person, )?\"(\w+)\""
    actions = {"hand_over", "badge_set", "badge_removed"}
    for path in (ROOT / "edge" / "access").glob("*.py"):
        actions |= set(re.findall(calls, path.read_text()))
    assert {"sign_in", "locked_out", "person_erased", "token_removed"} <= actions
    for action in actions:
        assert f"`{action}`" in told, action


def test_members_of_access():
    told = section(
        text("docs/wire-format.md"), "`access/1`: who came in, and who changed what others may do"
    )
    everywhere = section(text("docs/wire-format.md"), "Members that all records have")
    made = access.Access("id", records.Origin("a", "b", "c", "0"), records.Moment(0, 0), "sign_in")
    for name in made.content():
        assert f"`{name}`" in told + everywhere


def test_every_kind_of_record_has_a_heading():
    page = text("docs/wire-format.md")
    for module in (records, applied, challenge, verdict, access, rollout):
        for kind in vars(module).values():
            if isinstance(kind, type) and isinstance(getattr(kind, "schema", None), str):
                assert f"\n## `{kind.schema}`" in page


def test_members_of_a_rollout():
    told = section(
        text("docs/wire-format.md"), "`rollout/1`: something happened to a model on probation"
    )
    everywhere = section(text("docs/wire-format.md"), "Members that all records have")
    made = probation.Probation("id", "d", "rings", "1.0.0", probation.Orders(1, "a"))
    origin, moment = records.Origin("a/b/c", "boot", "config", "0"), records.Moment(0, 0)
    step = changes.Step(made, "assign", None)
    for name in rollout.Rollout("id", origin, moment, step).content():
        assert f"`{name}`" in told + everywhere, name
    for word in (*probation.STATES, *probation.EVENTS, "assign", "install"):
        assert f"`{word}`" in told, word


def test_words_of_decisions_degrees_and_fates():
    page = text("docs/wire-format.md")
    for kind in (records.Decision, records.Degree, records.Fate, records.DecidedBy):
        for word in typing.get_args(kind):
            assert f"`{word}`" in page


def test_limits():
    table = section(text("docs/architecture.md"), "Which degree is in force")
    assert set(keys(table)) == words("Limit")


def test_alarms():
    assert set(keys(section(text("docs/operations.md"), "Alarms"))) == set(WORDS)


def test_fields_of_the_line_s_status(tmp_path):
    (tmp_path / "edge-inspect.yaml").write_text(
        "station: {site: a, line: b, name: c}\nstate_dir: state\n"
        'camera: {source: synthetic, parts_per_second: 0}\nmodel: {bundle: "@rings"}\n'
    )
    command = [sys.executable, "-m", "edge", "run", "--parts", "2"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60, stderr=subprocess.DEVNULL)
    status = json.loads((tmp_path / "state" / "status" / "line.json").read_text())
    assert set(keys(section(text("docs/operations.md"), "Status files"))) - {"status/1"} == set(
        status
    )


def test_fields_of_the_status_of_sync():
    station, folder = Station("a", "b", "c"), PositionFile(ROOT / "none")
    uplink = Uplink(tuple, Loopback(), station, folder, Backoff(lambda: 0.5, 1.0, 1.0))
    status = SyncStatus(typing.cast(typing.Any, None), "mqtt://x", "broker", lambda: 0.0, "")
    told = re.search(r"^\{.*?\}$", section(text("docs/mqtt.md"), "The status file"), re.S | re.M)
    assert told
    shown = json.loads(told[0].replace("…", "x"))
    assert set(shown) == set(status.describe(uplink, 0.0))


# Failures


def test_every_failure_has_its_tests():
    table = re.findall(r"^\| (.*) \| (.*) \| (.*) \|$", text("docs/failures.md"), re.M)
    assert len(table) == 1 + 17
    for what, _, shown in table[1:]:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", shown)
        assert named, what
        assert len(named) == shown.count("`") // 2, what
        for file, test in named:
            assert f"def {test}(" in (ROOT / file).read_text(), f"{file}::{test}"


def test_the_numbers_of_the_tests_that_hurt():
    page = text("docs/testing.md")
    for file, name in (
        ("test_power_cuts", "CUTS"),
        ("test_power_cuts", "CUTS_WITH_RETENTION"),
        ("test_power_cuts", "CUTS_WITH_PERSONS"),
        ("test_power_cuts_of_collector", "CUTS"),
        ("test_services_killed", "KILLS"),
        ("test_disk_errors", "RUNS"),
        ("test_weather", "CUTS"),
    ):
        source = text(f"tests/appliance/{file}.py")
        numbers = re.search(rf"^{name} = (\d+) if SOAK else (\d+)$", source, re.M)
        assert numbers, name
        for number in numbers.groups():
            assert re.search(rf"\b{int(number):,}\b", page), (file, name)


# Links


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        if anchor:
            assert anchor in set(anchors(file.read_text())), target


def test_every_page_can_be_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        links = re.findall(r"\]\(([^)\s#]+)[^)]*\)", page.read_text())
        waiting += [(page.parent / link).resolve() for link in links if "://" not in link]
    assert set(PAGES) <= reached


@pytest.mark.parametrize("page", [*PAGES, DOCS / "images" / "demo.svg"], ids=ids)
def test_no_page_shows_the_machine_that_it_was_written_on(page):
    assert not re.search(r"/(?:work|tmp|root|home)/", page.read_text())


def test_files_named_in_documents_are_there():
    for page in PAGES:
        for name in re.findall(
            r"`((?:edge|camera|inference|sync|models|tests|systemd|benchmarks|docs)/[\w/.]+)`",
            page.read_text(),
        ):
            assert (ROOT / name).exists(), f"{ids(page)}: {name}"
