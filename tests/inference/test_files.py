from __future__ import annotations

import zipfile

import pytest

from inference import files
from inference.files import DirectoryFiles, ZipFiles, write_folder


def test_a_folder_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    def full(path, content):
        if path.name == "b":
            raise OSError(28, "No space left on device")
        path.write_bytes(content)

    monkeypatch.setattr(files, "write_file", full)
    with pytest.raises(OSError, match="No space"):
        write_folder(tmp_path / "new", {"a": b"1", "b": b"2"})
    assert list(tmp_path.iterdir()) == []


def test_names_are_relative_and_sorted(tmp_path):
    write_folder(tmp_path / "new", {"b": b"1", "sub/a": b"2"})
    assert DirectoryFiles(tmp_path / "new").names() == ["b", "sub/a"]
    assert DirectoryFiles(tmp_path / "new").read("sub/a") == b"2"


def test_too_large_a_file_is_refused(tmp_path, monkeypatch):
    write_folder(tmp_path / "new", {"a": b"12345"})
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a", b"12345")
    monkeypatch.setattr(files, "LARGEST_FILE", 4)
    with pytest.raises(OSError, match="larger"):
        DirectoryFiles(tmp_path / "new").read("a")
    with pytest.raises(OSError, match="larger"):
        ZipFiles(tmp_path / "x.zip").read("a")


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    write_folder(tmp_path / "new", {"a": b"", "b": b"", "c": b""})
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name in "abc":
            archive.writestr(name, b"")
    monkeypatch.setattr(files, "MOST_FILES", 2)
    with pytest.raises(OSError, match="more than 2"):
        DirectoryFiles(tmp_path / "new").names()
    with pytest.raises(OSError, match="more than 2"):
        ZipFiles(tmp_path / "x.zip")


def test_what_is_not_in_a_zip_is_not_found(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a", b"")
    with pytest.raises(FileNotFoundError, match="no b"):
        ZipFiles(tmp_path / "x.zip").read("b")
