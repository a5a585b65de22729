"""Each lint finds what it is for and passes what is right: a lint that can't fail is a defect."""

import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import lint

GUARD = "#ifndef H\n#define H\n%s\n#endif\n"


def tree(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


GOOD_LAYERS = {
    "common/view.h": "",
    "common/include/jicache/error.h": "",
    "client/include/jicache/client.h": "#include <jicache/error.h>\n",
    "client/lib/graph/graph.h": '#include "common/view.h"\n#include <jicache/client.h>\n',
    "client/cli/main.c": "#include <jicache/client.h>\n",
    "server/store/store.h": '#include "common/view.h"\n#include <jicache/error.h>\n#include <stdio.h>\n',
    "server/http/route.c": '#include "server/store/store.h"\n',
}


def test_a_tree_that_keeps_the_layers_passes(tmp_path):
    assert lint.check_layers(tree(tmp_path, GOOD_LAYERS)) == []


@pytest.mark.parametrize("name, line", [
    ("common/up.c", '#include "client/lib/graph/graph.h"'),
    ("common/up.c", '#include "server/store/store.h"'),
    ("client/lib/operation/sideways.c", '#include "server/store/store.h"'),
    ("server/store/sideways.c", '#include "client/lib/graph/graph.h"'),
    ("server/http/public.c", "#include <jicache/client.h>"),
    ("server/store/up.c", '#include "server/http/route.h"'),
    ("client/cli/private.c", '#include "client/lib/graph/graph.h"'),
    ("client/lib/graph/bare.c", '#include "graph.h"'),
    ("client/lib/environment/up.c", '#include "client/lib/graph/graph.h"'),
    ("client/lib/stray.c", '#include "common/view.h"'),
    ("client/stray.c", '#include "common/view.h"'),
])
def test_an_include_up_or_sideways_is_found(tmp_path, name, line):
    tree(tmp_path, {**GOOD_LAYERS, "server/http/route.h": "", name: f"/* one */\n{line}\n"})
    offences = lint.check_layers(tmp_path)
    assert len(offences) == 1 and offences[0].startswith(name)


def test_a_banned_call_is_found_but_not_in_a_comment_or_string(tmp_path):
    tree(tmp_path, {"common/a.c": '/* strcpy(a) */\nchar *s = "atoi(x)";\nint x = atoi (s);\nsnprintf(b, 1, "");\n'})
    assert lint.check_banned(tmp_path) == ["common/a.c:3: atoi() is banned"]


@pytest.mark.parametrize("line, bad", [
    ("static int count;", True),
    ("struct jic_log *log = 0;", True),
    ("static char names[3][4] = {0};", True),
    ("static const int limit = 3;", False),
    ("static const char *const names[] = {0};", False),
    ("static int count(void);", False),
    ("struct jic_store;", False),
    ("\tint local = 1;", False),
])
def test_a_mutable_global_is_found(tmp_path, line, bad):
    tree(tmp_path, {"common/a.c": line + "\n"})
    assert bool(lint.check_globals(tmp_path)) == bad


def test_a_long_function_and_a_long_file_are_found(tmp_path):
    body = "\tx();\n" * (lint.FUNCTION_LINES_MAX + 1)
    tree(tmp_path, {"common/a.c": f"void f(void)\n{{\n{body}}}\n", "common/b.c": "\n" * (lint.FILE_LINES_MAX + 1)})
    assert len(lint.check_size(tmp_path)) == 2


def test_a_header_that_needs_another_is_found(tmp_path):
    tree(tmp_path, {"common/a.h": GUARD % "uint32_t f(void);", "common/b.h": GUARD % "#include <stdint.h>\nuint32_t f(void);"})
    offences = lint.check_headers(tmp_path)
    assert len(offences) == 1 and offences[0].startswith("common/a.h")


def test_an_installed_header_that_is_no_cxx_is_found(tmp_path):
    tree(tmp_path, {"client/include/jicache/a.h": GUARD % "int f(int new);"})
    assert len(lint.check_headers(tmp_path)) == 1


def test_a_badly_formatted_file_is_found(tmp_path):
    style = (pathlib.Path(__file__).parents[2] / ".clang-format").read_text()
    tree(tmp_path, {".clang-format": style, "common/a.c": "int f(void) { return 1; }\n", "common/b.c": "int x(void);\n"})
    offences = lint.check_format(tmp_path)
    assert offences and all(offence.startswith("common/a.c") for offence in offences)


def test_a_document_that_names_a_missing_path_is_found(tmp_path):
    text = "See `docs/no.md`, [x](gone.md), `docs/a.md`, [a](docs/a.md#top), `tests/*/no.c`, `/etc/x`, `common/NAME.c`, `common/x`.\n"
    tree(tmp_path, {"README.md": text, "docs/a.md": "", "common/x.h": ""})
    assert [o.split()[2].rstrip(",") for o in lint.check_docs(tmp_path)] == ["gone.md", "docs/no.md", "tests/*/no.c"]


def test_a_claim_without_its_test_is_found(tmp_path):
    tree(tmp_path, {"tests/unit/test_a.c": "Test(a, is_so)\n", "tests/e2e/test_b.py": "def test_that(x):\n",
                    "docs/security.md": "`test_a.c::is_so`, `test_a.c::is_not`, `::is_so`, `::gone`\n"
                                        "`tests/e2e/test_b.py`: `test_that`, `test_this`, `a test_`, `test_c.py`, `test_a.py::is_so`\n"})
    assert [o.split("names ")[1].split(",")[0] for o in lint.check_claims(tmp_path)] == \
           ["is_not", "gone", "test_this", "test_c.py", "test_a.py"]


def test_a_metric_that_the_page_does_not_tell_is_found(tmp_path):
    tree(tmp_path, {"server/tables/metrics.def": 'JIC_METRIC(A, GAUGE, "a", "", "An A of "\n  "two lines.")\n',
                    "server/tables/counters.def": 'JIC_COUNTER(RECEIVED_BYTES, "r", "x")\nJIC_COUNTER(B, "b", "told")\n',
                    "server/tables/miss_reasons.def": 'JIC_MISS(C, "c", "why")\n',
                    "docs/metrics.md": "| `a` | gauge | | An A of two lines. |\n| `c` | because |\n"})
    assert [o.split("lacks: ")[1] for o in lint.check_metrics(tmp_path)] == \
           ["| `jicached_b_total` | counter | | told |", "| `c` | why |"]


def test_the_command_line_fails_on_an_offence(tmp_path):
    tree(tmp_path, {"common/a.c": "int x = atoi(s);\n"})
    run = lambda check: subprocess.run([sys.executable, lint.__file__, check, str(tmp_path)], capture_output=True).returncode
    assert (run("banned"), run("layers"), run("nonsense")) == (1, 0, 2)
