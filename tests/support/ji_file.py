"""`.ji` files, read a second time: from the description of the format (docs/ji-format.md), not from the product's parser.

Julia 1.5 to 1.12, little-endian, 64 bits. What is wrong raises Malformed.
"""

import struct
import uuid as uuids
from dataclasses import dataclass, field

from environment import crc32c, package_slug

MAGIC = bytes.fromhex("fb6a6c690d0a1a0a")
PACKAGE_MARK, SYSIMAGE_MARK = 0xFAFBFCFD, 0xFDFCFBFA


class Malformed(Exception):
    pass


@dataclass
class Module:
    name: str
    uuid: int
    build_id: int  # 1.9+: checksum << 64 | low; required modules have theirs whole


@dataclass
class Include:
    path: str
    size: int
    crc: int
    mtime: float


@dataclass
class JiFile:
    version: str
    commit: str
    minor: int
    flags: int = 0
    checksum: int = 0
    modules: list = field(default_factory=list)
    includes: list = field(default_factory=list)
    requires: list = field(default_factory=list)  # (index of the module, UUID, name)
    preferences: list = field(default_factory=list)
    preferences_hash: int = 0
    required: list = field(default_factory=list)
    targets: bytes = b""
    sources: dict = field(default_factory=dict)  # path -> text
    image_crc: int = 0
    data: tuple = (0, 0)
    marks: dict = field(default_factory=dict)    # where a section begins
    paths: list = field(default_factory=list)    # (offset, length) of each path in the file


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if n < 0 or self.at + n > len(self.data):
            raise Malformed(f"{n} bytes at {self.at} of {len(self.data)}")
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize(form)))[0]

    def text(self, n):
        return self.take(n).decode("utf-8", "surrogateescape")

    def zstring(self):
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise Malformed("a string without its end")
        value = self.text(end - self.at)
        self.at += 1
        return value

    def strings(self):
        found = []
        while n := self.number("i"):
            found.append(self.text(n))
        return found


def _prefix(r):
    if r.take(8) != MAGIC or r.number("H") not in (11, 12) or r.take(2) != b"\xff\xfe" or r.number("B") != 8:
        raise Malformed("no cache file of a 64-bit little-endian Julia")
    _uname, _arch, version, _branch, commit = (r.zstring() for _ in range(5))
    major, minor = version.split("-")[0].split("+")[0].split(".")[:2]
    if major != "1":
        raise Malformed(f"Julia {version}")
    ji = JiFile(version, commit, int(minor))
    if ji.minor >= 9:
        if r.number("B") != 0:
            raise Malformed("the inside of an image")
        ji.checksum, start, end, ji.flags = r.number("Q"), r.number("Q"), r.number("Q"), r.number("B")
        ji.data = (start, end)
    return ji


def _module(r, n, wide, high=0):
    name, hi, lo = r.text(n), r.number("Q"), r.number("Q")
    if wide:
        high = r.number("Q")
    return Module(name, hi << 64 | lo, high << 64 | r.number("Q"))


def _record(r, ji, n):
    at, path = r.at, r.take(n)
    size, crc = (r.number("Q"), r.number("I")) if ji.minor >= 11 else (0, 0)
    mtime, index = r.number("d"), r.number("i")
    if index:
        r.strings()
    if path[0] == 0:
        ji.requires.append((index, int.from_bytes(path[1:17], "little"), path[17:].decode()))
    else:
        ji.paths.append((at, n))
        ji.includes.append(Include(path.decode("utf-8", "surrogateescape"), size, crc, mtime))


def _dependencies(r, ji):
    total, start = r.number("Q"), r.at
    while n := r.number("i"):
        _record(r, ji, n)
    if ji.minor >= 6:
        ji.preferences, ji.preferences_hash = r.strings(), r.number("Q")
    text = r.number("Q")
    if r.at - start != total:
        raise Malformed("the dependencies' length")
    return text


def parse(data):
    r = _Reader(data)
    ji = _prefix(r)
    ji.marks["modules"] = r.at
    while n := r.number("i"):
        ji.modules.append(_module(r, n, False, ji.checksum))
    ji.marks["dependencies"] = r.at
    text = _dependencies(r, ji)
    ji.marks["required"] = r.at
    while n := r.number("i"):
        ji.required.append(_module(r, n, ji.minor >= 9))
    if ji.minor >= 9:
        ji.targets = r.take(r.number("i"))
    ji.marks["data"] = r.at
    if text < r.at:
        raise Malformed("the source text's place")
    r.at = ji.marks["text"] = text
    while n := r.number("i"):
        ji.paths.append((r.at, n))
        name = r.text(n)
        ji.sources[name] = r.take(r.number("Q"))
    if ji.minor >= 9:
        ji.image_crc = r.number("I")
    r.number("I")
    if r.at != len(data):
        raise Malformed("bytes behind the end")
    return ji


def sealed(data):
    """With the checksum of the whole file made right."""
    return data[:-4] + struct.pack("<I", crc32c(data[:-4]))


def with_paths(data, old, new):
    """The same file made below another directory, whose name is as long."""
    assert len(old) == len(new)
    moved = bytearray(data)
    for at, n in parse(data).paths:
        if data[at:at + len(old)] == old.encode():
            moved[at:at + len(old)] = new.encode()
    return sealed(bytes(moved))


def bundled(like, module, source):
    """The cache of a standard library that came with Julia: everything as in `like`, but another module, that requires
    what is in the system image. A header without data, and the bytes of its image."""
    ji = parse(like)
    head = bytearray(like[:ji.marks["modules"]])
    struct.pack_into("<Q", head, len(head) - 25, module.build_id >> 64)

    def text(s):
        return struct.pack("<i", len(s.encode())) + s.encode()

    def id_of(m):
        return text(m.name) + struct.pack("<QQ", m.uuid >> 64, m.uuid & 2**64 - 1)

    low = module.build_id & 2**64 - 1
    records = text(source) + (struct.pack("<QI", 0, 0) if ji.minor >= 11 else b"") + struct.pack("<dii", -1.0, 0, 0)
    rest = b"".join(id_of(m) + struct.pack("<QQ", m.build_id >> 64, m.build_id & 2**64 - 1)
                    for m in ji.required if m.build_id >> 96 == SYSIMAGE_MARK)
    rest += struct.pack("<ii", 0, len(ji.targets)) + ji.targets
    work = id_of(module) + struct.pack("<Qi", low, 0)
    dependencies = records + struct.pack("<iQ", 0, 0)
    at = len(head) + len(work) + 8 + len(dependencies) + 8 + len(rest)
    body = struct.pack("<Q", len(dependencies) + 8) + dependencies + struct.pack("<Q", at) + rest
    image = b"an image"
    return sealed(bytes(head) + work + body + struct.pack("<iII", 0, crc32c(image), 0)), image


def package_file(uuid):
    """A name that Julia could have given to a package's cache."""
    return f"{package_slug(uuids.UUID(int=uuid))}_Stdlb.ji"
