from __future__ import annotations

import os

from typer.testing import CliRunner

from edge.cli.main import app


def run(*words):
    return CliRunner().invoke(app, ["fleet", "acl", *map(str, words)])


def test_standard_output_is_the_file():
    done = run("--collector", "central", "--reader", "telegraf", "--bridge", "bridge-a=plant-a")
    assert done.exit_code == 0
    assert "\nuser central\n" in done.stdout
    assert "\nuser telegraf\n" in done.stdout
    assert "topic write ei/v1/plant-a/+/+/results/#" in done.stdout
    assert "# collector, publisher of models\nuser central\n" in done.stdout


def test_who_may_publish_models_is_named_apart():
    done = run("--collector", "central", "--publisher", "serving")
    assert done.exit_code == 0
    assert "# collector\nuser central\n" in done.stdout
    assert "# publisher of models\nuser serving\n" in done.stdout


def test_a_file_is_written_and_written_again_with_its_mode(tmp_path):
    out = tmp_path / "acl"
    assert run("--collector", "central", "--out", out).exit_code == 0
    assert out.stat().st_mode & 0o777 == 0o640
    out.chmod(0o604)
    if os.geteuid() == 0:
        os.chown(out, 1234, 4321)
    assert run("--collector", "one", "--collector", "two", "--out", out).exit_code == 0
    assert "user two" in out.read_text()
    assert out.stat().st_mode & 0o777 == 0o604
    if os.geteuid() == 0:
        assert (out.stat().st_uid, out.stat().st_gid) == (1234, 4321)


def test_somebody_else_s_file_is_left_alone(tmp_path):
    out = tmp_path / "acl"
    out.write_text("user admin\ntopic #\n")
    done = run("--collector", "central", "--out", out)
    assert done.exit_code == 1
    assert "was not written by this command" in done.stderr
    assert out.read_text() == "user admin\ntopic #\n"


def test_wrong_names_are_wrong_usage():
    done = run("--collector", "plant-a/line-3/caps")
    assert done.exit_code == 2
    assert "cannot be the user" in done.stderr
    assert run("--collector", "central", "--bridge", "x").exit_code == 2
