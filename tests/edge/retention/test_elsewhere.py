"""What sync says has left the station: nothing is believed that is not said clearly."""

import json
from pathlib import Path

import pytest

from edge.retention.elsewhere import ALL, NONE_OF_OURS, Elsewhere, Uploads
from edge.store.journal import Journal
from edge.store.pruning import Acknowledged
from edge.store.shelf import ACCEPTED, ASKED, CHALLENGE, ESCALATED, REJECTED
from tests.edge.store.builders import alarm

HASH = "ab" * 32


def _write(folder: Path, streams: object, pictures: object = None) -> None:
    content = {"schema": "sync-position/1", "streams": streams, "pictures": pictures or {}}
    (folder / ".new").write_text(json.dumps(content))
    (folder / ".new").rename(folder / "sync.json")


def test_an_acknowledgement_counts_for_its_epoch_only_and_news_are_seen(tmp_path: Path) -> None:
    one = Elsewhere(tmp_path)
    assert one.acknowledged("e-1") is None
    said = {"epoch": "e-1", "seq": 7, "hash": HASH, "by": "store-1"}
    _write(tmp_path, {"line": said, "queue": {**said, "epoch": "q-1"}})
    assert one.acknowledged("e-1") == Acknowledged("e-1", 7, HASH, "store-1")
    assert one.acknowledged("q-1") is None
    _write(tmp_path, {"line": {**said, "seq": 9}})
    assert one.acknowledged("e-1") == Acknowledged("e-1", 9, HASH, "store-1")
    (tmp_path / "sync.json").unlink()
    assert one.acknowledged("e-1") is None


@pytest.mark.parametrize(
    "said",
    [
        {"epoch": "e-1", "seq": 7, "hash": None, "by": "store-1"},
        {"epoch": "e-1", "seq": "7", "hash": HASH, "by": "store-1"},
        {"epoch": "e-1", "seq": 7, "hash": "ab", "by": "store-1"},
        {"epoch": "e-1", "seq": True, "hash": HASH, "by": "store-1"},
        {"seq": 7, "hash": HASH},
        [],
        None,
    ],
)
def test_what_is_not_clear_acknowledges_nothing(tmp_path: Path, said: object) -> None:
    _write(tmp_path, {"line": said})
    assert Elsewhere(tmp_path).acknowledged("e-1") is None


def test_the_word_of_a_broker_does_not_count_where_collectors_have_it(tmp_path: Path) -> None:
    """`acknowledge: collector` is new, and sync has not written its file since."""
    said = {"epoch": "e-1", "seq": 7, "hash": HASH, "by": "broker"}
    _write(tmp_path, {"line": said})
    assert Elsewhere(tmp_path).acknowledged("e-1") == Acknowledged("e-1", 7, HASH, "broker")
    assert Elsewhere(tmp_path, collector=True).acknowledged("e-1") is None
    _write(tmp_path, {"line": {**said, "by": "store-1"}})
    assert Elsewhere(tmp_path, collector=True).acknowledged("e-1") is not None


def test_which_pictures_wait_for_their_upload(tmp_path: Path) -> None:
    places = {"line": {"epoch": "e-1", "seq": 40}, "bytes_today": 5}
    _write(tmp_path, {}, places)
    assert Elsewhere(tmp_path).uploads("e-1").done(CHALLENGE) == ALL
    escalated = Elsewhere(tmp_path, "escalated").uploads("e-1")
    assert [escalated.done(worth) for worth in (ACCEPTED, REJECTED)] == [ALL, ALL]
    assert [escalated.done(worth) for worth in (ESCALATED, ASKED, CHALLENGE)] == [40, 40, 40]
    assert Elsewhere(tmp_path, "escalated").uploads("e-2").done(ASKED) == 0
    sampled = Elsewhere(tmp_path, "labelled+random", samples=True).uploads("e-1")
    assert [sampled.done(worth) for worth in (ACCEPTED, ASKED)] == [40, 40]
    assert Uploads("labelled+random", 40, samples=False).done(ACCEPTED) == ALL


def test_answers_that_are_not_sent_hold_all_pictures_that_somebody_was_asked_about(
    tmp_path: Path,
) -> None:
    queue = Journal.open(tmp_path / "queue.db", "boot-1", 0, "queue")
    queue.append([alarm(1), alarm(2)])
    epoch = queue.head[0]
    one = Elsewhere(tmp_path, "labelled+random", samples=True)
    for seq, held in ((None, True), (1, True), (2, False)):
        answers = {} if seq is None else {"queue": {"epoch": epoch, "seq": seq}}
        _write(tmp_path, {}, {"line": {"epoch": "e-1", "seq": 40}, **answers})
        found = one.uploads("e-1")
        assert found.done(ASKED) == (NONE_OF_OURS if held else 40)
        assert found.done(ACCEPTED) == 40
    queue.close()
    (tmp_path / "queue.db").write_bytes(b"damaged" * 1000)
    assert one.uploads("e-1").done(ASKED) == NONE_OF_OURS
    one.close()
