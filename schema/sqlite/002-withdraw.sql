-- jicached, SQLite index, schema 2: which artefacts a blob belongs to, so that a damaged one can be withdrawn with them.

CREATE INDEX artefact_ji ON artefact (ji);
CREATE INDEX artefact_image ON artefact (image) WHERE image IS NOT NULL;

-- blob.used is 1 while an artefact refers to it. Schema 1 never took it back.
UPDATE blob SET used = 0 WHERE used = 1
  AND NOT EXISTS (SELECT 1 FROM artefact WHERE ji = blob.digest)
  AND NOT EXISTS (SELECT 1 FROM artefact WHERE image = blob.digest);
