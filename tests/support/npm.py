"""Packages of npm's registry that tests use: from a lock file, in the build directory, once for each content of it."""

import hashlib
import shutil
import subprocess

from processes import bin_dir


def modules(place):
    """node_modules of the packages that `place` (a folder with package.json and its lock file) names."""
    names = [name for name in ("package.json", "package-lock.json", ".npmrc") if (place / name).exists()]
    digest = hashlib.sha256((place / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = bin_dir().parent / place.name / digest
    if not (folder / "ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copy(place / name, folder)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True, stdin=subprocess.DEVNULL)
        (folder / "ready").touch()
    return folder / "node_modules"
