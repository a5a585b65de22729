"""Would Julia load this cache file, and what would it load for a package? An independent judge: Julia's decision list
(base/loading.jl: stale_cachefile, _require_search_from_serialized; src/staticdata_utils.c: jl_match_cache_flags) step by
step, over the product's files but with none of its code. Linux on x86-64, Julia 1.9 to 1.12, one explicit environment and
the standard library.
"""

import math
import os
import pathlib
import struct
import tomllib
import uuid as uuids
from dataclasses import dataclass
from functools import cached_property, lru_cache

import ji_file
import environment
from environment import package_slug

MASK64 = 2**64 - 1
crc32c = lru_cache(maxsize=4096)(environment.crc32c)

# The numbers of the list's steps, by what Julia would say.
VERSION, HEADER, EMPTY, FLAGS, IMAGE, NAME, BUILD_ID, REQUIRED, ENTRY, REQUIRES, INCLUDES, CRC, IMAGE_CRC, PREFERENCES = (
    "different version", "broken header", "empty file", "mismatched flags", "image missing or for another target",
    "for another package", "other build id", "required dependency has no cache", "is for another file",
    "a name means another package", "a source file changed", "checksum of the file", "checksum of the image",
    "preferences hash")


# ---- Base.hash of 1.9 to 1.12, of values that TOML can hold

def mix64(n):
    n = (~n + (n << 21)) & MASK64
    n ^= n >> 24
    n = (n + (n << 3) + (n << 8)) & MASK64
    n ^= n >> 14
    n = (n + (n << 2) + (n << 4)) & MASK64
    n ^= n >> 28
    return (n + (n << 31)) & MASK64


def hash_int(x, h):
    return (mix64(x & MASK64) - 3 * h) & MASK64


def _rotate(x, r):
    return (x << r | x >> 64 - r) & MASK64


def _final(k):
    k = (k ^ k >> 33) * 0xFF51AFD7ED558CCD & MASK64
    k = (k ^ k >> 33) * 0xC4CEB9FE1A85EC53 & MASK64
    return k ^ k >> 33


def murmur3_128(data, seed):
    """MurmurHash3_x64_128, its second word."""
    c1, c2 = 0x87C37B91114253D5, 0x4CF5AD432745937F
    h1 = h2 = seed
    whole = len(data) // 16 * 16
    for at in range(0, whole, 16):
        k1, k2 = struct.unpack_from("<QQ", data, at)
        h1 ^= _rotate(k1 * c1 & MASK64, 31) * c2 & MASK64
        h1 = ((_rotate(h1, 27) + h2) * 5 + 0x52DCE729) & MASK64
        h2 ^= _rotate(k2 * c2 & MASK64, 33) * c1 & MASK64
        h2 = ((_rotate(h2, 31) + h1) * 5 + 0x38495AB5) & MASK64
    k1, k2 = struct.unpack("<QQ", data[whole:].ljust(16, b"\0"))
    h2 ^= _rotate(k2 * c2 & MASK64, 33) * c1 & MASK64
    h1 ^= _rotate(k1 * c1 & MASK64, 31) * c2 & MASK64
    h1, h2 = h1 ^ len(data), h2 ^ len(data)
    h1 = (h1 + h2) & MASK64
    h1, h2 = _final(h1), _final((h2 + h1) & MASK64)
    return ((h1 + h2) & MASK64) + h2 & MASK64


def hash_text(s, h):
    h = (h + 0x71E729FD56419C81) & MASK64
    return (murmur3_128(s.encode(), h & 0xFFFFFFFF) + h) & MASK64


def hash_value(x, h):
    if isinstance(x, str):
        return hash_text(x, h)
    if isinstance(x, float):
        if x == math.floor(x) and abs(x) < 2**63 and not (x == 0 and math.copysign(1, x) < 0):
            return hash_int(int(x), h)
        return hash_int(struct.unpack("<Q", struct.pack("<d", x))[0], h)
    if isinstance(x, int):
        return hash_int(x, h)
    if isinstance(x, dict):
        v = 0x6D35BB51952D5539
        for key, value in x.items():
            v ^= hash_text(key, hash_value(value, 0))
        return hash_int(v, h)
    if isinstance(x, list):
        h = (h + 0x7E2D6FB6448BEB77) & MASK64
        for n in (1, len(x)):
            h = hash_int(n, (h + 0x77CFA1EEF01BCA90) & MASK64)
        for item in x:
            h = hash_value(item, h)
        return h
    raise TypeError(f"{type(x).__name__} among preferences")


# ---- the session

@dataclass
class Candidate:
    path: pathlib.Path
    data: bytes
    ji: ji_file.JiFile


@dataclass
class Session:
    """A Julia that is about to load packages of one environment."""

    version: str
    commit: str
    flags: int                # jl_cache_flags()
    pkgimages: bool
    depots: list              # DEPOT_PATH, the installation's depot included
    environment: pathlib.Path
    stdlib: pathlib.Path
    sysimage: dict            # (name, UUID) -> build id
    targets = ("generic",)    # what the host's processor can run, of what the corpus was made for

    # ---- what the environment says

    @cached_property
    def minor(self):
        return int(self.version.split(".")[1])

    @cached_property
    def project(self):
        return tomllib.loads((self.environment / "Project.toml").read_text())

    @cached_property
    def manifest(self):
        """Name -> entry; the corpus has one of each name."""
        deps = tomllib.loads((self.environment / "Manifest.toml").read_text())["deps"]
        return {name: entry | {"name": name} for name, [entry] in deps.items()}

    @cached_property
    def by_uuid(self):
        return {uuid_of(entry["uuid"]): entry for entry in self.manifest.values()}

    def extension_parent(self, name, uuid):
        for entry in self.manifest.values():
            if name in entry.get("extensions", {}) and uuid not in self.by_uuid:
                return entry
        return None

    def locate(self, name, uuid):
        """The entry file of a package (locate_package), or None."""
        entry = self.by_uuid.get(uuid)
        if entry is None:
            parent = self.extension_parent(name, uuid)
            if not parent:
                return None
            home = self.directory(parent)
            inner = home / "ext" / name / f"{name}.jl"
            return inner if inner.is_file() else home / "ext" / f"{name}.jl"
        return self.directory(entry) / "src" / f"{name}.jl"

    def directory(self, entry):
        if "path" in entry:
            return pathlib.Path(os.path.normpath(self.environment / entry["path"]))
        if "git-tree-sha1" not in entry:
            return self.stdlib / entry["name"]
        for depot in self.depots:
            for found in sorted((depot / "packages" / entry["name"]).glob("?????")):
                return found
        return self.environment / "absent"

    def identify(self, module, name):
        """The UUID that `name` means inside of `module` (identify_package), or None."""
        entry = self.by_uuid.get(module.uuid)
        if entry is None:
            entry = self.extension_parent(module.name, module.uuid)
            triggers = entry["extensions"][module.name] if entry else []
            triggers = [triggers] if isinstance(triggers, str) else triggers
            if entry and name == entry["name"]:
                return uuid_of(entry["uuid"])
            if name in triggers:
                return uuid_of(self.manifest[name]["uuid"])
        if entry is None or name == module.name:
            return module.uuid if name == module.name else None
        deps = entry.get("deps", [])
        if isinstance(deps, dict):
            return uuid_of(deps[name]) if name in deps else None
        return uuid_of(self.manifest[name]["uuid"]) if name in deps and name in self.manifest else None

    def preferences(self, name):
        found = dict(self.project.get("preferences", {}).get(name, {}))
        for file in ("JuliaLocalPreferences.toml", "LocalPreferences.toml"):
            path = self.environment / file
            if path.exists():
                return found | tomllib.loads(path.read_text()).get(name, {})
        return found

    def preferences_hash(self, name, recorded):
        h, values = 0, self.preferences(name)
        for key in recorded:
            if key in values:
                h = hash_value(values[key], h)
        return h

    # ---- files

    def resolve(self, ji):
        """The paths of the include records as parse_cache_header gives them: `@depot` replaced, if it can be."""
        def place(path):
            for depot in self.depots:
                if os.path.exists(f"{depot}{path.removeprefix('@depot')}"):
                    return str(depot)
            return None

        if self.minor < 11:
            return [record.path for record in ji.includes]
        homes = {place(path) for path in ji.sources if path.startswith("@depot/")} - {None}
        found = []
        for record in ji.includes:
            home = (homes.copy().pop() if len(homes) == 1 else None) if record.path in ji.sources else place(record.path)
            relative = record.path.startswith("@depot/") and home
            found.append(f"{home}{record.path.removeprefix('@depot')}" if relative else record.path)
        return found

    def candidates(self, name, uuid, broken):
        found = []
        for depot in self.depots:
            for path in (depot / f"compiled/v1.{self.minor}" / name).glob(f"{package_slug(uuids.UUID(int=uuid))}_*.ji"):
                data = path.read_bytes()
                try:
                    found.append(Candidate(path, data, ji_file.parse(data)))
                except ji_file.Malformed:
                    broken[path] = HEADER  # 1.9 rejects it, later ones may throw: nobody wants it either way
        first = lambda c: self.minor >= 11 and self.pkgimages and c.ji.flags & 1
        return sorted(found, key=lambda c: (not first(c), -c.path.stat().st_mtime))

    # ---- Julia's decisions

    def load(self, name, uuid, wanted=None, busy=()):
        """The file that Julia would load, or None: it would compile. → path, {path: why it was rejected}"""
        rejected = {}
        for candidate in self.candidates(name, uuid, rejected):
            why = self.reject(candidate, name, uuid, wanted, busy)
            if not why:
                return candidate.path, rejected
            rejected[candidate.path] = why
        return None, rejected

    def reject(self, c, name, uuid, wanted=None, busy=()):
        """None, or the first step of the list that refuses this file."""
        steps = (self.is_another_julia, self.is_empty, self.has_other_flags, self.has_no_fitting_image)
        for step in steps:
            if why := step(c):
                return why
        provided = c.ji.modules[0]
        if (provided.name, provided.uuid) != (name, uuid):
            return NAME
        if wanted is not None and provided.build_id != wanted:
            return BUILD_ID
        if not self.has_required(c, (*busy, (name, uuid))):
            return REQUIRED
        return self.is_stale(c, name, uuid)

    def is_another_julia(self, c):
        same = c.ji.version == self.version and c.ji.commit == self.commit and c.ji.checksum >> 32 == ji_file.PACKAGE_MARK
        return None if same else VERSION

    def is_empty(self, c):
        return None if c.ji.modules else EMPTY

    def has_other_flags(self, c):
        wanted, actual = self.flags, c.ji.flags
        if not wanted & 1 and not actual & 1:
            return None
        newer = tuple(int(n) for n in self.version.split("-")[0].split(".")) >= (1, 11, 2)
        mask = 0x39 if newer else 0x3F
        if wanted & mask != actual & mask or actual >> 6 < wanted >> 6:
            return FLAGS
        return FLAGS if newer and actual >> 1 & 3 < wanted >> 1 & 3 else None

    def has_no_fitting_image(self, c):
        if not c.ji.targets:
            return None
        if not self.pkgimages or not c.path.with_suffix(".so").exists():
            return IMAGE
        return None if target_names(c.ji.targets)[0] in self.targets else IMAGE

    def has_required(self, c, busy):
        for module in c.ji.required:
            here = (module.name, module.uuid)
            if here in self.sysimage:
                if self.sysimage[here] != module.build_id:
                    return False
            elif here in busy or self.locate(*here) is None or self.load(*here, module.build_id, busy)[0] is None:
                return False
        return True

    def is_stale(self, c, name, uuid):
        ji, entry = c.ji, self.locate(name, uuid)
        paths = self.resolve(ji)
        bundled = not any(c.path.is_relative_to(depot) for depot in self.depots[:1])
        if not bundled and not (entry and os.path.exists(paths[0]) and os.path.samefile(paths[0], entry)):
            return ENTRY
        for index, wanted, required in ji.requires:
            if self.identify(ji.modules[index - 1], required) != wanted:
                return REQUIRES
        if not bundled and not all(self.is_fresh(record, path) for record, path in zip(ji.includes, paths)):
            return INCLUDES
        if not crc32c(c.data[:-4]) == struct.unpack("<I", c.data[-4:])[0]:
            return CRC
        if ji.targets and crc32c(c.path.with_suffix(".so").read_bytes()) != ji.image_crc:
            return IMAGE_CRC
        return None if self.preferences_hash(name, ji.preferences) == ji.preferences_hash else PREFERENCES

    def is_fresh(self, record, path):
        if path.startswith("@depot/") or not os.path.exists(path):
            return False
        state = os.stat(path)
        if self.minor >= 11 and record.mtime < 0:
            if os.path.isdir(path):
                return record.size == state.st_size and record.crc == crc32c("".join(sorted(os.listdir(path))).encode())
            text = pathlib.Path(path).read_bytes()
            return record.size == len(text) and record.crc == crc32c(text)
        seconds, r = state.st_mtime_ns // 10**9, record.mtime
        t = float(seconds) + float(state.st_mtime_ns % 10**9) * 1e-9
        return t in (r, math.floor(r), math.ceil(r), math.trunc(r * 1e6) / 1e6, 1.0) or 0 < r - t < 1e-6


def uuid_of(text):
    return int(text.replace("-", ""), 16)


def target_names(blob):
    """LLVM's names of the processors that an image has code for."""
    names, at = [], 4
    for _ in range(struct.unpack_from("<I", blob)[0]):
        words = struct.unpack_from("<I", blob, at + 4)[0]
        at += 8 + 8 * words
        for what in ("name", "features"):
            n = struct.unpack_from("<I", blob, at)[0]
            if what == "name":
                names.append(blob[at + 4:at + 4 + n].decode())
            at += 4 + n
    return names
