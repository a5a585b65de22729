-- jicached, SQLite index, schema 8: what has to go when a module does, without a look at every artefact.

-- Artefacts by the modules that they require directly: those that no other module of their list stands on. What was
-- stored before this schema has a row for each module of its list, which is more than needed, and no harm.
CREATE TABLE requirer (
  module   INTEGER NOT NULL REFERENCES module (id),
  artefact INTEGER NOT NULL REFERENCES artefact (id),
  PRIMARY KEY (module, artefact)
) STRICT, WITHOUT ROWID;

-- A number is four bytes, the lowest first. One pass over the artefacts (CROSS JOIN keeps the order), so that what is
-- written lies together; by way of the places it may become a pass for each of them.
WITH RECURSIVE place (n) AS (
  SELECT 0 UNION ALL
  SELECT n + 1 FROM place WHERE n + 1 < (SELECT ifnull(max(length(requires)), 0) / 4 FROM artefact)
), digits (artefact, h) AS (
  SELECT a.id, hex(substr(a.requires, 4 * n + 1, 4)) FROM artefact a CROSS JOIN place WHERE n < length(a.requires) / 4
)
INSERT OR IGNORE INTO requirer (module, artefact)
  SELECT (instr('123456789ABCDEF', substr(h, 7, 1)) << 28) + (instr('123456789ABCDEF', substr(h, 8, 1)) << 24)
       + (instr('123456789ABCDEF', substr(h, 5, 1)) << 20) + (instr('123456789ABCDEF', substr(h, 6, 1)) << 16)
       + (instr('123456789ABCDEF', substr(h, 3, 1)) << 12) + (instr('123456789ABCDEF', substr(h, 4, 1)) << 8)
       + (instr('123456789ABCDEF', substr(h, 1, 1)) << 4) + instr('123456789ABCDEF', substr(h, 2, 1)), artefact
  FROM digits;

-- Deleting an artefact looks for what refers to it.
CREATE INDEX requirer_artefact ON requirer (artefact);
CREATE INDEX provider_artefact ON provider (artefact);
