"""What can go wrong with a station's files, typed by what the caller does next."""

from __future__ import annotations


class StoreError(Exception):
    """Something is wrong with a file of the station. `hint` says what a person can do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Held(StoreError):
    """Another process owns the lock; `holder` is its pid and command line."""

    def __init__(self, path: str, holder: str) -> None:
        super().__init__(
            f"{path}: held by {holder}", "stop that process first, or let it do the work"
        )
        self.holder = holder


class WrongVersion(StoreError):
    """A database written by a version of Edge Inspect that this one does not know."""


class NotOwner(StoreError):
    """This user may not work in the state directory; the hint is the command to type instead."""


class Unwritable(StoreError):
    """One record can never be written (not JSON, or an id used twice). Nothing was written.

    The caller drops or replaces `record` and tries the others again.
    """

    def __init__(self, message: str, record: object) -> None:
        super().__init__(message, "this is a mistake in the program: please report it")
        self.record = record


class AlreadyDecided(StoreError):
    """The part has its disposition already: a later answer is a label only. Nothing was written.

    `record` is the one too many: the caller leaves out this one and no other.
    """

    def __init__(self, inspection: str, record: object) -> None:
        super().__init__(f"inspection {inspection} has its disposition already")
        self.inspection = inspection
        self.record = record


class AlreadyApplied(StoreError):
    """The request with this id was committed before. Nothing was written."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"request {request_id} was applied already")
        self.request_id = request_id


class Replaced(StoreError):
    """The database is another one than the caller thinks (a new epoch): read its epoch again."""
