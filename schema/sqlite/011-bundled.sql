-- jicached, SQLite index, schema 11: what a publish said of its runtime, whole, so that an export can say it again.

-- The caches bundled with that Julia (server/store/pack.h). NULL: what was stored for it came before this schema, and
-- nobody has published for it since.
ALTER TABLE runtime ADD COLUMN modules BLOB;
