from __future__ import annotations

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.position import PositionFile
from sync.window import Mark

MARK = Mark("epoch-1", 17, "ab" * 32)


@pytest.fixture
def file(tmp_path):
    return PositionFile(tmp_path / "sync.json")


def test_what_was_written_is_read(file):
    file.write({"line": MARK, "queue": Mark("e2", 0, "0" * 64)})
    assert file.read() == {"line": MARK, "queue": Mark("e2", 0, "0" * 64)}
    assert [path.name for path in file.path.parent.iterdir()] == ["sync.json"]


def test_a_missing_file_is_no_position(file):
    assert file.read() == {}


def test_a_cut_off_file_is_no_position(file):
    file.write({"line": MARK})
    whole = file.path.read_bytes()
    for length in range(len(whole)):
        file.path.write_bytes(whole[:length])
        assert file.read() == {}


@settings(max_examples=40)
@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    ).map(lambda value: json.dumps(value).encode())
)
def test_nonsense_is_no_position(tmp_path_factory, content):
    file = PositionFile(tmp_path_factory.mktemp("position") / "sync.json")
    file.path.write_bytes(content)
    assert file.read() == {}


@pytest.mark.parametrize(
    "change",
    [
        {"seq": -1},
        {"seq": True},
        {"seq": 1.5},
        {"seq": "1"},
        {"hash": "AB" * 32},
        {"hash": "ab"},
        {"hash": None},
        {"epoch": None},
    ],
)
def test_a_mark_that_is_none_is_not_used(file, change):
    mark = {"epoch": MARK.epoch, "seq": MARK.seq, "hash": MARK.hash, **change}
    file.path.write_text(json.dumps({"schema": "sync-position/1", "streams": {"line": mark}}))
    assert file.read() == {}


def test_a_failed_write_keeps_the_old_file(file, monkeypatch):
    file.write({"line": MARK})

    def fail(descriptor):
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space"):
        file.write({"line": Mark("epoch-1", 18, "cd" * 32)})
    assert file.read() == {"line": MARK}
