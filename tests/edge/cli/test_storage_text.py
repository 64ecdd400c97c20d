from edge.cli.storage_text import storage_lines

FULL = {
    "used_bytes": 9_100_000_000,
    "limit_bytes": 20_000_000_000,
    "words": "11 days left at today's rate",
    "given_up": 120,
    "given_up_though_awaited": 3,
    "deleted": 0,
    "ballast": False,
}


def test_how_full_it_is_and_what_went() -> None:
    assert list(storage_lines(FULL)) == [
        "storage: 9.1 GB of 20.0 GB; 11 days left at today's rate",
        "since start, to make room or by age: pictures 120, records 0",
        "pictures given up that somebody waited for: 3",
        "the disk is full: the last room is for records, pictures are not kept",
    ]


def test_nothing_is_said_of_nothing() -> None:
    calm = {**FULL, "given_up": 0, "given_up_though_awaited": 0, "ballast": True}
    assert len(list(storage_lines(calm))) == 1
    for nothing in (None, {}, "x"):
        assert list(storage_lines(nothing)) == []
