-- jicached, SQLite index, schema 12: who compiles what just now, so that others wait instead of compiling it too.

CREATE TABLE lease (
  id        INTEGER PRIMARY KEY,
  hash      BLOB NOT NULL UNIQUE,                -- SHA-256 of what its holder knows it by
  lane      INTEGER NOT NULL REFERENCES lane (id),
  runtime   TEXT NOT NULL,                       -- not a space: nothing may have been published for it yet
  sysimage  BLOB NOT NULL,
  writer    TEXT NOT NULL,
  created_s INTEGER NOT NULL,
  ends_s    INTEGER NOT NULL                     -- renewing moves it; from then on the row means nothing
) STRICT;
CREATE INDEX lease_end ON lease (ends_s);
CREATE INDEX lease_writer ON lease (writer, ends_s);

CREATE TABLE leased (
  key   BLOB NOT NULL,
  lease INTEGER NOT NULL REFERENCES lease (id),
  PRIMARY KEY (key, lease)
) STRICT, WITHOUT ROWID;
CREATE INDEX leased_by ON leased (lease);

CREATE TRIGGER lease_goes BEFORE DELETE ON lease BEGIN
  DELETE FROM leased WHERE lease = OLD.id;
END;
CREATE TRIGGER lease_goes_with_lane BEFORE DELETE ON lane BEGIN
  DELETE FROM lease WHERE lane = OLD.id;
END;
