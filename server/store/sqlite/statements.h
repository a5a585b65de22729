/**
 * All SQL of the index but the schema: a table of names and texts, prepared on first use in each connection.
 */
#ifndef JIC_SERVER_STORE_SQLITE_STATEMENTS_H
#define JIC_SERVER_STORE_SQLITE_STATEMENTS_H

/** The columns of every query of tokens, in the order that token.c reads them in. */
#define JIC_SQL_TOKEN "name, hash, scopes, lanes, created_s, expires_s, last_used_s, lane_parent, old_until_s, old_hash"

/** The columns of every query of origins, in the order that origin.c reads them in. */
#define JIC_SQL_ORIGIN                                                                                                 \
	"a.space, s.runtime, s.sysimage, a.key, a.kind, a.name, a.version, a.uuid, a.source, a.build, a.preferences,"  \
	" a.deps, a.extensions, a.host, a.user, a.run, a.client, a.created_s, a.published_s"

/** Likewise of artefacts in a list, of history, environments and misses: view.c and activity.c. */
#define JIC_SQL_ITEM                                                                                                   \
	"a.id, a.lane, s.runtime, a.name, a.version, a.writer, s.sysimage, a.key, a.uuid, a.kind, a.ji_size,"          \
	" a.image_size, a.compile_ms, a.published_s, a.last_used_s, a.host, a.user, a.run, a.client, a.created_s"
#define JIC_SQL_ACTIVITY "hits, misses, saved_ms, published, pulls, sent_bytes, received_bytes, requests, stored_bytes"
#define JIC_SQL_ENVIRONMENT "id, lane, runtime, sysimage, title, who, first_s, last_s, times, wanted, stored"
#define JIC_SQL_MISS                                                                                                   \
	"lane, key, sysimage, environment, runtime, name, version, reason, near_version, near_runtime, who, first_s,"  \
	" last_s, times"
/** The columns of a lane, in the order that lane.c reads them in. */
#define JIC_SQL_LANE                                                                                                   \
	"l.id, l.name, ifnull(p.name, ''), l.created_s, l.quota_bytes, l.max_age_s, l.stored_bytes"                    \
	" FROM lane l LEFT JOIN lane p ON p.id = l.parent"

/** The columns of a lease, in the order that lease.c reads them in. */
#define JIC_SQL_LEASE "e.hash, e.lane, l.name, e.runtime, e.sysimage, e.writer, e.created_s, e.ends_s"

#define JIC_SQL_STATEMENTS(X)                                                                                          \
	X(BEGIN_READ, "BEGIN DEFERRED")                                                                                \
	X(BEGIN_WRITE, "BEGIN IMMEDIATE")                                                                              \
	X(COMMIT, "COMMIT")                                                                                            \
	X(ROLLBACK, "ROLLBACK")                                                                                        \
	X(READY, "SELECT 1 FROM lane LIMIT 1")                                                                         \
	X(SCHEMA_VERSION, "PRAGMA user_version")                                                                       \
	X(DATA_VERSION, "PRAGMA data_version")                                                                         \
	X(COUNTS, "SELECT (SELECT count(*) FROM lane), (SELECT count(*) FROM token), (SELECT count(*) FROM space),"    \
	          " (SELECT count(*) FROM artefact), count(*), total(1 - used), total(size), total(stored_size)"       \
	          " FROM blob")                                                                                        \
	X(LANE_INSERT, "INSERT INTO lane (name, parent, created_s) VALUES (?, ?, ?)")                                  \
	X(LANE_FIND, "SELECT " JIC_SQL_LANE " WHERE l.name = ?")                                                       \
	X(LANE_LIST, "SELECT " JIC_SQL_LANE " ORDER BY l.name")                                                        \
	X(LANE_LIMIT, "UPDATE lane SET quota_bytes = ?, max_age_s = ? WHERE name = ?")                                 \
	X(LANE_DELETE, "DELETE FROM lane WHERE id = ?")                                                                \
	X(DECLARATIONS_DELETE, "DELETE FROM declaration WHERE lane = ?")                                               \
	X(ARTEFACT_MOVE, "UPDATE artefact SET lane = ? WHERE lane = ? AND space = ? AND key = ?")                      \
	X(TOKEN_INSERT,                                                                                                \
	  "INSERT INTO token (name, hash, scopes, lanes, created_s, expires_s, last_used_s, lane_parent)"              \
	  " VALUES (?, ?, ?, ?, ?, ?, ?, ?)")                                                                          \
	X(TOKEN_FIND, "SELECT " JIC_SQL_TOKEN " FROM token WHERE hash = ?1 OR old_hash = ?1")                          \
	X(TOKEN_LIST, "SELECT " JIC_SQL_TOKEN " FROM token ORDER BY name")                                             \
	X(TOKEN_ROTATE, "UPDATE token SET old_hash = hash, hash = ?1, old_until_s = ?2 WHERE name = ?3")               \
	X(TOKEN_DELETE, "DELETE FROM token WHERE name = ?")                                                            \
	X(TOKEN_TOUCH, "UPDATE token SET last_used_s = max(last_used_s, ?1) WHERE hash = ?2 OR old_hash = ?2")         \
	X(SPACE_FIND, "SELECT id FROM space WHERE runtime = ? AND sysimage = ?")                                       \
	X(SPACE_INSERT, "INSERT INTO space (runtime, sysimage) VALUES (?, ?)")                                         \
	X(DECLARATION_FIND, "SELECT modules FROM declaration WHERE lane = ? AND space = ?")                            \
	X(DECLARATION_INSERT, "INSERT INTO declaration (lane, space, modules) VALUES (?, ?, ?)")                       \
	X(UPLOAD_INSERT, "INSERT OR REPLACE INTO upload (digest, holder, created_s) VALUES (?, ?, ?)")                 \
	X(UPLOAD_FIND, "SELECT 1 FROM upload WHERE digest = ? AND holder = ?")                                         \
	X(UPLOADS_DELETE, "DELETE FROM upload WHERE (digest, holder) IN"                                               \
	                  " (SELECT digest, holder FROM upload WHERE created_s <= ? LIMIT ?)")                         \
	X(MODULE_FIND, "SELECT id FROM module WHERE uuid = ? AND build_lo = ? AND build_hi = ?")                       \
	X(MODULE_INSERT, "INSERT INTO module (uuid, build_lo, build_hi) VALUES (?, ?, ?)")                             \
	X(MODULE_GET, "SELECT uuid, build_hi, build_lo FROM module WHERE id = ?")                                      \
	X(PROVIDERS, "SELECT m.id, m.uuid, m.build_hi, m.build_lo, a.lane, a.key, a.ji"                                \
	             " FROM module m JOIN provider p ON p.module = m.id JOIN artefact a ON a.id = p.artefact"          \
	             " WHERE m.uuid = ? AND m.build_lo = ? AND a.space = ?")                                           \
	X(PROVIDER_INSERT, "INSERT OR IGNORE INTO provider (module, artefact) VALUES (?, ?)")                          \
	X(PROVIDER_DELETE, "DELETE FROM provider WHERE module = ? AND artefact = ?")                                   \
	X(RUNTIME_INSERT,                                                                                              \
	  "INSERT INTO runtime (id, version, branch, revision, uname, arch, triplet, word_bits, flags, cpu, bundled,"  \
	  " modules) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"                                                      \
	  " ON CONFLICT (id) DO UPDATE SET modules = excluded.modules WHERE modules IS NULL")                          \
	X(RUNTIME_BUNDLED, "SELECT modules FROM runtime WHERE id = ? AND modules IS NOT NULL")                         \
	X(RUNTIME_FIND, "SELECT id, version, branch, revision, uname, arch, triplet, word_bits, flags, cpu, bundled"   \
	                " FROM runtime WHERE id = ?")                                                                  \
	X(ARTEFACT_FIND, "SELECT key, name, version, uuid, build_hi, build_lo, ji, ji_size, image, image_size,"        \
	                 " compile_ms, host, user, run, client, created_s, writer, published_s, inputs, provides,"     \
	                 " requires, last_used_s, signer, signature FROM artefact"                                     \
	                 " WHERE lane = ? AND space = ? AND key = ?")                                                  \
	X(ARTEFACT_INSERT,                                                                                             \
	  "INSERT INTO artefact (lane, space, key, name, version, uuid, build_hi, build_lo, ji, ji_size,"              \
	  " image, image_size, compile_ms, host, user, run, client, created_s, writer, published_s,"                   \
	  " inputs, provides, requires, kind, source, build, preferences, deps, extensions, signer, signature)"        \
	  " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"                     \
	  " ?, ?, ?, ?, ?)")                                                                                           \
	X(ORIGIN_FIND, "SELECT " JIC_SQL_ORIGIN " FROM artefact a JOIN space s ON s.id = a.space"                      \
	               " WHERE a.lane = ? AND a.space = ? AND a.key = ?")                                              \
	X(ORIGINS_OF_SPACE,                                                                                            \
	  "SELECT " JIC_SQL_ORIGIN " FROM artefact a INDEXED BY artefact_of_space"                                     \
	  " JOIN space s ON s.id = a.space"                                                                            \
	  " WHERE a.uuid = ? AND a.name = ? AND a.lane = ? AND a.space = ? ORDER BY a.id DESC LIMIT ?")                \
	X(ORIGINS, "SELECT " JIC_SQL_ORIGIN " FROM artefact a INDEXED BY artefact_of_package"                          \
	           " JOIN space s ON s.id = a.space"                                                                   \
	           " WHERE a.uuid = ? AND a.name = ? AND a.lane = ? ORDER BY a.id DESC LIMIT ?")                       \
	X(ARTEFACT_PROVIDES, "SELECT id, ji, image, provides FROM artefact"                                            \
	                     " WHERE lane = ? AND space = ? AND key = ?")                                              \
	X(ARTEFACT_DELETE, "DELETE FROM artefact WHERE id = ?")                                                        \
	X(BLOB_INSERT, "INSERT OR IGNORE INTO blob (digest, size, stored_size, crc32c, crc32c_head, tail, created_s,"  \
	               " used) VALUES (?, ?, ?, ?, ?, ?, ?, 0)")                                                       \
	X(BLOB_FIND, "SELECT digest, size, stored_size, crc32c, crc32c_head, tail, created_s, used"                    \
	             " FROM blob WHERE digest = ?")                                                                    \
	X(BLOB_USE, "UPDATE blob SET used = 1 WHERE digest = ?")                                                       \
	X(SPACE_LIST, "SELECT id, runtime, sysimage FROM space ORDER BY id")                                           \
	X(KEY_LIST, "SELECT key FROM artefact WHERE lane = ? AND space = ? AND key > ? ORDER BY key LIMIT ?")          \
	/* All rows are read, so in their own order: by way of an index each would be a page of its own. */            \
	X(REQUIRES_LIST, "SELECT key, requires FROM artefact NOT INDEXED WHERE lane = ? AND space = ?")                \
	X(BLOB_LIST, "SELECT digest, size, stored_size, crc32c, crc32c_head, tail, created_s, used"                    \
	             " FROM blob WHERE digest > ? ORDER BY digest LIMIT ?")                                            \
	X(BLOB_USERS, "SELECT lane, space, key FROM artefact WHERE ji = ?1"                                            \
	              " UNION SELECT lane, space, key FROM artefact WHERE image = ?1")                                 \
	X(BLOB_RELEASE, "UPDATE blob SET used = EXISTS (SELECT 1 FROM artefact WHERE ji = ?1)"                         \
	                " OR EXISTS (SELECT 1 FROM artefact WHERE image = ?1) WHERE digest = ?1")                      \
	X(BLOB_DELETE, "DELETE FROM blob WHERE digest = ?")                                                            \
	X(COUNTER_ADD, "INSERT INTO counter (name, value) VALUES (?, ?)"                                               \
	               " ON CONFLICT (name) DO UPDATE SET value = value + excluded.value")                             \
	X(COUNTER_GET, "SELECT value FROM counter WHERE name = ?")                                                     \
	X(ARTEFACT_TOUCH, "UPDATE artefact SET last_used_s = max(last_used_s, ?)"                                      \
	                  " WHERE lane = ? AND space = ? AND key = ?")                                                 \
	X(STORED_BYTES, "SELECT value FROM counter WHERE name = 'stored_bytes'")                                       \
	X(PIN_INSERT, "INSERT OR IGNORE INTO pin (what, created_s) VALUES (?, ?)")                                     \
	X(PIN_DELETE, "DELETE FROM pin WHERE what = ?")                                                                \
	X(REQUIRER_INSERT, "INSERT OR IGNORE INTO requirer (module, artefact) VALUES (?, ?)")                          \
	X(REQUIRER_DELETE, "DELETE FROM requirer WHERE artefact = ?")                                                  \
	X(REQUIRERS_OF, "SELECT a.lane, a.key FROM requirer r JOIN artefact a ON a.id = r.artefact"                    \
	                " WHERE r.module = ? AND a.space = ?")                                                         \
	X(REQUIRES_OF_PROVIDER, "SELECT a.requires FROM provider p JOIN artefact a ON a.id = p.artefact"               \
	                        " WHERE p.module = ? AND a.lane = ? AND a.space = ? LIMIT 1")                          \
	X(ARTEFACT_SIGN, "UPDATE artefact SET signer = ?, signature = ?, host = ?, user = ?, run = ?, client = ?,"     \
	                 " created_s = ?, writer = ? WHERE lane = ? AND space = ? AND key = ?")                        \
	X(SIGNER_LIST, "SELECT DISTINCT signer FROM artefact WHERE signer IS NOT NULL ORDER BY signer")                \
	X(MADE_BY_KEY, "SELECT lane, space, key FROM artefact WHERE signer = ?")                                       \
	X(MADE_BY_TOKEN, "SELECT lane, space, key FROM artefact WHERE writer = ?")                                     \
	X(MADE_BY_RUN, "SELECT lane, space, key FROM artefact WHERE run = ?")                                          \
	X(RECALL_INSERT, "INSERT OR IGNORE INTO recall (kind, who, created_s) VALUES (?, ?, ?)")                       \
	X(RECALL_FIND, "SELECT id FROM recall WHERE kind = ? AND who = ?")                                             \
	X(RECALL_DELETE, "DELETE FROM recall WHERE id = ?")                                                            \
	X(RECALL_LIST, "SELECT kind, who, created_s, (SELECT count(*) FROM recalled WHERE recall = id)"                \
	               " FROM recall ORDER BY id")                                                                     \
	X(RECALLED_INSERT, "INSERT OR IGNORE INTO recalled (build_hi, build_lo, ji, recall) VALUES (?, ?, ?, ?)")      \
	X(RECALLED_DELETE, "DELETE FROM recalled WHERE recall = ?")                                                    \
	X(RECALLED_FIND, "SELECT 1 FROM recalled WHERE ji = ? LIMIT 1")                                                \
	X(RECALLED_BUILD, "SELECT 1 FROM recalled WHERE build_lo = ? AND build_hi = ? LIMIT 1")                        \
	X(LEASE_INSERT, "INSERT INTO lease (hash, lane, runtime, sysimage, writer, created_s, ends_s)"                 \
	                " VALUES (?, ?, ?, ?, ?, ?, ?)")                                                               \
	X(LEASED_INSERT, "INSERT OR IGNORE INTO leased (key, lease) SELECT ?1, id FROM lease WHERE hash = ?2")         \
	X(LEASE_FIND, "SELECT " JIC_SQL_LEASE " FROM lease e JOIN lane l ON l.id = e.lane WHERE e.hash = ?")           \
	X(LEASED_LIST, "SELECT k.key FROM leased k JOIN lease e ON e.id = k.lease WHERE e.hash = ? ORDER BY k.key")    \
	X(LEASE_ON, "SELECT " JIC_SQL_LEASE " FROM leased k CROSS JOIN lease e ON e.id = k.lease"                      \
	            " JOIN lane l ON l.id = e.lane WHERE k.key = ? AND e.lane = ? AND e.runtime = ?"                   \
	            " AND e.sysimage = ? AND e.ends_s > ? ORDER BY e.ends_s DESC LIMIT 1")                             \
	X(LEASES_COUNT, "SELECT count(*) FROM lease WHERE writer = ? AND ends_s > ?")                                  \
	X(LEASE_DELETE, "DELETE FROM lease WHERE hash = ?")                                                            \
	X(LEASES_DELETE, "DELETE FROM lease WHERE id IN (SELECT id FROM lease WHERE ends_s <= ? LIMIT ?)")             \
	X(PIN_LIST, "SELECT what FROM pin ORDER BY what")                                                              \
	X(TOTALS, "SELECT (SELECT count(*) FROM lane), (SELECT value FROM counter WHERE name = 'artefacts'),"          \
	          " (SELECT value FROM counter WHERE name = 'blobs'),"                                                 \
	          " (SELECT value FROM counter WHERE name = 'stored_bytes')")                                          \
	X(HELD_LIST, "SELECT h.lane, s.runtime, ifnull(r.version, ''), h.artefacts, h.bytes, h.compile_ms"             \
	             " FROM held_space h JOIN space s ON s.id = h.space LEFT JOIN runtime r ON r.id = s.runtime"       \
	             " ORDER BY h.lane, s.runtime")                                                                    \
	X(PACKAGES_LIST,                                                                                               \
	  "SELECT name, uuid, count(*), sum(artefacts) n, sum(bytes) b, sum(compile_ms) c, max(latest_s) t"            \
	  " FROM held_package WHERE lane IN (SELECT value FROM json_each(?1))"                                         \
	  " AND (?2 = '' OR instr(lower(name), lower(?2))) GROUP BY name, uuid"                                        \
	  " ORDER BY CASE ?3 WHEN 0 THEN b WHEN 2 THEN n WHEN 3 THEN c WHEN 4 THEN t ELSE 0 END DESC, name"            \
	  " LIMIT ?4 OFFSET ?5")                                                                                       \
	/* NOT INDEXED: by rowid from the end; the planner would rather look up lanes and sort everything. */          \
	X(ITEMS_LIST, "SELECT " JIC_SQL_ITEM " FROM artefact a NOT INDEXED CROSS JOIN space s ON s.id = a.space"       \
	              " LEFT JOIN runtime r ON r.id = s.runtime"                                                       \
	              " WHERE a.id < ?1 AND +a.lane IN (SELECT value FROM json_each(?2))"                              \
	              " AND (?3 = '' OR r.version = ?3) ORDER BY a.id DESC LIMIT ?4")                                  \
	X(ITEMS_OF_PACKAGE,                                                                                            \
	  "SELECT " JIC_SQL_ITEM " FROM artefact a CROSS JOIN space s ON s.id = a.space"                               \
	  " LEFT JOIN runtime r ON r.id = s.runtime WHERE a.id IN (SELECT b.id FROM held_package p"                    \
	  " CROSS JOIN artefact b INDEXED BY artefact_of_package ON b.uuid = p.uuid AND b.name = p.name"               \
	  " AND b.lane = p.lane WHERE b.id < ?1 AND p.lane IN (SELECT value FROM json_each(?2)) AND p.name = ?5"       \
	  " ORDER BY b.id DESC) AND (?3 = '' OR r.version = ?3) ORDER BY a.id DESC LIMIT ?4")                          \
	X(STEPS_LIST, "SELECT step_s, at_s, lane, " JIC_SQL_ACTIVITY " FROM activity WHERE step_s = ?1 AND at_s >= ?2" \
	              " AND (lane = 0 OR lane IN (SELECT value FROM json_each(?3))) ORDER BY at_s")                    \
	X(STEP_ADD,                                                                                                    \
	  "INSERT INTO activity (step_s, at_s, lane, " JIC_SQL_ACTIVITY ")"                                            \
	  " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (step_s, at_s, lane) DO UPDATE SET"                \
	  " hits = hits + excluded.hits, misses = misses + excluded.misses, saved_ms = saved_ms + excluded.saved_ms,"  \
	  " published = published + excluded.published, pulls = pulls + excluded.pulls,"                               \
	  " sent_bytes = sent_bytes + excluded.sent_bytes,"                                                            \
	  " received_bytes = received_bytes + excluded.received_bytes, requests = requests + excluded.requests,"       \
	  " stored_bytes = excluded.stored_bytes")                                                                     \
	X(ENVIRONMENTS_LIST, "SELECT " JIC_SQL_ENVIRONMENT ", x'' FROM environment"                                    \
	                     " WHERE lane IN (SELECT value FROM json_each(?1)) ORDER BY last_s DESC LIMIT ?2")         \
	X(ENVIRONMENT_FIND, "SELECT " JIC_SQL_ENVIRONMENT ", nodes FROM environment WHERE id = ?")                     \
	X(ENVIRONMENT_ADD, "INSERT INTO environment (" JIC_SQL_ENVIRONMENT ", nodes)"                                  \
	                   " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"               \
	                   " title = excluded.title, who = excluded.who, last_s = excluded.last_s,"                    \
	                   " times = times + excluded.times, wanted = excluded.wanted, stored = excluded.stored,"      \
	                   " nodes = excluded.nodes")                                                                  \
	/* What was stored before it was missed was not offered, and is not by being there still. */                   \
	X(MISSES_LIST, "SELECT " JIC_SQL_MISS ", EXISTS (SELECT 1 FROM artefact a JOIN space s ON s.id = a.space"      \
	               " WHERE a.key = m.key AND s.runtime = m.runtime AND s.sysimage = m.sysimage"                    \
	               " AND a.published_s >= m.last_s AND a.lane IN (WITH RECURSIVE up (id) AS (SELECT m.lane UNION"  \
	               " SELECT l.parent FROM up JOIN lane l ON l.id = up.id) SELECT id FROM up))"                     \
	               " FROM miss m WHERE m.lane IN (SELECT value FROM json_each(?1))"                                \
	               " ORDER BY m.last_s DESC, m.name LIMIT ?2")                                                     \
	X(MISS_ADD, "INSERT INTO miss AS m (" JIC_SQL_MISS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"       \
	            " ON CONFLICT (lane, key, runtime, sysimage) DO UPDATE SET environment = excluded.environment,"    \
	            " reason = excluded.reason, near_version = excluded.near_version,"                                 \
	            " near_runtime = excluded.near_runtime, who = excluded.who, last_s = excluded.last_s,"             \
	            " times = m.times + excluded.times")                                                               \
	X(KEY_PLACES, "SELECT lane, space FROM artefact WHERE key = ?")                                                \
	X(KEY_DEPARTED, "SELECT 1 FROM departed WHERE key = ? AND lane = ? LIMIT 1")                                   \
	X(COMPILE_MS_OF, "SELECT compile_ms, lane FROM artefact WHERE ji = ? LIMIT 1")                                 \
	X(KEEP_ENVIRONMENTS, "DELETE FROM environment WHERE last_s < (SELECT last_s FROM environment"                  \
	                     " ORDER BY last_s DESC LIMIT 1 OFFSET ?)")                                                \
	X(KEEP_MISSES,                                                                                                 \
	  "DELETE FROM miss WHERE last_s < (SELECT last_s FROM miss ORDER BY last_s DESC LIMIT 1 OFFSET ?)")           \
	X(KEEP_DEPARTED,                                                                                               \
	  "DELETE FROM departed WHERE at_s < (SELECT at_s FROM departed ORDER BY at_s DESC LIMIT 1 OFFSET ?)")         \
	X(KEEP_STEPS, "DELETE FROM activity WHERE step_s = ? AND at_s < ?")                                            \
	X(BLOBS_DELETE_UNUSED, "DELETE FROM blob WHERE digest IN"                                                      \
	                       " (SELECT digest FROM blob WHERE used = 0 AND created_s <= ? LIMIT ?)"                  \
	                       " RETURNING digest")

enum jic_sql {
#define JIC_SQL_NAME(name, text) JIC_SQL_##name,
	JIC_SQL_STATEMENTS(JIC_SQL_NAME)
#undef JIC_SQL_NAME
	    JIC_SQL_COUNT
};

#endif
