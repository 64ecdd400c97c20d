from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
STATION = [path for path in UNITS if path.stem != "edge-inspect-collector"]


def section(path, name="Service"):
    """The settings of a section; the last of several wins, as for most settings of systemd."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str
    parser.read(path)
    return parser[name]


def test_there_is_a_unit_for_each_service():
    assert [path.name for path in UNITS] == [
        "edge-inspect-collector.service",
        "edge-inspect-line.service",
        "edge-inspect-sync.service",
        "edge-inspect-web.service",
    ]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_what_every_service_promises(path):
    service = section(path)
    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) > 15
    assert (service["Restart"], service["RestartPreventExitStatus"]) == ("always", "2")
    assert service["User"] == "edge-inspect"
    assert service["StateDirectoryMode"] == "0750"
    assert "ProcSubset" not in service
    assert section(path, "Unit")["StartLimitIntervalSec"] == "0"


@pytest.mark.parametrize("path", STATION, ids=lambda path: path.stem)
def test_the_services_of_a_station_share_its_directories(path):
    service = section(path)
    assert service["StateDirectory"] == "edge-inspect"
    assert service["RuntimeDirectoryMode"] == "0755"


def test_the_others_stay_below_the_line():
    line, sync, web = (section(path) for path in STATION)
    for weight in ("CPUWeight", "IOWeight"):
        assert int(sync[weight]) * 10 <= int(line[weight])
        assert int(sync[weight]) < int(web[weight]) * 5 <= int(line[weight])
    assert 0 < int(web["Nice"]) < int(sync["Nice"])
    assert 0 < int(web["OOMScoreAdjust"]) < int(sync["OOMScoreAdjust"])


def test_a_model_that_the_kernel_ends_takes_nothing_with_it():
    """By default systemd ends a whole service of which one process was ended for its memory."""
    for name in ("line", "web"):
        assert section(FOLDER / f"edge-inspect-{name}.service")["OOMPolicy"] == "continue"
    line = section(FOLDER / "edge-inspect-line.service")
    assert int(line["OOMScoreAdjust"]) < 0


def test_what_browsers_reach_can_reach_little():
    web = section(FOLDER / "edge-inspect-web.service")
    assert (web["ProtectSystem"], web["NoNewPrivileges"]) == ("strict", "yes")
    assert web["CapabilityBoundingSet"] == ""
    assert "ReadWritePaths" not in web
    assert set(web["RestrictAddressFamilies"].split()) == {"AF_INET", "AF_INET6", "AF_UNIX"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd on this machine")
def test_systemd_understands_them(tmp_path):
    for path in UNITS:
        # The command need not be installed here; everything else is as shipped.
        text = path.read_text().replace("ExecStart=edge-inspect", "ExecStart=/bin/true")
        (tmp_path / path.name).write_text(text)
    copies = [str(tmp_path / path.name) for path in UNITS]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *copies], capture_output=True, text=True
    )
    ours = [line for line in done.stderr.splitlines() if "edge-inspect" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="no systemd on this machine")
def test_user_and_directories_can_be_made(tmp_path):
    (tmp_path / "etc").mkdir()
    for tool, name in (("sysusers", "sysusers"), ("tmpfiles", "tmpfiles")):
        command = [f"systemd-{tool}", f"--root={tmp_path}", "-"]
        options = ["--dry-run"] if tool == "sysusers" else ["--create"]
        text = (FOLDER / f"edge-inspect.{name}.conf").read_text()
        if tool == "tmpfiles":  # as root of the test's folder: the user does not exist there
            text = text.replace("edge-inspect edge-inspect -", "- - -").replace(
                "root         edge-inspect", "- -"
            )
        done = subprocess.run(
            [command[0], *options, *command[1:]], input=text, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "var/lib/edge-inspect").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "run/edge-inspect").stat().st_mode & 0o777 == 0o755
