"""Pictures in memory, for those who send them."""

from __future__ import annotations

import hashlib

from sync.gallery import Missing, Place, Wanted
from sync.journal import JournalError


class MemoryFile:
    def __init__(self, data):
        self.data, self.size, self.closed = data, len(data), False

    def read(self, offset, most):
        assert not self.closed
        return self.data[offset : offset + most]

    def close(self):
        self.closed = True


class MemoryGallery:
    """Pictures in memory; the test takes some away."""

    def __init__(self, *contents):
        self.contents = list(contents)
        self.seq = 0
        self.files = []
        self.unreadable = False
        self.size_of_first = None

    @property
    def next(self):
        if self.seq == len(self.contents):
            return None
        data = self.contents[self.seq] or b""
        return Wanted(f"i{self.seq}", "images/a.jpg", hashlib.sha256(data).hexdigest())

    @property
    def waiting(self):
        return len(self.contents) - self.seq

    @property
    def places(self):
        return {"line": Place("epoch", self.seq)}

    def look(self):
        if self.unreadable:
            raise JournalError("the disk is gone", "plug it in")
        return False

    def open(self, wanted):
        if self.contents[self.seq] is None:
            raise Missing("gone")
        self.files.append(MemoryFile(self.contents[self.seq]))
        if self.seq == 0 and self.size_of_first is not None:
            self.files[0].size = self.size_of_first
        return self.files[-1]

    def done(self):
        self.seq += 1
