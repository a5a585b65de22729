"""Podman with a configuration of its own: no service, images and containers below one folder, nothing from a registry."""

import os
import pathlib
import resource
import shutil
import subprocess

BASE = "docker.io/library/debian:bookworm-slim"


def why_not():
    """A sentence when containers can't run here, else None."""
    missing = [tool for tool in ("podman", "runc", "mmdebstrap", "podman-compose") if not shutil.which(tool)]
    if missing:
        return f"{', '.join(missing)}: not installed"
    return None if os.geteuid() == 0 else "root is needed to make an image of Debian's packages"


class Engine:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        (self.folder / "storage.conf").write_text(f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n')
        # crun refuses hybrid control groups, and limits above the hard ones are refused without CAP_SYS_RESOURCE.
        (self.folder / "containers.conf").write_text(
            f'[containers]\ndefault_ulimits = ["nofile={hard}:{hard}", "nproc=32768:32768"]\n'
            '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n[network]\nnetwork_backend = "netavark"\n')
        self.env = {**os.environ, "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
                    "CONTAINERS_CONF": str(self.folder / "containers.conf"), "TMPDIR": str(self.folder)}

    def try_(self, *words, timeout=600):
        return subprocess.run(["podman", *map(str, words)], capture_output=True, text=True, env=self.env, stdin=subprocess.DEVNULL,
                              timeout=timeout)

    def __call__(self, *words, **options):
        done = self.try_(*words, **options)
        assert done.returncode == 0, f"podman {words}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout.strip()

    def registry(self):
        """Volumes with which npm in a build asks the registry that npm asks here, and trusts whom this machine trusts."""
        npmrc = self.folder / "npmrc"
        known = subprocess.run(["npm", "config", "get", "registry"], capture_output=True, text=True, check=True,
                               stdin=subprocess.DEVNULL).stdout.strip()
        npmrc.write_text(f"registry={known}\ncafile=/etc/host-authorities.crt\n")
        return ["-v", f"{npmrc}:/root/.npmrc:ro", "-v", "/etc/ssl/certs/ca-certificates.crt:/etc/host-authorities.crt:ro"]

    def make_base(self):
        """What a registry would give as debian:bookworm-slim, from the mirror that apt uses here."""
        listed = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"], capture_output=True,
                                text=True, check=True).stdout.splitlines()
        mirror = next(uri for uri in listed if "security" not in uri).rstrip("/")
        tar = self.folder / "base.tar"
        subprocess.run(["mmdebstrap", "--quiet", "--mode=root", "--variant=apt", "--dpkgopt=force-unsafe-io", "bookworm", tar, mirror],
                       check=True, env=self.env, stdin=subprocess.DEVNULL)
        self("import", "-q", tar, BASE)
        tar.unlink()

    def close(self):
        self.try_("rm", "-a", "-f", "-t", "1")
        self.try_("rmi", "-a", "-f")
        subprocess.run(["umount", self.folder / "graph/overlay"], capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)
