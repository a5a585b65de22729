-- jicached, SQLite index, schema 3: what the store has done since it was made, for `jicached status`.

CREATE TABLE counter (
  name  TEXT NOT NULL PRIMARY KEY,              -- server/tables/counters.def
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
