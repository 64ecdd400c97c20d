"""The entry of the inbox: what is read back, what is left of it, what is swept away."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.rollout.inbox import Inbox as LineInbox
from sync.inbox import NAME, STATES, Entry, Inbox, Refusal
from tests.faults.quick import scratch
from tests.simulators.signer import assignment_of

WORD = assignment_of()
SAID = Refusal("wrong_key", "why", "mend", "at")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("refusal", [None, SAID])
def test_what_is_written_is_read(tmp_path, state, refusal):
    inbox = Inbox(tmp_path / "inbox")
    entry = Entry(WORD, "then", state, "no_space", "too little", 5, refusal)
    inbox.write(entry)
    assert inbox.read() == entry
    assert (tmp_path / "inbox").stat().st_mode & 0o007 == 0


@pytest.mark.parametrize("state", STATES)
def test_the_line_reads_the_same(tmp_path, state):
    Inbox(tmp_path).write(Entry(WORD, "then", state, "no_space", "too little"))
    found = LineInbox(tmp_path, WORD.station).look()
    assert found.assignment == WORD
    assert (found.state, found.code, found.why) == (state, "no_space", "too little")


def test_a_file_is_named_only_when_it_is_whole():
    for state in STATES:
        entry = Entry(WORD, "then", state)
        assert entry.file == (f"{WORD.bundle.sha256}.zip" if state == "verified" else None)
    assert Entry(assignment_of(action="cancel"), "then", "none").bundle is None


def test_an_empty_folder_and_none_say_nothing(tmp_path):
    assert Inbox(tmp_path).read() == Inbox(tmp_path / "none").read() == Entry()
    Inbox(tmp_path / "none").sweep(None)


@given(st.binary(max_size=300))
def test_an_entry_that_is_none_says_nothing(data):
    with scratch(None) as folder:
        (folder / NAME).write_bytes(data)
        assert Inbox(folder).read() == Entry()


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "inbox/2"},
        {"state": "better"},
        {"assignment": {}},
        {"assignment": []},
        {"bytes": None},
        {"code": "of a later version"},
        {"code": []},
        {"refusal": {"code": "x"}},
        {"refusal": 3},
    ],
)
def test_an_entry_that_is_not_as_it_must_be_says_nothing(tmp_path, change):
    content = {**Entry(WORD, "then", "verified").as_json(), **change}
    (tmp_path / NAME).write_text(json.dumps(content))
    assert Inbox(tmp_path).read() == Entry()


def test_what_belongs_to_nobody_is_swept_away(tmp_path):
    inbox = Inbox(tmp_path)
    inbox.write(Entry(WORD, "then", "downloading"))
    sha = WORD.bundle.sha256
    ours = {f"{sha}.part", f"{sha}.map", f"{sha}.zip"}
    for name in [*ours, "0.part", ".assignment.json.new", "noise"]:
        (tmp_path / name).write_bytes(b"x")
    inbox.sweep(WORD.bundle)
    assert {path.name for path in tmp_path.iterdir()} == {NAME, *ours}
    inbox.sweep(None)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_a_folder_in_it_is_removed_and_one_that_stays_stops_nothing(tmp_path, monkeypatch):
    inbox = Inbox(tmp_path)
    inbox.write(Entry(WORD, "then", "downloading"))
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (outside / "kept").write_bytes(b"x")
    for name in ("folder", f"{WORD.bundle.sha256}.zip"):
        (tmp_path / name / "deeper").mkdir(parents=True)
    (tmp_path / "folder" / "link").symlink_to(outside)
    (tmp_path / "link").symlink_to(outside)
    inbox.sweep(WORD.bundle)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert (outside / "kept").exists()

    def refuse(*args, **kwargs):
        raise PermissionError(13, "not yours")

    (tmp_path / "lost+found").mkdir()
    (tmp_path / "noise").write_bytes(b"x")
    monkeypatch.setattr("os.rmdir", refuse)
    inbox.sweep(None)
    assert not (tmp_path / "noise").exists()
