-- jicached, SQLite index, schema 9: what each lane may keep, and for how long.

ALTER TABLE lane ADD COLUMN quota_bytes  INTEGER NOT NULL DEFAULT 0;  -- of stored_bytes; 0: no quota
ALTER TABLE lane ADD COLUMN max_age_s    INTEGER NOT NULL DEFAULT 0;  -- without a use; 0: the store's setting
ALTER TABLE lane ADD COLUMN stored_bytes INTEGER NOT NULL DEFAULT 0;  -- of the blobs of its artefacts, each for itself

UPDATE lane SET stored_bytes = (SELECT ifnull(sum(b.stored_size), 0) FROM artefact a JOIN blob b ON b.digest IN (a.ji, a.image)
                                WHERE a.lane = lane.id);
CREATE TRIGGER artefact_comes AFTER INSERT ON artefact BEGIN
  UPDATE lane SET stored_bytes = stored_bytes + (SELECT ifnull(sum(stored_size), 0) FROM blob WHERE digest IN (NEW.ji, NEW.image))
    WHERE id = NEW.lane;
END;
CREATE TRIGGER artefact_goes AFTER DELETE ON artefact BEGIN
  UPDATE lane SET stored_bytes = stored_bytes - (SELECT ifnull(sum(stored_size), 0) FROM blob WHERE digest IN (OLD.ji, OLD.image))
    WHERE id = OLD.lane;
END;
CREATE TRIGGER artefact_moves AFTER UPDATE OF lane ON artefact BEGIN
  UPDATE lane SET stored_bytes = stored_bytes - (SELECT ifnull(sum(stored_size), 0) FROM blob WHERE digest IN (OLD.ji, OLD.image))
    WHERE id = OLD.lane;
  UPDATE lane SET stored_bytes = stored_bytes + (SELECT ifnull(sum(stored_size), 0) FROM blob WHERE digest IN (NEW.ji, NEW.image))
    WHERE id = NEW.lane;
END;
