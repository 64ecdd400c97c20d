"""What a folder may hold after a power cut, from a record of everything that was done to it.

The model. The record is one order of all changes; a power cut falls between two of them.

*Contents.* fsync and fdatasync make everything written to the file before durable. Of what was
written since, each write is kept, lost or torn: the disk writes sectors of 512 bytes, and each
sector of the file holds what it held at one of the moments since its last fsync. A file never holds
bytes that were not written to it; holes are zeros (ext4 `data=ordered`, XFS). Truncations reach the
disk in order; what was written behind a lost truncation, in blocks that it had freed, is lost too.

*Names.* Creating, renaming, linking and removing are changes of a folder. They reach the disk in
order, as from the journal of a file system, and fsync of the folder makes all of them durable. Of
the others a beginning is kept, of any length, for each folder by itself; a rename between two
folders happens in both or in neither. fsync of a file does not make its name durable: ext4 and XFS
would, POSIX does not promise it.

*A failed fsync.* Some of the sectors were written, and all count as clean: a later fsync that
succeeds does not write them again (Linux since 4.13; Rebello et al., Can Applications Recover from
fsync Failures?, USENIX ATC 2020).

SQLite's `-shm` is mapped memory and not recorded: after a cut it is missing or holds garbage.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.faults.contents import File
from tests.faults.preload import Event

Tree = dict[str, "bytes | None"]
"""Relative paths to contents; None for a folder."""


@dataclass(eq=False, slots=True)
class Folder:
    """Names as programs see them and as the disk holds them, and the changes between, in order."""

    now: dict[str, Node] = field(default_factory=dict)
    disk: dict[str, Node] = field(default_factory=dict)
    unsynced: list[Change] = field(default_factory=list)


Node = File | Folder


@dataclass(eq=False, slots=True)
class Change:
    """Names that change at once: None removes."""

    edits: list[tuple[Folder, str, Node | None]]

    @property
    def folders(self) -> list[Folder]:
        """The one or two folders."""
        return list({id(folder): folder for folder, _, _ in self.edits}.values())


class Disk:
    """The folder `top`, change by change, from an empty one; or, made before the first change with
    `existing`, from what it holds now, which counts as durable."""

    def __init__(self, top: Path, existing: bool = False) -> None:
        self.top = os.path.realpath(top)
        self._chance = Random(0)
        self._root = Folder()
        self._files: dict[int, File] = {}
        self._changes: list[Change] = []
        if existing:
            self._adopt(self._root, self.top)

    def take(self, event: Event) -> None:
        """Go on by one event."""
        if event.op in "CDLRU":
            self._rename(event)
        elif event.op == "Y":
            folder = self._find(event.path)
            assert isinstance(folder, Folder)
            while folder.unsynced:
                self._commit(folder.unsynced[0])
        elif (file := self._files.get(event.file)) is None:
            shared = event.path.endswith("-shm")  # one who reads beside and is not recorded made it
            assert shared or event.op in "ME", f"{event.path} is written to and was never made"
        elif event.op == "W":
            file.write(event.offset, event.data)
        elif event.op == "T":
            file.truncate(event.offset)
        elif event.op == "S":
            file.sync()
        elif event.op == "E":
            file.fail_to_sync(self._chance)

    def now(self) -> Tree:
        """The folder as programs see it."""
        return _tree(self._root, lambda folder: folder.now, lambda file: bytes(file.now))

    def after_power_cut(self, seed: int) -> Tree:
        """The folder as it may be after a power cut now."""
        chance = Random(seed)
        names = self._surviving_names(chance)
        tree = _tree(
            self._root,
            lambda folder: names.get(id(folder), folder.disk),
            lambda file: bytes(file.after_power_cut(chance)),
        )
        for path in [path for path in tree if path.endswith("-shm")]:
            del tree[path]
            if chance.random() < 0.5:
                tree[path] = chance.randbytes(32 * 1024)
        return tree

    def _adopt(self, folder: Folder, path: str) -> None:
        for entry in os.scandir(path):
            node: Node = Folder()
            if entry.is_dir(follow_symlinks=False):
                self._adopt(node, entry.path)
            else:
                content = Path(entry.path).read_bytes()
                node = self._files[entry.inode()] = File(bytearray(content), bytearray(content))
            folder.now[entry.name] = folder.disk[entry.name] = node

    def _find(self, path: str) -> Node:
        node: Node = self._root
        for name in os.path.relpath(path, self.top).split("/"):
            if name != ".":
                assert isinstance(node, Folder)
                node = node.now[name]
        return node

    def _place(self, path: str) -> tuple[Folder, str]:
        folder = self._find(os.path.dirname(path))
        assert isinstance(folder, Folder)
        return folder, os.path.basename(path)

    def _rename(self, event: Event) -> None:
        if event.path == self.top:
            return  # the folder itself was there before the first change, or that is the first
        folder, name = self._place(event.path)
        edits: list[tuple[Folder, str, Node | None]] = [(folder, name, folder.now.get(name))]
        if event.op == "D":
            edits = [(folder, name, Folder())]
        elif event.op == "C":
            self._files[event.file] = file = File()
            edits = [(folder, name, file)]
        elif event.op == "U":
            edits = [(folder, name, None)]
        else:
            edits = [(*self._place(event.other), folder.now[name])]
            if event.op == "R":
                edits.append((folder, name, None))
        change = Change(edits)
        _apply(change, {id(each): each.now for each in change.folders})
        self._changes.append(change)
        for each in change.folders:
            each.unsynced.append(change)

    def _commit(self, change: Change) -> None:
        for folder in change.folders:
            while folder.unsynced[0] is not change:  # what came before it in the other folder
                self._commit(folder.unsynced[0])
        _apply(change, {id(folder): folder.disk for folder in change.folders})
        for folder in change.folders:
            folder.unsynced.remove(change)
        self._changes.remove(change)

    def _surviving_names(self, chance: Random) -> dict[int, dict[str, Node]]:
        names: dict[int, dict[str, Node]] = {}
        room: dict[int, int] = {}
        for change in self._changes:
            for folder in change.folders:
                if id(folder) not in names:
                    most = len(folder.unsynced)
                    names[id(folder)] = dict(folder.disk)
                    room[id(folder)] = chance.choice((0, most, chance.randint(0, most)))
            if all(room[id(folder)] > 0 for folder in change.folders):
                _apply(change, names)
                for folder in change.folders:
                    room[id(folder)] -= 1
            else:  # nothing overtakes it in any of its folders
                room.update((id(folder), 0) for folder in change.folders)
        return names


def _apply(change: Change, names: dict[int, dict[str, Node]]) -> None:
    for folder, name, node in change.edits:
        if node is None:
            names[id(folder)].pop(name, None)
        else:
            names[id(folder)][name] = node


def _tree(
    folder: Folder,
    names: Callable[[Folder], dict[str, Node]],
    content: Callable[[File], bytes],
    prefix: str = "",
) -> Tree:
    tree: Tree = {}
    for name, node in sorted(names(folder).items()):
        if isinstance(node, Folder):
            tree[prefix + name] = None
            tree |= _tree(node, names, content, f"{prefix}{name}/")
        else:
            tree[prefix + name] = content(node)
    return tree


def write_tree(tree: Tree, target: Path) -> None:
    """Make the folder on a real disk. `target` must not exist."""
    target.mkdir(parents=True)
    for name, content in tree.items():
        if content is None:
            (target / name).mkdir()
        else:
            (target / name).write_bytes(content)


def read_tree(folder: Path) -> Tree:
    """What a folder holds, as `write_tree` takes it."""
    return {
        str(path.relative_to(folder)): None if path.is_dir() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }


def moments(events: Sequence[Event], count: int, chance: Random) -> list[int]:
    """Places in the record to cut at, in order: half of them anywhere, half soon after something
    was said to be recorded, where a promise is fresh."""
    marks = [place for place, event in enumerate(events) if event.op == "M"] or [0]
    anywhere = [chance.randint(0, len(events)) for _ in range(count - count // 2)]
    soon = [chance.choice(marks) + chance.randint(1, 6) for _ in range(count // 2)]
    return sorted(min(place, len(events)) for place in anywhere + soon)
