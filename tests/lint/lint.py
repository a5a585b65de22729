"""Checks that no compiler makes: lint.py CHECK ROOT prints each offence as file:line: sentence and fails if there is one.

The checks are functions from a source tree to a list of offences, so that test_lint.py can show each of them a bad tree.
"""

import pathlib
import re
import subprocess
import sys

LAYERS = ("common", "client", "server")

# The folders of libjicache, each of which may use those before it.
CLIENT_FOLDERS = ("memory", "julia", "environment", "graph", "relocate", "depot", "session", "remote", "operation")

# Folder -> folders whose headers it may include. The longest matching folder counts.
MAY_INCLUDE = {
    "common": ("common",),
    "client/include": (),
    "client/cli": ("common", "client/cli"),
    "server/store": ("common", "server/store", "server/tables"),
    "server/auth": ("common", "server/auth", "server/store"),
    "server/http": ("common", "server/http", "server/auth", "server/store", "server/tables"),
    "server/admin": ("common", "server"),
}

MAY_INCLUDE.update({f"client/lib/{folder}": ("common", *(f"client/lib/{below}" for below in CLIENT_FOLDERS[:i + 1]))
                    for i, folder in enumerate(CLIENT_FOLDERS)})

BANNED = ("strcpy", "strcat", "sprintf", "vsprintf", "strtok", "gets", "atoi", "atol", "atof", "alloca")

FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<(jicache/[^>]+)>)')
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def sources(root, *suffixes, folders=LAYERS + ("tests",)):
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                yield path


def code_of(path):
    """The file's text with comments and literals blanked out, line numbers kept."""
    blank = lambda m: re.sub(r"[^\n]", " ", m.group())
    return NOT_CODE.sub(blank, path.read_text())


def says(root, path, line, sentence):
    return f"{path.relative_to(root)}:{line}: {sentence}"


# ---- layers


def rule_for(relative):
    folder = str(pathlib.PurePosixPath(relative).parent)
    while folder != ".":
        if folder in MAY_INCLUDE:
            return folder
        folder = str(pathlib.PurePosixPath(folder).parent)
    return None


def include_offence(root, folder, quoted, public):
    if public:
        owner = "common" if (root / "common/include" / public).exists() else "client/include"
        allowed = owner == "common" or folder.startswith("client")
        return None if allowed else f"{folder} includes the client's public header <{public}>"
    # Only the folder: the file may be one that the build generates.
    if "/" not in quoted or not (root / quoted).parent.is_dir():
        return f'"{quoted}" is not a path from the top of the repository'
    if any(quoted.startswith(f"{target}/") for target in MAY_INCLUDE[folder]):
        return None
    return f'{folder} may not include "{quoted}": it may see {", ".join(MAY_INCLUDE[folder]) or "public headers"} only'


def check_layers(root):
    offences = []
    for path in sources(root, ".c", ".h", folders=LAYERS):
        folder = rule_for(path.relative_to(root))
        if folder is None:
            offences.append(says(root, path, 1, "belongs to no layer"))
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = INCLUDE.match(line)
            offence = found and include_offence(root, folder, *found.groups())
            if offence:
                offences.append(says(root, path, number, offence))
    return offences


# ---- code


def check_banned(root):
    banned = re.compile(r"\b(" + "|".join(BANNED) + r")\s*\(")
    offences = []
    for path in sources(root, ".c", ".h"):
        for number, line in enumerate(code_of(path).splitlines(), 1):
            for found in banned.finditer(line):
                offences.append(says(root, path, number, f"{found.group(1)}() is banned"))
    return offences


def check_globals(root):
    """File-scope variables are constants (or guard a library's own start-up): `main` builds the rest and passes it down."""
    variable = re.compile(r"^(?:static\s+)?(?!static\b|const\b|extern\b|typedef\b|struct\s+\w+\s*;|enum\b|union\b|return\b)"
                          r"[A-Za-z_][\w\s\*]*?\b\w+\s*(?:\[[^\]]*\])*\s*(?:=|;)")
    offences = []
    for path in sources(root, ".c", ".h", folders=LAYERS):
        for number, line in enumerate(code_of(path).splitlines(), 1):
            if variable.match(line) and not re.search(r"\b(?:const|pthread_once_t)\b", line):
                offences.append(says(root, path, number, "mutable variable at file scope"))
    return offences


def check_size(root):
    offences = []
    for path in sources(root, ".c", ".h"):
        lines = path.read_text().splitlines()
        if len(lines) > FILE_LINES_MAX:
            offences.append(says(root, path, len(lines), f"longer than {FILE_LINES_MAX} lines"))
        start = None
        for number, line in enumerate(lines, 1):
            if line == "{":
                start = number
            elif line == "}" and start:
                if number - start - 1 > FUNCTION_LINES_MAX:
                    offences.append(says(root, path, start, f"function of {number - start - 1} lines"))
                start = None
    return offences


def compiles(command, path):
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return None if done.returncode == 0 else done.stderr.strip()


def check_headers(root):
    """Every header compiles alone; an installed one as C and as C++, pedantically."""
    installed = ["-I", str(root / "common/include"), "-I", str(root / "client/include"), "-Wall", "-Wextra", "-Werror"]
    as_c = ["cc", "-std=c11", "-pedantic", "-fsyntax-only", "-x", "c", *installed]
    as_cxx = ["c++", "-std=c++11", "-pedantic", "-fsyntax-only", "-x", "c++", *installed]
    given = [f'-D{name}=""' for name in ("JIC_VERSION", "JIC_SHARED", "JIC_SOURCE_DIR", "JIC_BINARY_DIR")]
    ours = ["cc", "-std=gnu17", "-D_GNU_SOURCE", *given, "-fsyntax-only", "-x", "c", "-I", str(root), *installed]
    offences = []
    for path in sources(root, ".h"):
        public = "include/jicache" in str(path.relative_to(root))
        for command in (as_c, as_cxx) if public else (ours,):
            error = compiles(command, path)
            if error:
                offences.append(says(root, path, 1, f"does not compile alone with {command[0]}:\n{error}"))
    return offences


def check_format(root):
    files = [str(path) for path in sources(root, ".c", ".h")]
    if not files:
        return []
    done = subprocess.run(["clang-format-14", "--dry-run", "--Werror", *files], capture_output=True, text=True, cwd=root)
    first_lines = [line for line in done.stderr.splitlines() if "[-Wclang-format-violations]" in line]
    if done.returncode != 0 and not first_lines:
        return [done.stderr]
    return [line.replace(f"{root}/", "") for line in first_lines]


# ---- documents

TOP = ("common", "client", "server", "schema", "tests", "docs", "deploy", "cmake", ".ci")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
TICKED = re.compile(r"`([^`\n]+)`")
TOP_FILE = re.compile(r"^(README|CONTRIBUTING|CHANGELOG|LICENSE|CMakeLists|CMakePresets)[\w.]*$")


def documents(root):
    yield from sorted(root.glob("*.md"))
    yield from sorted((root / "docs").rglob("*.md"))


def repository_path(word):
    """The path from the top that a ticked word names, or None: placeholders and foreign paths are nobody's business."""
    word = word.split()[0] if word.split() else ""
    word = word.removeprefix("./").rstrip(",.;")
    word = re.sub(r":[\w.]+$", "", word)
    if re.search(r"[<>{}$…|=]|[A-Z]{4,}(?=[/.]|$)", word) and not TOP_FILE.match(word):
        return None
    if word.split("/")[0] in TOP and "/" in word or TOP_FILE.match(word):
        return word
    return None


def exists(root, base, path):
    """A document may name a module without its suffix: client/lib/julia/facts."""
    if "*" in path:
        return any(root.glob(path))
    return (base / path).exists() or any((base / path).parent.glob(f"{pathlib.PurePath(path).name}.[ch]"))


def check_docs(root):
    offences = []
    for document in documents(root):
        for number, line in enumerate(document.read_text().splitlines(), 1):
            links = [t.split("#")[0] for t in LINK.findall(line) if "://" not in t and not t.startswith(("#", "mailto:"))]
            ticked = [p for p in map(repository_path, TICKED.findall(line)) if p]
            missing = [t for t in links if t and not exists(root, document.parent, t)]
            missing += [p for p in ticked if not exists(root, root, p)]
            offences += [says(root, document, number, f"names {path}, which does not exist") for path in missing]
    return offences


# ---- claims

CLAIMED = re.compile(r"^(?:((?:[\w/]+/)?(?:test_|fuzz_)\w+\.(?:py|c))(?:::(\w+))?|(?:::)(\w+)|(test_\w+))$")


def tests_named(root, name):
    """Files of tests by that name, or path."""
    return [path for path in (root / "tests").rglob(name.split("/")[-1]) if str(path.relative_to(root)).endswith(name)]


def has_test(text, suffix, name):
    pattern = rf"\bdef {name}\(" if suffix == ".py" else rf"\bTest\(\w+, {name}\b"
    return re.search(pattern, text) is not None


def check_claims(root):
    """docs/security.md names a test for each claim, as `file`, `file::test` or, of the file that was named last, `::test` or `test_…`."""
    page, offences, files = root / "docs/security.md", [], []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        for claimed in filter(None, map(CLAIMED.match, TICKED.findall(line))):
            name, test = claimed.group(1), claimed.group(2) or claimed.group(3) or claimed.group(4)
            files = tests_named(root, name) if name else files
            if not files:
                offences.append(says(root, page, number, f"names {name}, which is no test"))
            elif test and not any(has_test(path.read_text(), path.suffix, test) for path in files):
                offences.append(says(root, page, number, f"names {test}, which {files[0].name} does not have"))
    return offences


# ---- metrics

ENTRY = re.compile(r"^JIC_[A-Z]+\((.*?)\)$", re.M | re.S)
WORD = re.compile(r'"((?:\\.|[^"\\])*)"|(\w+)')


def table(root, name):
    """The entries of a table of macros, each as a list of its words; literals that stand side by side are one."""
    text = re.sub(r"/\*.*?\*/", "", (root / "server/tables" / name).read_text(), flags=re.S)
    text = re.sub(r'"\s*\n\s*"', "", text)
    return [[(quoted or bare).replace('\\"', '"') for quoted, bare in WORD.findall(body)] for body in ENTRY.findall(text)]


def told_metrics(root):
    """The lines that docs/metrics.md has to have. Counters up to RECEIVED_BYTES are metrics under other names."""
    counters = table(root, "counters.def")
    own = [entry[0] for entry in counters].index("RECEIVED_BYTES") + 1
    return [f"| `{name}` | {kind.lower()} | {labels} | {text} |" for _, kind, name, labels, text in table(root, "metrics.def")] + \
           [f"| `jicached_{name}_total` | counter | | {text} |" for _, name, text in counters[own:]] + \
           [f"| `{name}` | {text} |" for _, name, text in table(root, "miss_reasons.def")]


def check_metrics(root):
    page = root / "docs/metrics.md"
    told = {re.sub(r"\|\s+\|", "| |", line) for line in page.read_text().splitlines()}
    return [says(root, page, 1, f"lacks: {line}") for line in (re.sub(r"\|\s+\|", "| |", wanted) for wanted in told_metrics(root))
            if line not in told]


CHECKS = {name[6:]: function for name, function in list(globals().items()) if name.startswith("check_")}


def main(arguments):
    if len(arguments) != 2 or arguments[0] not in CHECKS:
        print(f"usage: lint.py {{{'|'.join(CHECKS)}}} ROOT", file=sys.stderr)
        return 2
    offences = CHECKS[arguments[0]](pathlib.Path(arguments[1]).resolve())
    print("\n".join(offences) or f"{arguments[0]}: nothing found")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
