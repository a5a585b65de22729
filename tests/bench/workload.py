"""What the benchmarks work on: environments of real size, compiled once by a real Julia and kept in the cache directory."""

import hashlib
import os
import pathlib
import subprocess
import sys
import tomllib

import environment
from processes import Machine

SHARED = pathlib.Path(os.environ.get("JIC_SHARED", pathlib.Path(__file__).resolve().parents[3] / "shared"))
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "jicache-tests/bench"

FILES, TOTAL_BYTES, HALF_BELOW, LARGEST = 200, 360_000_000, 135_000, 50_000_000


def note(text):
    print(f"  ({text})", file=sys.stderr, flush=True)


def prepared(name, julia, prepare):
    """A machine's folder under the cache directory; prepare(machine) fills it the first time, or carries on."""
    folder = CACHE / f"{name}-{'.'.join(map(str, julia.version))}"
    done = folder / "complete"
    machine = Machine(folder, julia)
    if not done.exists():
        prepare(machine)
        done.touch()
    return machine


# ---- many files of real sizes


def sizes():
    """FILES sizes, ascending: geometric up to HALF_BELOW, then steeper and steeper to LARGEST, TOTAL_BYTES together."""
    half = FILES // 2
    low = [int(20_000 * (HALF_BELOW / 20_000) ** (i / half)) for i in range(half)]
    upper = lambda power: [int(HALF_BELOW * (LARGEST / HALF_BELOW) ** ((i / half) ** power)) for i in range(1, half + 1)]
    weak, strong = 0.1, 50.0
    for _ in range(60):
        power = (weak + strong) / 2
        weak, strong = (power, strong) if sum(low) + sum(upper(power)) > TOTAL_BYTES else (weak, power)
    return low + upper(weak)


def large_environment(julia):
    packages = environment.grow([f"Large{number:03}" for number in range(FILES)], julia, [], seed=200)
    return environment.Environment("large", packages)


def large_machine(julia):
    """A machine that has compiled FILES packages, its caches padded to real sizes."""
    packages = large_environment(julia)

    def prepare(machine):
        note(f"compiling {FILES} packages once, some minutes; kept in {machine.folder}")
        machine.install(packages)
        machine.load(packages, timeout_s=None).assert_loaded(packages)
        paths = sorted(machine.depot.glob("compiled/**/*.ji"))[:FILES]
        table = machine.folder / "sizes"
        table.write_text("".join(f"{size}\n" for size in sizes()))
        subprocess.run([julia.path, "--startup-file=no", pathlib.Path(__file__).with_name("pad.jl"), table], check=True,
                       input="".join(f"{path}\n" for path in paths), text=True, env=machine.env())

    return prepared("large", julia, prepare), packages


# ---- real manifests


def manifest_file(folder):
    return next(folder.glob("Manifest*.toml"))


def entries_of(folder):
    parsed = tomllib.loads(manifest_file(folder).read_text())
    listed = parsed["deps"] if "manifest_format" in parsed else parsed
    return {name: entries[0] for name, entries in listed.items() if isinstance(entries, list)}


class ManifestEnvironment:
    """A real manifest's packages, with sources of a line or two: same names, UUIDs, tree hashes and dependencies.

    What is no stdlib of this Julia becomes a package, developed packages get a tree hash, and the manifest is written in
    the format that this Julia reads, so that any Julia can compile it."""

    def __init__(self, folder, julia):
        self.folder, self.julia = folder, julia
        self.entries = {name: self._entry(name, entry) for name, entry in entries_of(folder).items()}

    def _entry(self, name, entry):
        if "git-tree-sha1" not in entry and self.julia.has_stdlib(name):
            return {"uuid": entry["uuid"], "deps": sorted(self.julia.stdlib_project(name).get("deps", {}))}
        hash_ = entry.get("git-tree-sha1") or hashlib.sha1(name.encode()).hexdigest()
        kept = {key: entry[key] for key in ("weakdeps", "extensions") if key in entry and self.julia.version >= (1, 9)}
        return {"uuid": entry["uuid"], "deps": sorted(entry.get("deps", [])), "git-tree-sha1": hash_, **kept}

    def packages(self):
        return {name: entry for name, entry in self.entries.items() if "git-tree-sha1" in entry}

    def install(self, project, depot):
        for name, entry in self.packages().items():
            uuid = environment.uuids.UUID(entry["uuid"])
            place = depot / "packages" / name / environment.version_slug(uuid, entry["git-tree-sha1"])
            (place / "src").mkdir(parents=True, exist_ok=True)
            using = "".join(f"using {dep}\n" for dep in entry["deps"] if dep in self.entries)
            (place / f"src/{name}.jl").write_text(f"module {name}\n{using}end\n")
            (place / "Project.toml").write_text(f'name = "{name}"\nuuid = "{uuid}"\n')
            for extension in entry.get("extensions", {}):
                (place / "ext").mkdir(exist_ok=True)
                (place / f"ext/{extension}.jl").write_text(f"module {extension}\nend\n")
        project.mkdir(parents=True, exist_ok=True)
        (project / "Manifest.toml").write_text(self.manifest_toml())
        # All of them are asked for: what the real project has in the manifest for tests only counts too.
        direct = {name: entry["uuid"] for name, entry in self.packages().items()}
        (project / "Project.toml").write_text("[deps]\n" + "".join(f'{name} = "{uuid}"\n' for name, uuid in direct.items()))
        return direct

    def manifest_toml(self):
        modern = self.julia.version >= (1, 7)
        head = 'julia_version = "{}.{}.{}"\nmanifest_format = "2.0"\n\n'.format(*self.julia.version) if modern else ""
        return head + "\n".join(self._lines(name, entry, "deps." if modern else "") for name, entry in self.entries.items())

    def _lines(self, name, entry, prefix):
        lines = [f"[[{prefix}{name}]]"]
        for key in ("deps", "weakdeps"):
            if entry.get(key):
                lines.append(f"{key} = [" + ", ".join(f'"{dep}"' for dep in entry[key] if dep in self.entries or key != "deps") + "]")
        lines += [f'{key} = "{entry[key]}"' for key in ("git-tree-sha1", "uuid") if key in entry]
        if entry.get("extensions"):
            lines += ["", f"    [{prefix}{name}.extensions]"]
            for extension, triggers in entry["extensions"].items():
                text = f'"{triggers}"' if isinstance(triggers, str) else "[" + ", ".join(f'"{t}"' for t in triggers) + "]"
                lines.append(f"    {extension} = {text}")
        return "\n".join(lines) + "\n"


def manifest_machine(folder, julia):
    """A machine on which everything of a real manifest is compiled."""
    packages = ManifestEnvironment(folder, julia)

    def prepare(machine):
        direct = packages.install(machine.project, machine.depot)
        note(f"compiling {len(packages.packages())} packages of {folder.name} once, minutes; kept in {machine.folder}")
        code = "foreach(name -> Base.require(Main, Symbol(name)), ARGS)"
        process = machine.start(machine.julia_command("-e", code, *direct))
        out, err = process.communicate()
        if process.returncode != 0:
            raise RuntimeError(err)

    return prepared(folder.name, julia, prepare)
