-- jicached, SQLite index, schema 5: what one lane does is nothing to another, and tokens can be rotated.

-- The modules that a lane's first publish for a space said the system image has (server/store/pack.h). By lane: what the
-- writer of one says must not bind the writers of others.
CREATE TABLE declaration (
  lane    INTEGER NOT NULL REFERENCES lane (id),
  space   INTEGER NOT NULL REFERENCES space (id),
  modules BLOB NOT NULL,
  PRIMARY KEY (lane, space)
) STRICT, WITHOUT ROWID;
INSERT INTO declaration (lane, space, modules)
  SELECT DISTINCT a.lane, a.space, s.modules FROM artefact a JOIN space s ON s.id = a.space;
ALTER TABLE space DROP COLUMN modules;

-- Who has shown that they have a blob's bytes by sending them. Until it is in one of their lanes that is why they may
-- publish it; rows go with the blob, or by age.
CREATE TABLE upload (
  digest    BLOB NOT NULL,
  holder    TEXT NOT NULL,
  created_s INTEGER NOT NULL,
  PRIMARY KEY (digest, holder)
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_age ON upload (created_s);
CREATE TRIGGER upload_goes AFTER DELETE ON blob BEGIN
  DELETE FROM upload WHERE digest = OLD.digest;
END;

ALTER TABLE token ADD COLUMN old_hash BLOB;                           -- the secret before the last rotation
ALTER TABLE token ADD COLUMN old_until_s INTEGER NOT NULL DEFAULT 0;  -- until when it is valid
ALTER TABLE token ADD COLUMN lane_parent TEXT NOT NULL DEFAULT '';    -- lanes made on first use come below it
CREATE UNIQUE INDEX token_old ON token (old_hash) WHERE old_hash IS NOT NULL;
