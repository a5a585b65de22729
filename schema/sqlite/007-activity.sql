-- jicached, SQLite index, schema 7: what is held and what was asked for, in sums and short lists, so that a page of a dashboard
-- never counts all artefacts. Explained in docs/storage.md.

-- What each lane holds, by space and by package; kept by the rows of artefact themselves.
CREATE TABLE held_space (
  lane       INTEGER NOT NULL,
  space      INTEGER NOT NULL,
  artefacts  INTEGER NOT NULL,
  bytes      INTEGER NOT NULL,                  -- of contents, as Julia sees them
  compile_ms INTEGER NOT NULL,
  PRIMARY KEY (lane, space)
) STRICT, WITHOUT ROWID;
CREATE TABLE held_package (
  name       TEXT NOT NULL,
  uuid       BLOB NOT NULL,
  lane       INTEGER NOT NULL,
  artefacts  INTEGER NOT NULL,
  bytes      INTEGER NOT NULL,
  compile_ms INTEGER NOT NULL,
  latest_s   INTEGER NOT NULL,                  -- of the last publish
  PRIMARY KEY (name, uuid, lane)
) STRICT, WITHOUT ROWID;

-- Addresses that were held once, for people who ask why something is missing.
CREATE TABLE departed (
  key   BLOB NOT NULL,
  lane  INTEGER NOT NULL,
  space INTEGER NOT NULL,
  at_s  INTEGER NOT NULL,
  PRIMARY KEY (key, lane, space)
) STRICT, WITHOUT ROWID;
CREATE INDEX departed_at ON departed (at_s);
CREATE INDEX artefact_key ON artefact (key);

INSERT INTO held_space SELECT lane, space, count(*), sum(ji_size + image_size), sum(compile_ms)
  FROM artefact GROUP BY lane, space;
INSERT INTO held_package SELECT name, uuid, lane, count(*), sum(ji_size + image_size), sum(compile_ms), max(published_s)
  FROM artefact GROUP BY name, uuid, lane;
INSERT INTO counter (name, value) SELECT 'artefacts', count(*) FROM artefact;
INSERT INTO counter (name, value) SELECT 'blobs', count(*) FROM blob;

CREATE TRIGGER held_more AFTER INSERT ON artefact BEGIN
  INSERT INTO held_space VALUES (NEW.lane, NEW.space, 1, NEW.ji_size + NEW.image_size, NEW.compile_ms)
    ON CONFLICT (lane, space) DO UPDATE SET artefacts = artefacts + 1, bytes = bytes + excluded.bytes,
      compile_ms = compile_ms + excluded.compile_ms;
  INSERT INTO held_package
    VALUES (NEW.name, NEW.uuid, NEW.lane, 1, NEW.ji_size + NEW.image_size, NEW.compile_ms, NEW.published_s)
    ON CONFLICT (name, uuid, lane) DO UPDATE SET artefacts = artefacts + 1, bytes = bytes + excluded.bytes,
      compile_ms = compile_ms + excluded.compile_ms, latest_s = max(latest_s, excluded.latest_s);
  UPDATE counter SET value = value + 1 WHERE name = 'artefacts';
  DELETE FROM departed WHERE key = NEW.key AND lane = NEW.lane AND space = NEW.space;
END;
CREATE TRIGGER held_less AFTER DELETE ON artefact BEGIN
  UPDATE held_space SET artefacts = artefacts - 1, bytes = bytes - OLD.ji_size - OLD.image_size,
    compile_ms = compile_ms - OLD.compile_ms WHERE lane = OLD.lane AND space = OLD.space;
  DELETE FROM held_space WHERE lane = OLD.lane AND space = OLD.space AND artefacts = 0;
  UPDATE held_package SET artefacts = artefacts - 1, bytes = bytes - OLD.ji_size - OLD.image_size,
    compile_ms = compile_ms - OLD.compile_ms WHERE name = OLD.name AND uuid = OLD.uuid AND lane = OLD.lane;
  DELETE FROM held_package WHERE name = OLD.name AND uuid = OLD.uuid AND lane = OLD.lane AND artefacts = 0;
  UPDATE counter SET value = value - 1 WHERE name = 'artefacts';
  INSERT OR REPLACE INTO departed VALUES (OLD.key, OLD.lane, OLD.space, unixepoch());
END;
CREATE TRIGGER blobs_more AFTER INSERT ON blob BEGIN
  UPDATE counter SET value = value + 1 WHERE name = 'blobs';
END;
CREATE TRIGGER blobs_less AFTER DELETE ON blob BEGIN
  UPDATE counter SET value = value - 1 WHERE name = 'blobs';
END;

-- Sums over steps of time; lane 0 is the whole server. Bounded: each step has a time that it is kept for.
CREATE TABLE activity (
  step_s         INTEGER NOT NULL,
  at_s           INTEGER NOT NULL,              -- a multiple of step_s
  lane           INTEGER NOT NULL,
  hits           INTEGER NOT NULL,
  misses         INTEGER NOT NULL,
  saved_ms       INTEGER NOT NULL,
  published      INTEGER NOT NULL,
  pulls          INTEGER NOT NULL,
  sent_bytes     INTEGER NOT NULL,
  received_bytes INTEGER NOT NULL,
  requests       INTEGER NOT NULL,
  stored_bytes   INTEGER NOT NULL,              -- not a sum: at the end of the step
  PRIMARY KEY (step_s, at_s, lane)
) STRICT, WITHOUT ROWID;

-- Environments and misses that pulls asked for lately; each table is cut to its newest rows.
CREATE TABLE environment (
  id       BLOB NOT NULL PRIMARY KEY,           -- SHA-256 over lane, runtime, system image and keys
  lane     INTEGER NOT NULL,
  runtime  TEXT NOT NULL,
  sysimage BLOB NOT NULL,
  title    TEXT NOT NULL,
  who      TEXT NOT NULL,
  first_s  INTEGER NOT NULL,
  last_s   INTEGER NOT NULL,
  times    INTEGER NOT NULL,
  wanted   INTEGER NOT NULL,
  stored   INTEGER NOT NULL,                    -- when it was asked for last
  nodes    BLOB NOT NULL                        -- server/store/pack.h
) STRICT, WITHOUT ROWID;
CREATE INDEX environment_last ON environment (last_s);
CREATE TABLE miss (
  lane         INTEGER NOT NULL,
  key          BLOB NOT NULL,
  runtime      TEXT NOT NULL,
  sysimage     BLOB NOT NULL,
  environment  BLOB NOT NULL,
  name         TEXT NOT NULL,
  version      TEXT NOT NULL,
  reason       TEXT NOT NULL,                   -- server/tables/miss_reasons.def
  near_version TEXT NOT NULL,
  near_runtime TEXT NOT NULL,
  who          TEXT NOT NULL,
  first_s      INTEGER NOT NULL,
  last_s       INTEGER NOT NULL,
  times        INTEGER NOT NULL,
  PRIMARY KEY (lane, key, runtime, sysimage)
) STRICT, WITHOUT ROWID;
CREATE INDEX miss_last ON miss (last_s);
