"""Packs: what is written is read; nothing else is, whatever comes, and at no great cost."""

import json
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import pack as packs
from sync.pack import LARGEST, LARGEST_UNPACKED, MOST_FILES, PackError, pack, unpack
from sync.refusals import TrustRefused

AT = "2026-11-20T12:00:00Z"
NAMES = st.from_regex(r"[0-9a-z_.-]{1,20}(/[0-9a-z_-]{1,9}){0,2}", fullmatch=True)


def refused(data):
    """The code with which these bytes are refused."""
    with pytest.raises(TrustRefused) as caught:
        unpack(data)
    return caught.value.code


def squeezed(text):
    return zlib.compress(text.encode() if isinstance(text, str) else text)


@given(st.dictionaries(NAMES, st.text(max_size=50), max_size=5))
def test_what_is_packed_is_unpacked(files):
    found = unpack(pack(files, AT))
    assert found.files == files
    assert (found.sent_at, found.sent) == (AT, 1795176000.0)


def test_a_name_that_no_pack_may_hold_is_not_packed():
    for name in ("", "/etc/passwd", "a//b", "a b", "x" * 300, "ä"):
        with pytest.raises(PackError):
            pack({name: ""}, AT)


def test_what_nobody_would_read_is_not_packed(monkeypatch):
    limits = {"MOST_FILES": 1, "LARGEST": 60, "LARGEST_UNPACKED": 60, "LARGEST_FILE": 2}
    for name, value in limits.items():
        with monkeypatch.context() as patch:
            patch.setattr(packs, name, value)
            with pytest.raises(PackError):
                pack({"a": "123", "b": ""}, AT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        "[" * 100_000,
        '{"files":{},"schema":"pack/2","sent_at":"2026-11-20T12:00:00Z"}',
        '{"files":{},"schema":"pack/1","sent_at":"2026-11-20T12:00:00Z"} ',
        '{"files":{}, "schema":"pack/1","sent_at":"2026-11-20T12:00:00Z"}',
        '{"files":{},"schema":"pack/1","sent_at":"2026-11-20T12:00:00"}',
        '{"files":{},"schema":"pack/1","sent_at":"soon, Z"}',
        '{"files":{},"schema":"pack/1","sent_at":7}',
        '{"files":{"a":{}},"schema":"pack/1","sent_at":"2026-11-20T12:00:00Z"}',
        '{"files":{"a":"","a":""},"schema":"pack/1","sent_at":"2026-11-20T12:00:00Z"}',
        '{"files":{"b":"","a":""},"schema":"pack/1","sent_at":"2026-11-20T12:00:00Z"}',
        '{"files":{"/a":""},"schema":"pack/1","sent_at":"2026-11-20T12:00:00Z"}',
        '{"files":{"a":"\\x"},"schema":"pack/1","sent_at":"2026-11-20T12:00:00Z"}',
        '{"files":{"a":"',
    ],
)
def test_another_way_of_writing_is_refused(text):
    assert refused(squeezed(text)) == "malformed"


def test_the_ordinary_way_is_not():
    text = f'{{"files":{{"a":"","b":"{{}}"}},"schema":"pack/1","sent_at":"{AT}"}}'
    assert unpack(squeezed(text)).files == {"a": "", "b": "{}"}


def test_one_text_that_is_too_long_is_refused(monkeypatch):
    whole = pack({"a": "12345"}, AT)
    monkeypatch.setattr(packs, "LARGEST_FILE", 5)
    assert unpack(whole).files == {"a": "12345"}
    monkeypatch.setattr(packs, "LARGEST_FILE", 4)
    assert refused(whole) == "endless"


def test_too_many_files_are_refused():
    files = {f"{number:05}": "" for number in range(MOST_FILES + 1)}
    text = json.dumps(
        {"files": files, "schema": "pack/1", "sent_at": AT}, separators=(",", ":"), sort_keys=True
    )
    assert refused(squeezed(text)) == "malformed"
    del files["00000"]
    assert len(unpack(pack(files, AT)).files) == MOST_FILES


def test_bytes_before_behind_and_missing():
    whole = pack({"a": "1" * 1000}, AT)
    assert refused(whole + b"x") == "malformed"
    assert refused(b"x" + whole) == "malformed"
    for end in range(len(whole)):
        assert refused(whole[:end]) == "malformed"


@given(st.binary(max_size=200))
def test_noise_is_refused(data):
    assert refused(data) in ("malformed", "endless")
    assert refused(squeezed(data)) in ("malformed", "endless")


@pytest.mark.parametrize(
    "beginning",
    ["", "[[],", '{"files":{', '{"files":{"a":"', '{"files":{"a":"\\u4f60', '{"files":{"a":[[],'],
)
def test_a_bomb_costs_little(beginning):
    """Whatever it is made of: no more than a few times of what may come is held."""
    filling = {"[[],": "[],", '{"files":{"a":[[],': "[],", '{"files":{"a":"\\u4f60': "\\u4f60"}
    unit = filling.get(beginning, "x")
    bomb = squeezed(beginning + unit * ((LARGEST_UNPACKED - len(beginning)) // len(unit)))
    over = squeezed(beginning + unit * (LARGEST_UNPACKED // len(unit) * 4))
    assert len(bomb) < len(over) < LARGEST // 2
    tracemalloc.start()
    assert refused(bomb) in ("malformed", "endless")
    assert refused(over) == "endless"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * LARGEST_UNPACKED


def test_more_than_may_come_is_not_even_inflated():
    assert refused(pack({}, AT) + b"\0" * LARGEST) == "endless"
