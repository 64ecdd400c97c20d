from __future__ import annotations

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.position import BROKER, MOST_SALVAGED, Held, PositionFile, Positions
from sync.window import UNKNOWN, Mark

LINE = Held("line", Mark("epoch-1", 17, "ab" * 32), "a-store")
OLD = Held("line", Mark("epoch-0", 5, "cd" * 32), BROKER)
ALL = Positions(
    {"line": LINE, "queue": Held("queue", Mark("e2", 0, UNKNOWN), BROKER)},
    {"epoch-0": OLD},
    {"any": "thing"},
)


@pytest.fixture
def file(tmp_path):
    return PositionFile(tmp_path / "sync.json")


def test_what_was_written_is_read(file):
    file.write(ALL)
    assert file.read() == ALL
    assert [path.name for path in file.path.parent.iterdir()] == ["sync.json"]


def test_the_file_is_as_documented(file):
    file.write(ALL)
    content = json.loads(file.path.read_bytes())
    assert content["streams"]["line"] == {
        "epoch": "epoch-1", "seq": 17, "hash": "ab" * 32, "by": "a-store",
    }  # fmt: skip
    assert content["streams"]["queue"]["hash"] is None
    assert content["salvaged"] == {
        "epoch-0": {"stream": "line", "seq": 5, "hash": "cd" * 32, "by": "broker"}
    }


def test_an_epoch_is_found_in_its_stream_or_among_the_salvaged():
    assert ALL.of("line", "epoch-1") == LINE
    assert ALL.of("line", "epoch-0") == OLD
    assert ALL.of("queue", "epoch-0") is None
    assert ALL.of("line", "epoch-7") is None


def test_salvaged_epochs_do_not_pile_up(file):
    epochs = {str(n): Held("line", Mark(str(n), n, "ab" * 32), BROKER) for n in range(40)}
    file.write(Positions({}, epochs))
    assert list(file.read().salvaged) == [str(n) for n in range(40 - MOST_SALVAGED, 40)]


def test_a_file_of_the_first_version_is_the_brokers_word(file):
    file.path.write_text(
        json.dumps(
            {
                "schema": "sync-position/1",
                "streams": {"line": {"epoch": "epoch-0", "seq": 5, "hash": "cd" * 32}},
            }
        )
    )
    assert file.read() == Positions({"line": OLD})


def test_a_missing_file_is_no_position(file):
    assert file.read() == Positions()


def test_a_cut_off_file_is_no_position(file):
    file.write(ALL)
    whole = file.path.read_bytes()
    for length in range(len(whole)):
        file.path.write_bytes(whole[:length])
        assert file.read() == Positions()


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
    assert file.read() == Positions()


@pytest.mark.parametrize(
    "change",
    [
        {"seq": -1},
        {"seq": True},
        {"seq": 1.5},
        {"seq": "1"},
        {"hash": "AB" * 32},
        {"hash": "ab"},
        {"hash": 7},
        {"epoch": None},
        {"by": 7},
    ],
)
def test_a_position_that_is_none_is_not_used(file, change):
    said = {"epoch": "e", "seq": 17, "hash": "ab" * 32, "by": "x", **change}
    for content in ({"streams": {"line": said}}, {"streams": {}, "salvaged": {"e": said}}):
        file.path.write_text(json.dumps({"schema": "sync-position/1", **content}))
        assert file.read() == Positions()


def test_a_failed_write_keeps_the_old_file(file, monkeypatch):
    file.write(ALL)

    def fail(descriptor):
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space"):
        file.write(Positions({"line": OLD}))
    assert file.read() == ALL
