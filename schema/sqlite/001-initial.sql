-- jicached, SQLite index, schema 1. Tables and transactions are explained in docs/storage.md.
-- Numbers of 64 bits are stored bit for bit, so large ones show as negative. Digests and UUIDs are BLOBs: hex(digest).

CREATE TABLE lane (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,  -- never reused: artefacts refer to it
  name      TEXT NOT NULL UNIQUE,
  parent    INTEGER REFERENCES lane (id),
  created_s INTEGER NOT NULL
) STRICT;

CREATE TABLE token (
  name        TEXT NOT NULL PRIMARY KEY,
  hash        BLOB NOT NULL UNIQUE,             -- SHA-256 of the secret
  scopes      INTEGER NOT NULL,                 -- 1 read, 2 write, 4 admin, or'ed
  lanes       TEXT NOT NULL,
  created_s   INTEGER NOT NULL,
  expires_s   INTEGER NOT NULL,                 -- 0: never
  last_used_s INTEGER NOT NULL                  -- 0: never
) STRICT;

-- (runtime, sysimage) of an address, and the modules that the first publish said the system image has.
CREATE TABLE space (
  id       INTEGER PRIMARY KEY,
  runtime  TEXT NOT NULL,
  sysimage BLOB NOT NULL,
  modules  BLOB NOT NULL,                       -- server/store/pack.h
  UNIQUE (runtime, sysimage)
) STRICT;

-- What a runtime id stands for, field by field (schema/address.md): for people who ask why something is missing.
CREATE TABLE runtime (
  id        TEXT NOT NULL PRIMARY KEY,
  version   TEXT NOT NULL,
  branch    TEXT NOT NULL,
  revision  TEXT NOT NULL,                      -- git commit
  uname     TEXT NOT NULL,
  arch      TEXT NOT NULL,
  triplet   TEXT NOT NULL,
  word_bits INTEGER NOT NULL,
  flags     TEXT NOT NULL,
  cpu       TEXT NOT NULL,
  bundled   BLOB NOT NULL                       -- SHA-256 of the list of bundled caches
) STRICT, WITHOUT ROWID;

-- Numbers for what artefacts provide and require.
CREATE TABLE module (
  id       INTEGER PRIMARY KEY,
  uuid     BLOB NOT NULL,
  build_lo INTEGER NOT NULL,
  build_hi INTEGER NOT NULL,
  UNIQUE (uuid, build_lo, build_hi)
) STRICT;

CREATE TABLE blob (
  digest      BLOB NOT NULL PRIMARY KEY,
  size        INTEGER NOT NULL,
  stored_size INTEGER NOT NULL,
  crc32c      INTEGER NOT NULL,
  crc32c_head INTEGER NOT NULL,                 -- of all but the last 4 bytes
  tail        BLOB NOT NULL,                    -- the last 8 bytes
  created_s   INTEGER NOT NULL,
  used        INTEGER NOT NULL                  -- 1: an artefact has referred to it
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_unused ON blob (created_s) WHERE used = 0;

-- Digests and sizes of blobs are repeated here, so that a resolve reads one row for each address. What the key is a digest
-- of comes last: only an explain reads that far.
CREATE TABLE artefact (
  id           INTEGER PRIMARY KEY,
  lane         INTEGER NOT NULL REFERENCES lane (id),
  space        INTEGER NOT NULL REFERENCES space (id),
  key          BLOB NOT NULL,
  name         TEXT NOT NULL,
  version      TEXT NOT NULL,                   -- of the package, for people; may be empty
  uuid         BLOB NOT NULL,
  build_hi     INTEGER NOT NULL,
  build_lo     INTEGER NOT NULL,
  ji           BLOB NOT NULL REFERENCES blob (digest),
  ji_size      INTEGER NOT NULL,
  image        BLOB REFERENCES blob (digest),   -- NULL: none
  image_size   INTEGER NOT NULL,
  compile_ms   INTEGER NOT NULL,
  host         TEXT NOT NULL,
  user         TEXT NOT NULL,
  run          TEXT NOT NULL,
  client       TEXT NOT NULL,
  created_s    INTEGER NOT NULL,
  writer       TEXT NOT NULL,
  published_s  INTEGER NOT NULL,
  inputs       BLOB NOT NULL,                   -- server/store/pack.h
  provides     BLOB NOT NULL,                   -- module numbers, u32 little-endian each; the first is the package itself
  requires     BLOB NOT NULL,                   -- likewise; none of the runtime or the system image
  kind         INTEGER NOT NULL,                -- 0 package, 1 extension, 2 stdlib
  source       TEXT NOT NULL,
  build        TEXT NOT NULL,
  preferences  TEXT NOT NULL,
  deps         BLOB NOT NULL,                   -- keys, 32 bytes each
  extensions   BLOB NOT NULL,                   -- server/store/pack.h
  UNIQUE (lane, space, key)
) STRICT;
-- The latest artefacts of a package: in one space, and in any. Both end in id, which grows.
CREATE INDEX artefact_of_space ON artefact (uuid, name, lane, space);
CREATE INDEX artefact_of_package ON artefact (uuid, name, lane);

CREATE TABLE provider (
  module   INTEGER NOT NULL REFERENCES module (id),
  artefact INTEGER NOT NULL REFERENCES artefact (id),
  PRIMARY KEY (module, artefact)
) STRICT, WITHOUT ROWID;

INSERT INTO lane (name, parent, created_s) VALUES ('main', NULL, unixepoch());
