"""Small environments written for one question each: packages in a depot or developed, projects, manifests, as Pkg would write
them but with nothing that a test doesn't want.

A scene function takes a Scene and writes the same world on any machine, below a folder that is another one on each; it returns
the names to load. Each package (and extension) has value() and a constant MADE that is frozen when it is compiled.
"""

import pathlib
import uuid as uuids
from dataclasses import dataclass, field
from types import SimpleNamespace

from environment import git_tree_hash, relative, version_slug

NAMESPACE = uuids.UUID("6b0f6d51-2c0f-4a0d-8f60-0c6f7b1f2c33")
MADE = "const MADE = string(time_ns(), base = 62)\n"


def uuid_of(name):
    return str(uuids.uuid5(NAMESPACE, name))


def toml_list(names):
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


@dataclass
class Package:
    name: str
    deps: list
    weak: list
    extensions: dict  # name -> triggers
    folder: pathlib.Path
    tree_hash: str = None
    uuid: str = None
    extra: dict = field(default_factory=dict)  # further lines of its manifest entry


class Scene:
    def __init__(self, machine, base="work"):
        self.machine, self.julia = machine, machine.julia
        self.base = machine.folder / base
        self.packages = {}

    def write(self, path, text):
        """A file below the scene's folder, or at an absolute path."""
        target = self.base / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target

    def uuid(self, name):
        if name in self.packages:
            return self.packages[name].uuid
        return self.julia.stdlib_project(name)["uuid"] if self.julia.has_stdlib(name) else uuid_of(name)

    def table(self, title, names):
        return f"\n[{title}]\n" + "".join(f'{name} = "{self.uuid(name)}"\n' for name in names) if names else ""

    # ---- packages

    def package(self, name, deps=(), weak=(), extensions=None, body="", value="1", files=None, project="", at=None, uuid=None,
                **extra):
        """A package that Pkg added, or one developed at `at`. Its value() adds up its own value and those of what it needs."""
        extensions = extensions or {}
        made = Package(name, list(deps), list(weak), extensions, self.base, uuid=uuid or uuid_of(name), extra=extra)
        self.packages[name] = made
        own = [dep for dep in deps if dep in self.packages]
        imports = "".join(f"using {dep}\n" if dep in own else f"import {dep}\n" for dep in deps)
        total = "".join(f" + {dep}.value()" for dep in own)
        content = {
            "Project.toml": f'name = "{name}"\nuuid = "{made.uuid}"\nversion = "0.1.0"\n' + self.table("deps", deps)
                            + self.table("weakdeps", weak) + self.extension_table("extensions", extensions) + project,
            f"src/{name}.jl": f"module {name}\n{imports}{MADE}{body}\nvalue() = {value}{total}\nprecompile(value, ())\nend\n",
            **{f"ext/{ext}.jl": self.extension_source(name, ext, triggers) for ext, triggers in extensions.items()},
            **(files or {}),
        }
        if at is None:
            made.tree_hash = git_tree_hash({path: text.encode() for path, text in content.items()})
            slug = version_slug(uuids.UUID(made.uuid), made.tree_hash)
            made.folder = self.machine.depot / "packages" / name / slug
        else:
            made.folder = self.base / at
        for path, text in content.items():
            self.write(made.folder / path, text)
        return made

    def extension_table(self, title, extensions):
        return f"\n[{title}]\n" + "".join(f"{ext} = {toml_list(triggers)}\n" for ext, triggers in extensions.items()) \
            if extensions else ""

    def extension_source(self, parent, ext, triggers):
        imports = "".join(f"import {name}\n" for name in [parent, *triggers])
        return f"module {ext}\n{imports}{MADE}value() = 7 + {parent}.value()\nprecompile(value, ())\nend\n"

    # ---- environments

    def project(self, at, deps=(), text="", manifest="Manifest.toml", active=True, **options):
        """A project that names `deps`, with a manifest of all they need unless `manifest` is None."""
        folder = self.base / at
        self.write(folder / "Project.toml", text + self.table("deps", deps))
        if manifest:
            self.write(folder / manifest, self.manifest((folder / manifest).resolve().parent, deps, **options))
        if active:
            self.machine.project = folder
        return folder

    def closure(self, names):
        found = []
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in found:
                found.append(name)
                todo += self.deps_of(name)
        return sorted(found)

    def deps_of(self, name):
        if name in self.packages:
            return self.packages[name].deps
        return list(self.julia.stdlib_project(name).get("deps", {}))

    def manifest(self, folder, names, form=None, only=None):
        """Text of a manifest in `folder`. `form`: manifest_format, of which Julia before 1.7 wrote none."""
        form = form or ("2.0" if self.julia.version >= (1, 7) else "1.0")
        head = f'julia_version = "{".".join(map(str, self.julia.version))}"\nmanifest_format = "{form}"\n' if form != "1.0" else ""
        prefix = "deps." if form != "1.0" else ""
        entries = only or self.closure(names)
        return head + "".join(self.entry(prefix, name, folder, entries) for name in entries)

    def entry(self, prefix, name, folder, names):
        lines = [f"\n[[{prefix}{name}]]", f'uuid = "{self.uuid(name)}"']
        if self.deps_of(name):
            lines.append(f"deps = {toml_list(sorted(self.deps_of(name)))}")
        package = self.packages.get(name)
        if package:
            lines += [f'{key} = "{value}"' for key, value in {"version": "0.1.0", **package.extra}.items()]
            where = {"git-tree-sha1": package.tree_hash} if package.tree_hash else {"path": relative(package.folder, folder)}
            lines += [f'{key} = "{value}"' for key, value in where.items() if key not in package.extra]
            # Pkg writes UUIDs only for what the manifest has no entry of.
            if package.weak and all(weak in names for weak in package.weak):
                lines.append(f"weakdeps = {toml_list(package.weak)}")
            elif package.weak:
                lines.append("\n".join([f"\n    [{prefix}{name}.weakdeps]",
                                        *(f'    {weak} = "{self.uuid(weak)}"' for weak in package.weak)]))
            if package.extensions:
                lines.append(self.extension_table(f"{prefix}{name}.extensions", package.extensions))
        return "\n".join(lines) + "\n"


def load(machine, names, through=()):
    """Load packages by name; what Julia says of all that got loaded."""
    return machine.load(SimpleNamespace(direct=[SimpleNamespace(name=name) for name in names]), through=through)


def run_load(machine, names, *arguments):
    return load(machine, names, through=machine.command("run", *arguments, "--"))
