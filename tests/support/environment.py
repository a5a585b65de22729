"""Generated Julia environments: packages with a real dependency graph, laid out in a depot as Pkg would.

An Environment is a description; install() writes it as one machine has it: packages/<Name>/<slug> in a depot for what has a
tree hash, the developed package beside the project, Project.toml and Manifest.toml. Everything follows from the names, so two
machines that install the same environment have the same UUIDs, sources and tree hashes.

Each package has a function value() that adds up its own number, its data file and what value() of its dependencies was when
it was compiled: a wrong or stale cache gives a wrong number. Its constant MADE is frozen when it is compiled: equal on two machines only if one's cache
is loaded by the other.
"""

import argparse
import functools
import hashlib
import pathlib
import random
import subprocess
import tomllib
import uuid as uuids
from dataclasses import dataclass, field

NAMESPACE = uuids.UUID("3d1f8b1e-8f0e-4a57-9c43-6c0a4f5e2b11")
SLUG_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
MODULUS = 1_000_003
STDLIBS_USED = ("Dates", "Random", "Printf", "LinearAlgebra", "Statistics", "Serialization", "Sockets", "Test")

NAMES = ("Alder Birch Cedar Damson Elder Fir Gorse Hazel Iris Juniper Kelp Larch Maple Nettle Oak Pine Quince Rowan Spruce Teak "
         "Ulmus Viburnum Willow Xylem Yew Zinnia Aspen Briar Clover Dogwood").split()
OTHER_NAMES = ("Basalt Chalk Dolomite Emery Flint Gneiss Halite Ijolite Jasper Kaolin Limestone Marble Norite Obsidian "
               "Pumice").split()


# ---- what Pkg computes


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC32C = crc32c_table()


def crc32c(data, crc=0):
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC32C[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def slug(number, length=5):
    """base/loading.jl:slug: least significant digit first."""
    out = ""
    for _ in range(length):
        out += SLUG_ALPHABET[number % 62]
        number //= 62
    return out


def uuid_bytes(uuid):
    return uuid.int.to_bytes(16, "little")


def package_slug(uuid):
    return slug(crc32c(uuid_bytes(uuid)))


def version_slug(uuid, tree_hash):
    return slug(crc32c(bytes.fromhex(tree_hash), crc32c(uuid_bytes(uuid))))


def git_object(kind, data):
    return hashlib.sha1(f"{kind} {len(data)}\0".encode() + data).hexdigest()


def git_tree_hash(files):
    """The git tree object's hash of {relative path: bytes}; git sorts a folder as if its name ended in a slash."""
    folders, entries = {}, []
    for path, data in files.items():
        head, _, tail = path.partition("/")
        if tail:
            folders.setdefault(head, {})[tail] = data
        else:
            entries.append((head, "100644", git_object("blob", data)))
    entries += [(f"{name}/", "40000", git_tree_hash(inside)) for name, inside in folders.items()]
    entries.sort(key=lambda entry: entry[0].encode())
    tree = b"".join(f"{mode} {name.rstrip('/')}\0".encode() + bytes.fromhex(sha) for name, mode, sha in entries)
    return git_object("tree", tree)


# ---- the Julia that it is for


@dataclass(frozen=True)
class Julia:
    """A Julia executable and what it says of itself."""

    path: str
    version: tuple
    stdlib: pathlib.Path

    @staticmethod
    def ask(path):
        code = 'print(VERSION.major, " ", VERSION.minor, " ", VERSION.patch, "\\n", Sys.STDLIB)'
        said = subprocess.run([path, "--startup-file=no", "--history-file=no", "-e", code], capture_output=True, text=True,
                              check=True, stdin=subprocess.DEVNULL).stdout.splitlines()
        return Julia(str(path), tuple(map(int, said[0].split())), pathlib.Path(said[1]))

    @property
    def series(self):
        return f"v{self.version[0]}.{self.version[1]}"

    def stdlib_project(self, name):
        return tomllib.loads((self.stdlib / name / "Project.toml").read_text())

    def has_stdlib(self, name):
        return (self.stdlib / name / "Project.toml").exists()


# ---- packages


@dataclass
class Package:
    name: str
    number: int
    deps: list = field(default_factory=list)     # generated packages
    stdlibs: list = field(default_factory=list)  # names
    built: bool = False                          # has deps/build.jl, which left deps/deps.jl
    developed: bool = False                      # by path, beside the project
    trigger: "Package" = None                    # of an extension (Julia 1.9+)

    @property
    def uuid(self):
        return uuids.uuid5(NAMESPACE, self.name)

    @property
    def extension(self):
        return f"{self.name}{self.trigger.name}Ext"

    # Cached, and frozen in Julia too: there are exponentially many paths through a graph with diamonds.

    @functools.cached_property
    def value(self):
        """What value() gives in Julia."""
        own = self.number + 1000 + (7 if self.built else 0)
        return own + sum(dep.value for dep in self.deps) % MODULUS

    @functools.cached_property
    def closure(self):
        """Names of all that this package needs, itself included."""
        return {self.name}.union(*(dep.closure for dep in self.deps))

    def project_toml(self, julia):
        deps = {dep.name: str(dep.uuid) for dep in self.deps}
        deps.update({name: julia.stdlib_project(name)["uuid"] for name in self.stdlibs})
        text = f'name = "{self.name}"\nuuid = "{self.uuid}"\nauthors = ["Generated"]\nversion = "0.{self.number}.0"\n'
        text += "\n[deps]\n" + "".join(f'{name} = "{uuid}"\n' for name, uuid in sorted(deps.items()))
        if self.has_extension(julia):
            text += f'\n[weakdeps]\n{self.trigger.name} = "{self.trigger.uuid}"\n'
            text += f'\n[extensions]\n{self.extension} = "{self.trigger.name}"\n'
        return text

    def has_extension(self, julia):
        return self.trigger is not None and julia.version >= (1, 9)

    def files(self, julia):
        """{relative path: bytes} of the git tree."""
        files = {
            "Project.toml": self.project_toml(julia),
            "README.md": f"# {self.name}\n\nGenerated.\n",
            f"src/{self.name}.jl": self.entry(),
            "src/types.jl": TYPES.format(name=self.name),
            "src/compute.jl": COMPUTE.format(number=self.number),
            "src/inner/Inner.jl": INNER.format(number=self.number),
            "src/inner/deep.jl": f"deep(x) = x * {self.number} - x * {self.number}\n",
            "data/table.txt": f"{1000}\n",
            "test/runtests.jl": f"using {self.name}, Test\n@test {self.name}.value() == {self.value}\n",
        }
        if self.built:
            files["deps/build.jl"] = 'write(joinpath(@__DIR__, "deps.jl"), "const BUILT = 7\\n")\n'
        if self.has_extension(julia):
            files[f"ext/{self.extension}.jl"] = (f"module {self.extension}\nusing {self.name}, {self.trigger.name}\n"
                                                 f"{self.name}.extended(::Nothing) = {self.trigger.name}.value()\nend\n")
        return {path: text.encode() for path, text in files.items()}

    def entry(self):
        imports = "".join(f"using {dep.name}\n" for dep in self.deps) + "".join(f"import {name}\n" for name in self.stdlibs)
        built = 'include(joinpath("..", "deps", "deps.jl"))' if self.built else "const BUILT = 0"
        terms = "".join(f" + {dep.name}.value()" for dep in self.deps)
        return ENTRY.format(name=self.name, imports=imports, built=built, terms=terms, modulus=MODULUS)

    def tree_hash(self, julia):
        return git_tree_hash(self.files(julia))

    def write(self, folder, julia):
        for path, data in self.files(julia).items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        if self.built:
            (folder / "deps/deps.jl").write_text("const BUILT = 7\n")


ENTRY = """module {name}

{imports}
include("types.jl")
include("compute.jl")
include("inner/Inner.jl")
{built}

const TABLE = joinpath(@__DIR__, "..", "data", "table.txt")
include_dependency(TABLE)
const BASE = parse(Int, strip(read(TABLE, String)))
const MADE = string(time_ns(), base = 62)
const BELOW = mod(0{terms}, {modulus})

extended(x) = nothing
value() = own() + BASE + BUILT + Inner.nothing_much(own()) + BELOW

precompile(value, ())
precompile(mix, (Vector{{Float64}}, Int))
precompile(summarise, (Matrix{{Float64}},))

end
"""

TYPES = """abstract type Abstract{name} end

struct Point{name}{{T<:Real}} <: Abstract{name}
    x::T
    y::T
end

struct Named{name}{{K,V}} <: Abstract{name}
    entries::Dict{{K,V}}
end

Base.:+(a::Point{name}, b::Point{name}) = Point{name}(a.x + b.x, a.y + b.y)
Base.show(io::IO, p::Point{name}) = print(io, "(", p.x, ", ", p.y, ")")
lookup(n::Named{name}, k, default) = get(n.entries, k, default)
"""

COMPUTE = """own() = {number}

function mix(values::Vector{{Float64}}, rounds::Int)
    state = copy(values)
    for round in 1:rounds, i in eachindex(state)
        j = mod1(i + round * {number} + 1, length(state))
        state[i] = muladd(state[j], 0.5, sin(state[i]) + {number})
    end
    return sort!(filter!(isfinite, state))
end

function summarise(table::Matrix{{Float64}})
    rows = [sum(view(table, i, :)) for i in axes(table, 1)]
    names = Dict(string("row", i, "_", {number}) => r for (i, r) in enumerate(rows))
    return join(sort!([string(k, "=", round(v, digits = 3)) for (k, v) in names]), ", ")
end
"""

INNER = """module Inner

include("deep.jl")
nothing_much(x) = deep(x)
const WORDS = Dict(i => string("word", i + {number}) for i in 1:50)

end
"""


# ---- environments


@dataclass
class Environment:
    """One project: what it asks for, and all that this needs."""

    name: str
    packages: list  # every generated package, dependencies first

    @property
    def direct(self):
        """What the project names: the packages that no other one needs, and the developed one."""
        needed = {dep.name for package in self.packages for dep in package.deps}
        return [package for package in self.packages if package.name not in needed or package.developed]

    def names(self):
        return [package.name for package in self.packages]

    def package(self, name):
        return next(package for package in self.packages if package.name == name)

    def dependents(self, name):
        """Names of the packages that need this one, itself included."""
        return [package.name for package in self.packages if name in package.closure]

    def extensions(self, julia):
        names = set(self.names())
        return [p.extension for p in self.packages if p.has_extension(julia) and p.trigger.name in names]

    def stdlibs(self, julia):
        """Every stdlib that is needed, with what it needs itself, as a manifest lists them."""
        todo, seen = [name for package in self.packages for name in package.stdlibs], {}
        while todo:
            name = todo.pop()
            if name not in seen:
                seen[name] = sorted(julia.stdlib_project(name).get("deps", {}))
                todo += seen[name]
        return seen

    def install(self, project, depot, julia, dev=None):
        """Write project and packages; `dev` is where developed packages are (default: beside the project)."""
        project, depot, dev = pathlib.Path(project), pathlib.Path(depot), pathlib.Path(dev or pathlib.Path(project).parent)
        for package in self.packages:
            if package.developed:
                package.write(dev / package.name, julia)
            else:
                place = depot / "packages" / package.name / version_slug(package.uuid, package.tree_hash(julia))
                if not place.exists():
                    package.write(place, julia)
        project.mkdir(parents=True, exist_ok=True)
        (project / "Project.toml").write_text(self.project_toml())
        (project / "Manifest.toml").write_text(self.manifest_toml(julia, project, dev))

    def project_toml(self):
        return "[deps]\n" + "".join(f'{p.name} = "{p.uuid}"\n' for p in sorted(self.direct, key=lambda p: p.name))

    def manifest_toml(self, julia, project, dev):
        entries = {p.name: self.manifest_entry(p, julia, project, dev) for p in self.packages}
        for name, deps in self.stdlibs(julia).items():
            entries[name] = manifest_lines(julia, name, deps, uuid=julia.stdlib_project(name)["uuid"])
        head = "# This file is machine-generated - editing it directly is not advised\n\n"
        if julia.version >= (1, 7):
            head += 'julia_version = "{}.{}.{}"\nmanifest_format = "2.0"\n\n'.format(*julia.version)
        return head + "\n".join(entries[name] for name in sorted(entries))

    def manifest_entry(self, package, julia, project, dev):
        values = {"uuid": str(package.uuid), "version": f"0.{package.number}.0"}
        if package.developed:
            values["path"] = str(relative(dev / package.name, project))
        else:
            values["git-tree-sha1"] = package.tree_hash(julia)
        deps = sorted([dep.name for dep in package.deps] + package.stdlibs)
        return manifest_lines(julia, package.name, deps, package if package.has_extension(julia) else None, **values)


def relative(target, start):
    up = 0
    while not target.is_relative_to(start):
        start, up = start.parent, up + 1
    return pathlib.PurePosixPath(*[".."] * up) / target.relative_to(start)


def manifest_lines(julia, name, deps, extended=None, **values):
    prefix = "deps." if julia.version >= (1, 7) else ""
    lines = [f"[[{prefix}{name}]]"]
    if deps:
        lines.append("deps = [" + ", ".join(f'"{dep}"' for dep in deps) + "]")
    lines += [f'{key} = "{value}"' for key, value in sorted(values.items())]
    if extended:
        lines += [f'weakdeps = ["{extended.trigger.name}"]', "", f"    [{prefix}{name}.extensions]",
                  f'    {extended.extension} = "{extended.trigger.name}"']
    return "\n".join(lines) + "\n"


def grow(names, julia, packages, seed):
    """Append a package for each name; it depends on up to four earlier ones, so that paths part and meet again."""
    chance = random.Random(seed)
    stdlibs = [name for name in STDLIBS_USED if julia.has_stdlib(name)]
    for name in names:
        number = len(packages)
        near = packages[-8:]
        deps = chance.sample(near, min(len(near), chance.randint(1, 4))) if number >= 4 else []
        package = Package(name, number, sorted(deps, key=lambda p: p.number), sorted(chance.sample(stdlibs, chance.randint(0, 2))))
        package.built = number == 5
        packages.append(package)
    return packages


def main_environment(julia, count=30):
    """`count` packages; the last but two is developed, the third has an extension that the second triggers (Julia 1.9+)."""
    packages = grow(NAMES[:count], julia, [], seed=count)
    packages[-3].developed = True
    packages[3].trigger = packages[1]
    return Environment("main", packages)


def sharing_environment(julia, first):
    """Another project: the first half of `first`'s packages, and fifteen (or fewer) of its own on top of them."""
    half = list(first.packages[:len(first.packages) // 2])
    packages = grow(OTHER_NAMES[:len(first.packages) - len(half)], julia, list(half), seed=99)
    return Environment("sharing", packages)


def main():
    """From a shell: install the main environment, print the names that its project asks for."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--julia", required=True)
    parser.add_argument("--project", required=True)
    parser.add_argument("--depot", required=True)
    parser.add_argument("--count", type=int, default=30)
    given = parser.parse_args()
    julia = Julia.ask(given.julia)
    environment = main_environment(julia, given.count)
    environment.install(pathlib.Path(given.project).absolute(), pathlib.Path(given.depot).absolute(), julia)
    print(*(package.name for package in environment.direct))


if __name__ == "__main__":
    main()
