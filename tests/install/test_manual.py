"""Manual pages and completions as they are installed: judged by mandoc, and typed into a real bash, zsh and fish."""

import os
import re
import subprocess

import pytest
from processes import ROOT, bin_dir

PROGRAMS = {"jicache": 1, "jicached": 8}


def run(*words, check=True, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)
    assert not check or done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done


def commands_of(program):
    return run(bin_dir() / program, "manual", "--list").stdout.splitlines()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """man/, and completions/ of both programs: what the build makes."""
    folder = tmp_path_factory.mktemp("manual")
    for program, section in PROGRAMS.items():
        run(ROOT / "docs/man/build", folder / program, bin_dir() / program, section)
    (folder / "man").mkdir()
    for program in PROGRAMS:
        run("cp", "-r", *folder.glob(f"{program}/man*"), folder / "man")
    run("makewhatis", folder / "man")
    return folder


def test_every_command_has_a_page_that_mandoc_finds_nothing_in(built):
    pages = sorted((built / "man").glob("man*/*"))
    expected = {f"{program}-{command.replace(' ', '-')}.{section}" for program, section in PROGRAMS.items()
                for command in commands_of(program)} | {"jicache.1", "jicached.8", "jicached.toml.5"}
    assert {page.name for page in pages} == expected
    done = run("mandoc", "-T", "lint", "-W", "style", *pages, check=False, env={**os.environ, "MANPATH": str(built / "man")})
    assert done.returncode == 0 and done.stdout + done.stderr == ""


def test_a_mistake_in_a_page_would_be_found(built, tmp_path):
    page = tmp_path / "jicache.1"
    page.write_text((built / "man/man1/jicache.1").read_text() + ".Sh WAY OUT\n.El\n")
    assert run("mandoc", "-T", "lint", "-W", "style", page, check=False).returncode != 0


def test_pages_say_what_help_says(built):
    for program, section in PROGRAMS.items():
        for command in commands_of(program):
            options = set(re.findall(r"--([\w-]+)", "\n".join(
                line for line in run(bin_dir() / program, *command.split(), "--help").stdout.splitlines()
                if re.match(r"\s+(-\w, )?--", line))))
            page = (built / f"man/man{section}/{program}-{command.replace(' ', '-')}.{section}").read_text()
            assert options - {"help"} <= set(re.findall(r"Fl Fl ([\w-]+)", page)), command


def test_every_setting_is_in_the_page_of_the_settings(built):
    page = (built / "man/man5/jicached.toml.5").read_text()
    keys = re.findall(r"^([\w.]+) = ", run(bin_dir() / "jicached", "config", "show").stdout, re.M)
    assert keys and [key for key in keys if f".It Ic {key} " not in page] == []


# ---- completions: (what is typed, what must be offered, what must not)

LINES = [
    ("jicache pu", {"pull", "push"}, {"run"}),
    ("jicache pull --pr", {"--project"}, {"--json"}),
    ("jicache gc --", {"--older-than", "--max-size"}, {"--token"}),
    ("jicached token ", {"create", "list", "revoke"}, {"serve"}),
    ("jicached token create --na", {"--name"}, {"--json"}),
    ("jicached pins --j", {"--json"}, set()),
    ("jicached serve --config ./jic", {"./jicached.toml", "./jicached.old"}, {"--json"}),
    ("jicached serve --data ./d", {"./data"}, {"./draft"}),
]

BASH = """
source "$1"
COMP_LINE=$2
read -ra COMP_WORDS <<<"$COMP_LINE"
[[ $COMP_LINE != *' ' ]] || COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_"${COMP_WORDS[0]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""

# zsh completes only in its line editor: one is started on a terminal of its own, and what it lists is read from there.
ZSH = """
import os, pty, re, select, sys, time
functions, line = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.environ.update(TERM="dumb", PS1="READY ", COLUMNS="400", LINES="400")
    os.execvp("zsh", ["zsh", "-f", "-i"])
def until(pattern, seconds=10):
    seen, end = "", time.monotonic() + seconds
    while not re.search(pattern, seen) and time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            seen += os.read(terminal, 65536).decode(errors="replace")
    return seen
until("READY ")
setup = f"fpath=({functions} $fpath); autoload -U compinit; compinit -u -D; LISTMAX=0; unsetopt ZLE_BRACKETED_PASTE 2>/dev/null; " \\
        "zstyle ':completion:*' list-prompt ''; stty cols 400 rows 400; bindkey '^X' list-choices; print DO''NE"
os.write(terminal, (setup + "\\n").encode())
until(r"DONE[\\s\\S]*READY ")
os.write(terminal, (line + "\\x18").encode())
time.sleep(0.5)
print(until(r"\\Z(?!)", 2))
os.write(terminal, b"\\x03exit\\n")
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "jicached.toml").write_text("")
    (tmp_path / "jicached.old").write_text("")
    (tmp_path / "draft").write_text("")
    (tmp_path / "data").mkdir()
    return tmp_path


def offered_by_bash(built, folder, line):
    program = line.split()[0]
    return set(run("bash", "--norc", "-c", BASH, "bash", built / program / f"completions/{program}.bash", line,
                   cwd=folder).stdout.splitlines())


def offered_by_fish(built, folder, line):
    program = line.split()[0]
    script = built / program / f"completions/{program}.fish"
    done = run("fish", "--no-config", "-c", f"source {script}; complete -C '{line}'", cwd=folder, env={**os.environ, "HOME": str(folder)})
    assert done.stderr == ""
    return {found.split("\t")[0].removesuffix("/") for found in done.stdout.splitlines()}


def offered_by_zsh(built, folder, line):
    program = line.split()[0]
    functions = folder / "functions"
    functions.mkdir(exist_ok=True)
    (functions / f"_{program}").write_text((built / program / f"completions/{program}.zsh").read_text())
    done = run("/usr/bin/python3", "-c", ZSH, functions, line, cwd=folder, env={**os.environ, "HOME": str(folder)})
    shown = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", done.stdout).split(line, 1)[-1]
    last = line.split(" ")[-1]
    # A list says "name  -- what it is"; of a path it shows the last part.
    words = {word.strip("/") for word in shown.split()}
    return words | {f"./{word}" for word in words if last.startswith("./")}


@pytest.mark.parametrize("line, wanted, unwanted", LINES)
@pytest.mark.parametrize("offered_by", [offered_by_bash, offered_by_fish, offered_by_zsh])
def test_a_shell_offers_what_there_is(built, folder, offered_by, line, wanted, unwanted):
    offered = offered_by(built, folder, line)
    assert wanted <= offered and not unwanted & offered, offered


def test_a_command_behind_run_is_completed_as_a_command(built, folder):
    assert "bash" in offered_by_bash(built, folder, "jicache run -- bas")


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_shell_but_these(program):
    done = run(bin_dir() / program, "completion", "tcsh", check=False)
    assert done.returncode == 2 and "tcsh" in done.stderr and done.stdout == ""
    assert run(bin_dir() / program, "manual", "nonsense", check=False).returncode == 2
