import sys

from edge.demo.show import typed


def executable(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)


def test_on_the_path_the_name_alone_is_enough(tmp_path, monkeypatch):
    executable(tmp_path / "bin" / "edge-inspect")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert typed() == "edge-inspect"


def test_beside_python_it_is_typed_with_its_place_below_here(tmp_path, monkeypatch):
    executable(tmp_path / ".venv" / "bin" / "edge-inspect")
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(tmp_path)
    assert typed() == ".venv/bin/edge-inspect"


def test_another_installation_on_the_path_is_not_this_one(tmp_path, monkeypatch):
    executable(tmp_path / "bin" / "edge-inspect")
    executable(tmp_path / "other" / "edge-inspect")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "other"))
    monkeypatch.chdir(tmp_path / "other")
    assert typed() == str(tmp_path / "bin" / "edge-inspect")


def test_without_the_script_python_runs_the_package(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(tmp_path)
    assert typed() == "python -m edge"
