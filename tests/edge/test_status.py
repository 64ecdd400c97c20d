"""How a service is, from its file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge import status
from edge.config import Config
from edge.config_file import parse
from edge.status import ServiceStatus, account, as_json, of_service, of_station, overall
from edge.statusfile import STALE_S, StatusFile


@pytest.fixture
def config(tmp_path: Path) -> Config:
    text = (
        "station: {site: a, line: b, name: c}\nstate_dir: s\nstatus_dir: st\n"
        "camera: {source: synthetic}\nmodel: {bundle: '@rings'}\n"
    )
    return parse(text.encode(), tmp_path / "c.yaml")


def _say(config: Config, **content: object) -> StatusFile:
    file = StatusFile(config.status_folder, "line")
    file.write({"state": "ok", "pid": os.getpid(), **content})
    return file


def test_a_service_that_says_ok_and_lives_is_ok(config: Config) -> None:
    _say(config)
    line = of_service(config, "line")
    assert (line.word, line.running) == ("ok", True)
    assert line.age_s is not None
    assert of_service(config, "sync").word == "stopped"


def test_a_service_that_says_degraded_is_degraded(config: Config) -> None:
    _say(config, state="degraded")
    assert of_service(config, "line").word == "degraded"


def test_a_service_that_said_stopped_is_stopped(config: Config) -> None:
    _say(config, state="stopped")
    assert of_service(config, "line").word == "stopped"


def test_a_file_that_is_not_renewed_is_a_service_that_does_not_work(config: Config) -> None:
    file = _say(config)
    past = file.path.stat().st_mtime - STALE_S - 1
    os.utime(file.path, (past, past))
    assert of_service(config, "line").word == "stopped"


def test_a_process_that_has_gone_is_stopped_whatever_its_file_says(config: Config) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for pid in (gone.pid, None, "7", -1, 0, 2**70):
        _say(config, pid=pid)
        assert of_service(config, "line").word == "stopped", pid


def test_one_word_for_the_station() -> None:
    def one(service: str, state: str) -> ServiceStatus:
        return ServiceStatus(service, {"state": state}, 0.0, state != "stopped")

    assert overall([]) == "stopped"
    assert overall([one("line", "ok")]) == "ok"
    assert overall([one("line", "ok"), one("sync", "stopped")]) == "degraded"
    assert overall([one("line", "degraded"), one("sync", "ok")]) == "degraded"
    assert overall([one("line", "stopped"), one("sync", "ok")]) == "stopped"


def test_a_dead_line_is_stopped_in_json_though_its_file_says_ok() -> None:
    dead = ServiceStatus("line", {"state": "ok", "inspected": 7}, 99.0, False)
    shown = json.loads(as_json([dead]))
    assert shown["state"] == "stopped"
    assert shown["services"]["line"] == {"state": "stopped", "age_s": 99.0, "inspected": 7}


def test_the_account_is_the_one_that_logged_in_not_the_one_named_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = tmp_path / "loginuid"
    monkeypatch.setattr(status, "LOGIN_ID", login)
    monkeypatch.setenv("LOGNAME", "somebody-else")
    monkeypatch.setenv("USER", "somebody-else")
    monkeypatch.setenv("SUDO_USER", "anna")
    assert account() == "anna"
    login.write_text(str(status.NO_LOGIN))
    assert account() == "anna"
    login.write_text("0")
    assert account() == "root"
    login.write_text("54321987")
    assert account() == "#54321987"
    login.unlink()
    monkeypatch.delenv("SUDO_USER")
    assert account() != "somebody-else"


def _web(config: Config, **content: object) -> None:
    StatusFile(config.status_folder, "web").write({"pid": os.getpid(), **content})


def test_a_page_that_never_ran_is_not_expected(config: Config) -> None:
    _say(config)
    assert [one.service for one in of_station(config)] == ["line"]


def test_a_page_that_runs_belongs_to_the_station(config: Config) -> None:
    _say(config)
    _web(config, state="degraded")
    line, web = of_station(config)
    assert (web.service, web.word) == ("web", "degraded")
    assert overall([line, web]) == "degraded"


@pytest.mark.parametrize(("waiting", "word"), [(0, "ok"), (3, "degraded")])
def test_a_page_that_was_stopped_is_missed_while_parts_wait(
    config: Config, waiting: int, word: str
) -> None:
    _say(config, open_escalations=waiting)
    _web(config, state="stopped")
    found = of_station(config)
    assert found[1].word == "stopped"
    assert found[1].missed is (waiting > 0)
    assert overall(found) == word


def test_a_page_that_died_is_missed_also_while_nothing_waits(config: Config) -> None:
    _say(config, open_escalations=0)
    _web(config, state="ok", pid=-1)
    assert overall(of_station(config)) == "degraded"
