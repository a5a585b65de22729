"""The shared corpus (JIC_SHARED/corpus/julia: what real Julia wrote) laid out as machines: a maker, where everything lies
as it did where it was compiled, and users elsewhere who have the sources only. What those machines' Julia is asked for, a
stand-in answers with what the real one had said of itself.
"""

import json
import os
import pathlib
import shutil
import tempfile
from types import SimpleNamespace

import ji_file
from acceptance import Session, hash_value
from ji_file import SYSIMAGE_MARK, Module
from processes import Machine

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = pathlib.Path(os.environ.get("JIC_SHARED", ROOT.parent / "shared")) / "corpus/julia"
VERSIONS = ("1.10.5", "1.11.1", "1.12.5")
FLAGS = {(): 0xA3, ("--check-bounds=yes",): 0xAB, ("--pkgimages=no",): 0xA2}

STAND_IN = """#!/usr/bin/python3
import json, sys
flags = {flags}
facts = json.load(open({facts!r}))
facts["flags"] = flags[next((word for word in sys.argv if word in flags), "")]
print("\\njicache-facts-1 " + json.dumps(facts))
"""


def golden(version, name):
    return json.loads((CORPUS / version / "golden" / f"{name}.json").read_text())


def caches(version):
    """Every `.ji` of a version's corpus."""
    found = sorted((CORPUS / version / "depot/compiled").glob("*/*/*.ji"))
    assert len(found) >= 10, f"{CORPUS}: {len(found)} cache files (is JIC_SHARED right?)"
    return found


def required_modules(version):
    """(name, UUID) -> build id of all that any file of the corpus required and that is not of the corpus itself."""
    found = {}
    for path in caches(version):
        for m in ji_file.parse(path.read_bytes()).required:
            if not m.name.startswith("Gold"):
                found[m.name, m.uuid] = m.build_id
    return found


def uuid_text(number):
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])) if number else ""


def exact_ns(seconds):
    """A file time in ns that Julia computes just this float from."""
    whole = int(seconds)
    near = round((seconds - whole) * 1e9)
    return whole * 10**9 + next(ns for ns in range(near - 300, near + 300) if float(whole) + float(ns) * 1e-9 == seconds)


class CorpusMachine(Machine):
    """A machine with the corpus's packages and environment, and a stand-in for its Julia."""

    def __init__(self, folder, version, place=None, **more):
        self.place, self.version = pathlib.Path(place or pathlib.Path(folder) / "somewhere/else"), version
        self.prefix = self.place / "julia"
        super().__init__(folder, SimpleNamespace(path=str(self.prefix / "bin/julia")), **more)
        self.depot, self.project = self.place / "depot", self.place / "env"
        self.series = f"v{'.'.join(version.split('.')[:2])}"
        self.stdlib = self.prefix / f"share/julia/stdlib/{self.series}"
        self._lay_out_sources()
        self._lay_out_julia()

    def _lay_out_sources(self):
        corpus = CORPUS / self.version
        for name in ("depot/packages", "GoldDev", "env"):
            shutil.copytree(corpus / name, self.place / name, copy_function=shutil.copyfile)

    def _lay_out_julia(self):
        required = required_modules(self.version)
        facts = golden(self.version, "runtime-facts")
        self.commit = facts["commit"]
        self.sysimage = {key: value for key, value in required.items() if value >> 96 == SYSIMAGE_MARK}
        image = self.prefix / "lib/julia/sys.so"
        for folder in (image.parent, self.prefix / "bin", self.stdlib):
            folder.mkdir(parents=True)
        image.write_text(f"the system image of {self.version}")
        self._lay_out_stdlib(required)
        said = {"version": self.version, "branch": facts["branch"], "commit": facts["commit"], "uname": facts["kernel"],
                "arch": facts["arch"], "triplet": facts["machine"], "word_bits": facts["word_size"],
                "julia_bin": self.julia.path, "image_file": str(image), "bindir": str(self.prefix / "bin"),
                "stdlib_dir": str(self.stdlib), "depot_path": [str(depot) for depot in self.depots()],
                "load_path": ["@", "@stdlib"], "cpu_target": "generic", "session_target": "native", "existing_images": 0,
                "jit_target": "", "cpu_name": facts["cpu_name"], "cpu_features": "",
                "hashes": [f"{n:016x}" for n in (*(hash_value(value, 0) for value in (1, [], ["a", 1, 1])), 0, 0, 0, 0)],
                "modules": [{"name": name, "uuid": uuid_text(uuid), "id": f"{value:032x}"}
                            for (name, uuid), value in self.sysimage.items()]}
        (self.prefix / "facts.json").write_text(json.dumps(said))
        flags = {(words[0] if words else ""): value for words, value in FLAGS.items()}
        program = pathlib.Path(self.julia.path)
        program.write_text(STAND_IN.format(flags=flags, facts=str(self.prefix / "facts.json")))
        program.chmod(0o755)

    def _lay_out_stdlib(self, required):
        """What the environment names of the standard library, and the caches that come with Julia for what is outside of
        the system image, with the build ids that the corpus asks for."""
        like = next(data for data in (path.read_bytes() for path in caches(self.version))
                    if ji_file.parse(data).flags == FLAGS[()])
        for name in ("Dates", "Printf", "Unicode"):
            [(uuid, build_id)] = [(u, value) for (n, u), value in required.items() if n == name] or [(None, None)]
            entry = self.stdlib / name / f"src/{name}.jl"
            entry.parent.mkdir(parents=True)
            entry.write_text(f"module {name}\nend\n")
            known = {"Unicode": "4ec0a83e-493e-50e2-b9ac-8f72acf5a8f5"}
            text = uuid_text(uuid) if uuid else known[name]
            (self.stdlib / name / "Project.toml").write_text(f'name = "{name}"\nuuid = "{text}"\n')
            if uuid and build_id >> 96 == SYSIMAGE_MARK:
                continue
            module = Module(name, uuid or int(text.replace("-", ""), 16), build_id or 0xFAFBFCFD00000001 << 64 | 1)
            cache = self.prefix / f"share/julia/compiled/{self.series}/{name}/{ji_file.package_file(module.uuid)}"
            cache.parent.mkdir(parents=True)
            header, image = ji_file.bundled(like, module, str(entry))
            cache.write_bytes(header)
            cache.with_suffix(".so").write_bytes(image)

    def depots(self):
        return [self.depot, self.prefix / "share/julia"]

    def session(self):
        """The Julia that would load here with `julia_args`, for the judge."""
        return Session(self.version, self.commit, FLAGS[tuple(self.julia_args)], "--pkgimages=no" not in self.julia_args,
                       self.depots(), self.project, self.stdlib, self.sysimage)

    def placed(self):
        """Cache files that are not Julia's own."""
        return sorted(self.depot.glob("compiled/*/*/*.ji"))


class Maker:
    """The machine that compiled the corpus, for the time of a `with`."""

    def __init__(self, folder, version, **more):
        self.folder, self.version, self.more = folder, version, more

    def __enter__(self):
        # Where it was: as many letters, so that paths in the files can be replaced where they stand.
        was = f"/home/ci/gold-{'.'.join(self.version.split('.')[:2])}"
        self.place = tempfile.mkdtemp(prefix="m" * (len(was) - len("/tmp/") - 8), dir="/tmp")
        machine = CorpusMachine(self.folder, self.version, self.place, **self.more)
        shutil.copytree(CORPUS / self.version / "depot/compiled", machine.depot / "compiled", copy_function=shutil.copyfile)
        for path in machine.placed():
            path.write_bytes(ji_file.with_paths(path.read_bytes(), was, self.place))
            for record in ji_file.parse(path.read_bytes()).includes:
                if record.mtime > 0:
                    os.utime(record.path, ns=(exact_ns(record.mtime),) * 2)
        return machine

    def __exit__(self, *_):
        shutil.rmtree(self.place)
