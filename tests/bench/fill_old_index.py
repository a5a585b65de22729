"""An index as an old jicached left it: fill_old_index.py DIR ARTEFACTS SCHEMA

Environments of 100 packages, each requiring all before it, in the tables of schema/sqlite/001 to SCHEMA (at most 5: later ones keep
sums and lists that only jicached fills). There are no blobs, so it is for measuring what a migration takes, and nothing else:

    python3 tests/bench/fill_old_index.py /tmp/old 200000 5 && time jicached status --data /tmp/old
"""

import hashlib
import pathlib
import sqlite3
import struct
import sys

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schema/sqlite"
PACKAGES = 100
ARTEFACT = "INSERT INTO artefact VALUES (%s)"


def digest(kind, n):
    return hashlib.sha256(b"%s %d" % (kind, n)).digest()


def rows(count):
    """One environment after another: modules, blobs, artefacts and providers."""
    for first in range(0, count, PACKAGES):
        numbers = struct.pack(f"<{PACKAGES}I", *range(first + 1, first + PACKAGES + 1))
        for n in range(first, min(first + PACKAGES, count)):
            place, uuid = n - first, struct.pack(">QQ", n % 5000, 1)
            yield ((n + 1, uuid, n, n), (digest(b"ji", n), 1000, 500, 0, 0, bytes(8), 1, 1),
                   (n + 1, 1, 1, digest(b"key", n), f"Package{n % 5000}", "1.2.3", uuid, n, n, digest(b"ji", n), 1000, None, 0, 1000,
                    "builder", "ci", "https://ci.example/%d" % (n // 1000), "jicache 0.1.0", 1, "ci", 1, bytes(4),
                    numbers[4 * place:4 * place + 4], numbers[:4 * place], 0, "git-tree-sha1:" + "0" * 40, "", "", b"", bytes(4)),
                   (n + 1, n + 1))


def fill(db, count, schema):
    marks = 30 + (schema >= 4)
    statements = ["INSERT INTO module VALUES (?, ?, ?, ?)", "INSERT INTO blob VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                  ARTEFACT % ", ".join("?" * marks), "INSERT INTO provider VALUES (?, ?)"]
    batch = [[], [], [], []]
    for row in rows(count):
        for part, list_of in zip(row, batch):
            list_of.append(part + (0,) if len(part) == 30 and schema >= 4 else part)
        if len(batch[0]) == 10000:
            for sql, list_of in zip(statements, batch):
                db.executemany(sql, list_of)
                list_of.clear()
    for sql, list_of in zip(statements, batch):
        db.executemany(sql, list_of)


def main(folder, count, schema):
    assert 1 <= schema <= 5, "schema 1 to 5"
    path = pathlib.Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path / "index.sqlite") as db:
        db.execute("PRAGMA synchronous = OFF")
        for number in range(1, schema + 1):
            [file] = SCHEMAS.glob(f"{number:03}-*.sql")
            db.executescript(file.read_text())
        space = "INSERT INTO space VALUES (1, 'julia-1.10.5-x', zeroblob(32)%s)" % (", zeroblob(4)" if schema < 5 else "")
        db.execute(space)
        fill(db, count, schema)
        db.execute("PRAGMA application_id = %d" % 0x4A494361)
        db.execute(f"PRAGMA user_version = {schema}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
