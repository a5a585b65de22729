-- jicached, SQLite index, schema 4: what is on disk, and what of it is worth keeping.

ALTER TABLE artefact ADD COLUMN last_used_s INTEGER NOT NULL DEFAULT 0;  -- 0: not since it was published

-- What eviction leaves alone: a package's name, a Merkle key, or runtime/sysimage/key.
CREATE TABLE pin (
  what      TEXT NOT NULL PRIMARY KEY,
  created_s INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The sum over all blobs, kept by the rows themselves.
INSERT INTO counter (name, value) SELECT 'stored_bytes', ifnull(sum(stored_size), 0) FROM blob;
CREATE TRIGGER blob_comes AFTER INSERT ON blob BEGIN
  UPDATE counter SET value = value + NEW.stored_size WHERE name = 'stored_bytes';
END;
CREATE TRIGGER blob_goes AFTER DELETE ON blob BEGIN
  UPDATE counter SET value = value - OLD.stored_size WHERE name = 'stored_bytes';
END;
