import pytest

from sync.fleet.pieces import Pieces
from tests.sync.fleet.depot import Depot, bundle


@pytest.fixture
def stored(tmp_path, database):
    depot, parcel = Depot(tmp_path / "repository", database), bundle(1_000_000)
    return depot.add(parcel), parcel.data


def test_each_piece_is_read_once_however_often_it_is_wanted(stored, database):
    file, data = stored
    pieces = Pieces(database)
    for _ in range(3):
        read = [pieces.read(file.sha256, number) for number in range(len(file.pieces))]
        assert b"".join(read) == data
    assert pieces.reads == -(-len(file.pieces) // 16)


def test_memory_is_bounded(stored, database):
    file, data = stored
    pieces = Pieces(database, most=4 * file.piece)
    read = [pieces.read(file.sha256, number) for number in range(len(file.pieces))]
    assert b"".join(read) == data
    assert pieces._bytes <= 4 * file.piece
    assert pieces._bytes == sum(map(len, pieces._kept.values()))


def test_what_is_not_there_is_none(stored, database):
    file, _ = stored
    assert Pieces(database).read(file.sha256, len(file.pieces)) is None
    assert Pieces(database).read("0" * 64, 0) is None
