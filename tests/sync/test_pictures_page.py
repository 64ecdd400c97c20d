"""What docs/pictures.md says of pieces and bounds is what the code does."""

from __future__ import annotations

import hashlib
import json
import re

from sync.allowance import Allowance
from sync.backoff import Backoff
from sync.fleet.gallery import MOST_ARRIVING, MOST_ARRIVING_BYTES
from sync.picture import MOST_DATA, MOST_SIZE, Piece, Received, encode_piece, encode_received
from sync.pictures import ANSWER_FIRST_S, ANSWER_MOST_S, SILENT_AFTER, Pictures
from sync.topics import Station
from tests.pages import keys, section, text
from tests.simulators.gallery import MemoryGallery
from tests.simulators.loopback import Loopback

PAGE = text("docs/pictures.md")
DATA = bytes(range(256)) * 20


def pieces(size):
    sha256 = hashlib.sha256(DATA).hexdigest()
    return [
        encode_piece(
            Piece("i1", "images/a.jpg", sha256, len(DATA), start, DATA[start : start + size])
        )
        for start in range(0, len(DATA), size)
    ]


def test_the_reader_on_the_page_reads_pictures():
    found = re.search(r"```python\n(.*?)```", PAGE, re.S)
    space = {}
    exec(found[1], space)
    payloads = pieces(700)
    answers = [space["piece"](payload) for payload in [*payloads[:3], *pieces(900)[:2], *payloads]]
    assert [answer for answer in answers if answer] == [("i1", DATA)]
    assert answers[-1] == ("i1", DATA)


def test_members_of_a_piece_and_of_the_word():
    told = set(keys(section(PAGE, "On the wire"))) | {"schema"}
    assert told == set(json.loads(pieces(700)[0].split(b"\n", 1)[0]))
    shown = [json.loads(line) for line in re.findall(r'^\{"hmac".*\}$', PAGE, re.M)]
    said = encode_received("topic", Received("i1", "a" * 64, "store"), b"k" * 16)
    assert [set(one) for one in shown] == [set(json.loads(said))]


def test_bounds():
    for number in (f"{MOST_DATA:,}", f"{MOST_SIZE >> 20} MiB", f"{MOST_ARRIVING_BYTES >> 20} MiB"):
        assert number in PAGE
    assert f"at most {MOST_ARRIVING} are kept" in PAGE
    assert f"{ANSWER_FIRST_S / 2:.0f} to {ANSWER_FIRST_S:.0f} s" in PAGE
    assert f"every {ANSWER_MOST_S / 60:.0f} minutes" in PAGE
    assert SILENT_AFTER == 3


def test_members_of_the_status():
    pictures = Pictures(
        MemoryGallery(),
        Loopback(),
        Station("a", "b", "c"),
        Allowance(1),
        lambda: "2026-11-23",
        Backoff(lambda: 0.5, 1.0, 1.0),
    )
    assert set(keys(section(PAGE, "What `status` says"))) == set(pictures.status())
