"""What a disk may hold after the power went: a model of a file system, fed with the log of syscalls.c.

Only what was synced is certain: the bytes of a file at its last fsync, and the names in a directory at the directory's. What came
after may be there, in part or not at all. lost() gives the cases:

    nothing     none of it reached the disk
    names       all changes of names did, none of the bytes: files that are shorter than they should be
    some        changes of names up to a random one, and any of the bytes, sectors torn
"""

import pathlib
import random

SECTOR = 512
WAYS = ("nothing", "names", "some")


class File:
    """An inode."""

    def __init__(self):
        self.now, self.synced, self.since = bytearray(), b"", []

    def write(self, offset, data):
        self.apply(self.now, ("write", offset, data))
        self.since.append(("write", offset, data))

    def truncate(self, size):
        self.apply(self.now, ("truncate", size, b""))
        self.since.append(("truncate", size, b""))

    def sync(self):
        self.synced, self.since = bytes(self.now), []

    @staticmethod
    def apply(content, change):
        kind, at, data = change
        if kind == "truncate":
            del content[at:]
            content.extend(bytes(at - len(content)))
            return
        content.extend(bytes(max(0, at - len(content))))
        content[at:at + len(data)] = data

    def after(self, way, chance):
        content = bytearray(self.synced)
        for kind, at, data in self.since if way == "some" else []:
            if kind == "truncate":
                if chance.random() < 0.5:
                    self.apply(content, (kind, at, data))
                continue
            for first in range(0, len(data), SECTOR):
                if chance.random() < 0.7:
                    self.apply(content, (kind, at + first, data[first:first + SECTOR]))
        return bytes(content)


class Change:
    """Of names: what goes, what comes; durable as soon as one of its directories is synced."""

    def __init__(self, gone=None, come=None, what=None):
        self.gone, self.come, self.what, self.durable = gone, come, what, False

    def touches(self, directory):
        return any(path is not None and parent(path) == directory for path in (self.gone, self.come))


def parent(path):
    return path.rpartition("/")[0]


class Disk:
    def __init__(self):
        self.files = {}    # inode → File, of those that have the number now
        self.names = {}    # path → File, or None for a directory
        self.changes = []  # of names, in their order

    def change(self, gone=None, come=None, what=None):
        self.changes.append(Change(gone, come, what))
        if gone is not None:
            self.names.pop(gone, None)
        if come is not None:
            self.names[come] = what

    def play(self, kind, inode, number, path, other, data):
        if kind == "C":
            self.files[inode] = File()
            self.change(come=path, what=self.files[inode])
        elif kind == "M":
            self.change(come=path)
        elif kind == "R":
            self.change(gone=path, come=other, what=self.names[path])
        elif kind == "L":
            self.change(come=path, what=self.files[inode])
        elif kind == "U":
            self.change(gone=path)
        elif kind == "D":
            for change in self.changes:
                change.durable = change.durable or change.touches(path)
        elif kind == "S":
            self.files[inode].sync()
        elif kind == "W":
            self.files[inode].write(number, data)
        elif kind == "T":
            self.files[inode].truncate(number)

    def lost(self, way, chance):
        """path → bytes, or None for a directory: what is found when the power is back."""
        reached = {"nothing": 0, "names": len(self.changes), "some": chance.randrange(len(self.changes) + 1)}[way]
        found = {}
        for i, change in enumerate(self.changes):
            if i >= reached and not change.durable:
                continue
            if change.gone is not None:
                found.pop(change.gone, None)
            if change.come is not None:
                found[change.come] = change.what
        return {path: what.after(way, chance) if what else None for path, what in found.items()}


def read_log(path, end):
    """The records that end before byte `end` of the log."""
    with open(path, "rb") as log:
        while log.tell() < end:
            line = log.readline()
            kind, inode, number, length, name, other = line.decode().rstrip("\n").split("\t")
            data = log.read(int(length))
            if log.tell() > end:
                return
            yield kind, int(inode), int(number), name, other, data


def disk_after(log, end):
    disk = Disk()
    for entry in read_log(log, end):
        disk.play(*entry)
    return disk


def write_disk(found, folder):
    """Put what is found into a folder. A name whose directory was lost is lost with it."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    for path in sorted(found):
        target = folder / path
        if not target.parent.is_dir():
            continue
        if found[path] is None:
            target.mkdir()
        else:
            target.write_bytes(found[path])
