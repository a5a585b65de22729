"""The programs under test as processes: a server on a free port, and machines (each with its own home, depot and project) on
which Julia and the client run."""

import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[2]
READY = re.compile(r"listening on ((?:https?|unix)://\S+)")
JULIAS_FILE = re.compile(r"/(\w+)/\w{5}_\w{5}\.ji$")

# A precompile child needs more memory than this; what a wrapper script around Julia starts needs less.
CHILD_KIB = 50_000


def bin_dir():
    return pathlib.Path(os.environ.get("JICACHE_BIN_DIR", ROOT / "build/asan/bin"))


class Server:
    """`jicached serve` on a data directory. start() may be called again after stop() or kill(), on the same port."""

    def __init__(self, data, *arguments):
        self.data, self.arguments = pathlib.Path(data), arguments
        self.process, self.url, self.output = None, None, []
        self.extra = {}  # of the environment
        self.status = None  # of the last process that ended, or was killed

    def launch(self):
        """Start the process and wait for nothing."""
        listen = self.url.removeprefix("http://") if self.url else "127.0.0.1:0"
        command = [bin_dir() / "jicached", "serve", "--data", self.data, "--listen", listen, *self.arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, errors="replace", env={**os.environ, **self.extra})

    def start(self, wait_s=30):
        self.launch()
        ready = threading.Event()
        threading.Thread(target=self._read, args=(self.process.stdout, ready), daemon=True).start()
        if not ready.wait(wait_s) or not self.url:
            self.kill()
            raise RuntimeError(f"jicached does not start:\n{''.join(self.output)}")
        return self

    def _read(self, stream, ready):
        for line in stream:
            self.output.append(line)
            found = READY.search(line)
            if found:
                self.url = found.group(1)
                ready.set()
        ready.set()

    def kill(self):
        """SIGKILL: nothing is finished, nothing is flushed."""
        if self.process:
            if self.process.poll() is None:
                self.process.kill()
            self.status = self.process.wait()
            self.process = None

    def stop(self):
        """SIGTERM; the exit status."""
        if not self.process:
            return 0
        self.process.terminate()
        status = self.process.wait(timeout=60)
        self.process = None
        return status

    def token(self, name="ci", can="read,write", lanes="main"):
        done = subprocess.run([bin_dir() / "jicached", "token", "create", "--data", self.data, "--name", name, "--can", can,
                               "--lanes", lanes], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
        return done.stdout.strip().splitlines()[-1]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()


@dataclass
class Loading:
    """What Julia itself says of one session that loaded packages."""

    status: int
    output: str
    depot: str
    values: dict = field(default_factory=dict)  # package -> value()
    made: dict = field(default_factory=dict)    # package -> MADE, the moment of its compilation
    new_files: list = field(default_factory=list)
    child_kib: int = 0                          # the largest process that Julia started and waited for

    @property
    def compiled(self):
        """Packages that Julia said it compiles, or left a file of: its own file names end in five characters."""
        said = set(re.findall(r"Precompiling (\w+) ?\[", self.output))
        left = {match.group(1) for match in (JULIAS_FILE.search(name) for name in self.new_files) if match}
        return sorted(said | left)

    @property
    def rejected(self):
        """Of our depot: the caches that came with Julia are several for each stdlib, and one of them is rejected always."""
        return [line for line in self.output.splitlines() if "Rejecting cache file" in line and self.depot in line]

    def assert_nothing_compiled(self):
        assert self.status == 0, self.output
        assert self.compiled == [], self.output
        assert self.rejected == [], self.output
        assert self.child_kib < CHILD_KIB, f"Julia started a process of {self.child_kib} KiB"

    def assert_loaded(self, environment):
        """Every package is loaded, each with the right code."""
        assert self.status == 0, self.output
        assert self.values == {package.name: package.value for package in environment.packages}, self.output


LOAD = """
foreach(name -> Base.require(Main, Symbol(name)), ARGS)
for (id, module_) in Base.loaded_modules
    isdefined(module_, :MADE) && println("LOADED ", id.name, " ", module_.value(), " ", module_.MADE)
end
usage = zeros(Clong, 18)
ccall(:getrusage, Cint, (Cint, Ptr{Clong}), -1, usage)
println("CHILD ", usage[5])
"""


def default_signals():
    """As on a terminal: what starts tests in the background may have these ignored, and a shell can't trap them then."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Machine:
    """A user's machine: home, depot and project in directories of its own; `environment` can be installed into it."""

    def __init__(self, folder, julia, url=None, token=None):
        self.folder, self.julia = pathlib.Path(folder), julia
        self.home, self.depot = self.folder / "home", self.folder / "home/depot"
        self.project = self.folder / "work/project"
        self.url, self.token = url, token
        self.program = julia.path  # what is started as julia
        self.julia_args, self.extra = [], {}  # extra: of the environment; None removes
        self.home.mkdir(parents=True, exist_ok=True)

    def install(self, environment, project=None):
        if project:
            self.project = self.folder / project
        environment.install(self.project, self.depot, self.julia)
        return self

    def env(self):
        kept = {key: value for key, value in os.environ.items()
                if not key.startswith(("JULIA", "JICACHE_", "XDG_")) and key != "HOME"}
        # The empty last entry keeps the depot that came with Julia visible (1.11+).
        kept.update(HOME=str(self.home), JULIA=self.julia.path, JULIA_DEPOT_PATH=f"{self.depot}:", JULIA_PKG_OFFLINE="true")
        if self.url:
            kept["JICACHE_URL"] = self.url
        if self.token:
            kept["JICACHE_TOKEN"] = self.token
        return {name: value for name, value in {**kept, **self.extra}.items() if value is not None}

    # ---- Julia

    def julia_command(self, *arguments):
        return [self.program, "--startup-file=no", "--history-file=no", f"--project={self.project}", *self.julia_args, *arguments]

    def caches(self):
        """Files below compiled/, but for what is hidden from Julia."""
        return {path for path in self.depot.glob("compiled/**/*") if path.is_file() and not path.name.startswith(".")}

    def load(self, environment, through=(), timeout_s=600):
        """Load all packages of an environment in a new Julia, started by the command `through` if given."""
        before = self.caches()
        names = [package.name for package in environment.direct]
        done = self.start([*through, *self.julia_command("-e", LOAD, *names)], JULIA_DEBUG="loading")
        out, err = done.communicate(timeout=timeout_s)
        assert "Sanitizer" not in err, err
        loading = Loading(done.returncode, out + err, str(self.depot))
        for name, value, made in re.findall(r"^LOADED (\w+) (-?\d+) (\w+)$", out, re.M):
            loading.values[name], loading.made[name] = int(value), made
        child = re.search(r"^CHILD (\d+)$", out, re.M)
        loading.child_kib = int(child.group(1)) if child else 0
        loading.new_files = sorted(str(path.relative_to(self.depot)) for path in self.caches() - before)
        return loading

    # ---- the client

    def start(self, command, **env):
        return subprocess.Popen([str(word) for word in command], env={**self.env(), **env}, cwd=self.folder, text=True,
                                errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                preexec_fn=default_signals)

    def command(self, name, *arguments):
        words = [bin_dir() / "jicache", name]
        if name == "inspect":
            return [*words, *arguments]
        words += ["--project", self.project]
        if self.julia_args:
            words += ["--julia-args", " ".join(self.julia_args)]
        return [*words, *arguments]

    def jicache(self, name, *arguments, status=0, timeout=300):
        """Run the client; its CompletedProcess, after the exit status was found to be `status`."""
        process = self.start(self.command(name, *arguments))
        out, err = process.communicate(timeout=timeout)
        done = subprocess.CompletedProcess(process.args, process.returncode, out, err)
        assert status is None or done.returncode == status, f"{name}: status {done.returncode}\n{out}\n{err}"
        assert "Sanitizer" not in err, err
        return done

    def report(self, name, *arguments, status=0):
        return json.loads(self.jicache(name, *arguments, "--json", status=status).stdout)

    def pull(self, *arguments, **options):
        return self.report("pull", *arguments, **options)

    def push(self, *arguments, **options):
        return self.report("push", *arguments, **options)

    def run_load(self, environment, *arguments):
        """`jicache run -- julia …` that loads all packages."""
        return self.load(environment, through=self.command("run", *arguments, "--"))

    def keys(self):
        """Package -> Merkle key, of all that can be shared."""
        return {node["name"]: node["key"] for node in self.report("key")["nodes"] if node["state"] == "shared"}


def summary_of(done):
    """The one line that every command ends with."""
    lines = [line for line in done.stderr.splitlines() if line.startswith("jicache: ")]
    assert lines, f"no summary line:\n{done.stderr}"
    return lines[-1]


def wait_until(condition, timeout_s=30, what="condition"):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {timeout_s} s"
        time.sleep(0.02)
