"""A cluster that reaches no server of its own makers: what was compiled and signed outside loads inside without compiling."""

import json
import subprocess

from processes import Machine, Server, bin_dir
from test_signatures import signed, trusts  # noqa: F401  a fixture


def admin(server, *words):
    return subprocess.run([bin_dir() / "jicached", *words, "--data", server.data], check=True, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL).stdout


def test_what_came_over_in_a_file_loads_without_compiling(signed, small, julia, tmp_path):  # noqa: F811
    outside = Server(signed.folder / "server")
    admin(outside, "export", "main", "--output", tmp_path / "lane.tar")
    with Server(tmp_path / "inside") as inside:
        admin(inside, "lane", "create", "--name", "from/outside")
        taken = json.loads(admin(inside, "import", tmp_path / "lane.tar", "--lane", "from/outside", "--json"))
        assert taken["published"] >= len(small.packages) and taken["refused"] == 0
        user = trusts(Machine(tmp_path / "user", julia, inside.url), signed.key).install(small)
        assert user.pull()["fetched"] == 0, "main has none of it"
        user.extra = {**user.extra, "JICACHE_LANE": "from/outside"}
        assert user.pull()["fetched"] == taken["published"]
        loading = user.load(small)
        loading.assert_nothing_compiled()
        loading.assert_loaded(small)
