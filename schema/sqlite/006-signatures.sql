-- jicached, SQLite index, schema 6: who signed an artefact, and what was recalled.

ALTER TABLE artefact ADD COLUMN signer BLOB;     -- Ed25519 public key; NULL: it is not signed
ALTER TABLE artefact ADD COLUMN signature BLOB;  -- digest of what it requires, signature: schema/signature.md
CREATE INDEX artefact_signer ON artefact (signer) WHERE signer IS NOT NULL;

-- Whose artefacts an administrator has withdrawn. A signing key in here signs nothing any more.
CREATE TABLE recall (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  kind      INTEGER NOT NULL,                    -- 0 signing key, 1 token, 2 CI run
  who       TEXT NOT NULL,                       -- 64 hex digits, name, as published
  created_s INTEGER NOT NULL,
  UNIQUE (kind, who)
) STRICT;

-- The builds that went with it, dependents too: nobody can publish them again, and readers are told of them.
CREATE TABLE recalled (
  build_lo INTEGER NOT NULL,
  build_hi INTEGER NOT NULL,
  ji       BLOB NOT NULL,
  recall   INTEGER NOT NULL REFERENCES recall (id),
  PRIMARY KEY (build_lo, build_hi, ji, recall)
) STRICT, WITHOUT ROWID;
CREATE INDEX recalled_ji ON recalled (ji);
CREATE INDEX recalled_recall ON recalled (recall);
