-- jicached, SQLite index, schema 10: what a lane holds follows artefacts that are promoted to another.

CREATE TRIGGER held_moves AFTER UPDATE OF lane ON artefact BEGIN
  UPDATE held_space SET artefacts = artefacts - 1, bytes = bytes - OLD.ji_size - OLD.image_size,
    compile_ms = compile_ms - OLD.compile_ms WHERE lane = OLD.lane AND space = OLD.space;
  DELETE FROM held_space WHERE lane = OLD.lane AND space = OLD.space AND artefacts = 0;
  UPDATE held_package SET artefacts = artefacts - 1, bytes = bytes - OLD.ji_size - OLD.image_size,
    compile_ms = compile_ms - OLD.compile_ms WHERE name = OLD.name AND uuid = OLD.uuid AND lane = OLD.lane;
  DELETE FROM held_package WHERE name = OLD.name AND uuid = OLD.uuid AND lane = OLD.lane AND artefacts = 0;
  INSERT INTO held_space VALUES (NEW.lane, NEW.space, 1, NEW.ji_size + NEW.image_size, NEW.compile_ms)
    ON CONFLICT (lane, space) DO UPDATE SET artefacts = artefacts + 1, bytes = bytes + excluded.bytes,
      compile_ms = compile_ms + excluded.compile_ms;
  INSERT INTO held_package
    VALUES (NEW.name, NEW.uuid, NEW.lane, 1, NEW.ji_size + NEW.image_size, NEW.compile_ms, NEW.published_s)
    ON CONFLICT (name, uuid, lane) DO UPDATE SET artefacts = artefacts + 1, bytes = bytes + excluded.bytes,
      compile_ms = compile_ms + excluded.compile_ms, latest_s = max(latest_s, excluded.latest_s);
  DELETE FROM departed WHERE key = NEW.key AND lane = NEW.lane AND space = NEW.space;
END;

-- Promotions under schema 7 to 9 left the sums behind.
DELETE FROM held_space;
DELETE FROM held_package;
INSERT INTO held_space SELECT lane, space, count(*), sum(ji_size + image_size), sum(compile_ms)
  FROM artefact GROUP BY lane, space;
INSERT INTO held_package SELECT name, uuid, lane, count(*), sum(ji_size + image_size), sum(compile_ms), max(published_s)
  FROM artefact GROUP BY name, uuid, lane;
