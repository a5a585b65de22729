"""syscalls.c loaded into a program: the environment that does it."""

import os
import pathlib

from processes import bin_dir

PRELOAD = pathlib.Path(os.environ.get("JICACHE_PRELOAD", bin_dir().parent / "tests/jic_syscalls.so"))


def preload(under, **settings):
    """Variables that make syscalls.c look at the files in `under`. settings: log, trace, fail, program, memory."""
    given = {f"JIC_SYSCALLS_{name.upper()}": str(value) for name, value in settings.items() if value is not None}
    return {"LD_PRELOAD": str(PRELOAD), "JIC_SYSCALLS_UNDER": str(under), **given,
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
