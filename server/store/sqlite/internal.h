/**
 * What the files of the SQLite index share: the transaction, and the operations that index.c puts into one table.
 */
#ifndef JIC_SERVER_STORE_SQLITE_INTERNAL_H
#define JIC_SERVER_STORE_SQLITE_INTERNAL_H

#include "server/store/index_views.h"
#include "server/store/sqlite/connection.h"

struct jic_sqlite_txn {
	struct jic_index_txn base;
	struct jic_sqlite_index *index;
	struct jic_connection *connection; /**< ours until the end */
	enum jic_index_mode mode;
	bool open; /**< begun and neither committed nor rolled back */
};

static inline struct jic_connection *jic_txn_connection(struct jic_index_txn *t)
{
	return ((struct jic_sqlite_txn *)t)->connection;
}

/** Create or migrate the schema. JIC_EUNSUPPORTED when the file is newer than we are, JIC_EFORMAT when it is not ours.
 */
jic_must_check bool jic_schema_migrate(struct jic_connection *c, const struct jic_migration_watch *watch,
                                       struct jic_error *err);

/* view.c, with its writing half in activity.c */
extern const struct jic_index_views jic_sqlite_views;
bool jic_sqlite_steps_list(struct jic_index *ix, uint64_t step_s, uint64_t from_s, const struct jic_index_lanes *lanes,
                           struct jic_arena *arena, const struct jic_index_step **out, size_t *count,
                           struct jic_error *err);
bool jic_sqlite_environments_list(struct jic_index *ix, const struct jic_index_lanes *lanes, uint64_t limit,
                                  struct jic_arena *arena, const struct jic_index_environment **out, size_t *count,
                                  struct jic_error *err);
bool jic_sqlite_environment_find(struct jic_index_txn *t, const struct jic_digest *id, struct jic_arena *arena,
                                 struct jic_index_environment *out, struct jic_error *err);
bool jic_sqlite_misses_list(struct jic_index *ix, const struct jic_index_lanes *lanes, uint64_t limit,
                            struct jic_arena *arena, const struct jic_index_miss **out, size_t *count,
                            struct jic_error *err);
bool jic_sqlite_step_add(struct jic_index_txn *t, const struct jic_index_step *step, struct jic_error *err);
bool jic_sqlite_environment_add(struct jic_index_txn *t, const struct jic_index_environment *e, struct jic_error *err);
bool jic_sqlite_miss_add(struct jic_index_txn *t, const struct jic_index_miss *m, struct jic_error *err);
bool jic_sqlite_keep(struct jic_index_txn *t, const struct jic_index_keep *what, struct jic_error *err);
/** A parameter that is a list of lanes. @param json keeps the bytes that are bound */
void jic_bind_lanes(struct jic_stmt *s, const struct jic_index_lanes *lanes, struct jic_buf *json);

/* counter.c */
bool jic_sqlite_counters_get(struct jic_index *ix, uint64_t out[JIC_COUNTER_COUNT], struct jic_error *err);
bool jic_sqlite_counter_add(struct jic_index_txn *t, enum jic_counter counter, uint64_t n, struct jic_error *err);

/* pin.c */
bool jic_sqlite_stored_bytes(struct jic_index *ix, uint64_t *out, struct jic_error *err);
bool jic_sqlite_pin_put(struct jic_index *ix, struct jic_view what, uint64_t now_s, struct jic_error *err);
bool jic_sqlite_pin_delete(struct jic_index *ix, struct jic_view what, struct jic_error *err);
bool jic_sqlite_pins_list(struct jic_index *ix, struct jic_arena *arena, const struct jic_view **out, size_t *count,
                          struct jic_error *err);
bool jic_sqlite_artefacts_touch(struct jic_index_txn *t, const struct jic_index_place *places, size_t count,
                                uint64_t now_s, struct jic_error *err);

/* lane.c */
bool jic_sqlite_lane_put(struct jic_index *ix, struct jic_view name, struct jic_view parent, uint64_t now_s,
                         struct jic_error *err);
bool jic_sqlite_lane_limit(struct jic_index *ix, struct jic_view name, uint64_t quota_bytes, uint64_t max_age_s,
                           struct jic_error *err);
bool jic_sqlite_lane_find(struct jic_index *ix, struct jic_view name, struct jic_arena *arena, struct jic_lane *out,
                          struct jic_error *err);
bool jic_sqlite_lane_list(struct jic_index *ix, struct jic_arena *arena, const struct jic_lane **out, size_t *count,
                          struct jic_error *err);
bool jic_sqlite_lane_chain(struct jic_index_txn *t, struct jic_view name, struct jic_arena *arena,
                           const struct jic_lane **out, size_t *count, struct jic_error *err);

bool jic_sqlite_lane_delete(struct jic_index_txn *t, uint64_t lane, struct jic_error *err);

/* token.c */
bool jic_sqlite_token_put(struct jic_index *ix, const struct jic_token *token, struct jic_error *err);
bool jic_sqlite_token_find(struct jic_index *ix, const struct jic_digest *hash, struct jic_arena *arena,
                           struct jic_token *out, struct jic_error *err);
bool jic_sqlite_token_list(struct jic_index *ix, struct jic_arena *arena, const struct jic_token **out, size_t *count,
                           struct jic_error *err);
bool jic_sqlite_token_rotate(struct jic_index *ix, struct jic_view name, const struct jic_digest *hash,
                             uint64_t old_until_s, struct jic_error *err);
bool jic_sqlite_token_delete(struct jic_index *ix, struct jic_view name, struct jic_error *err);
bool jic_sqlite_token_touch(struct jic_index *ix, const struct jic_digest *hash, uint64_t now_s, struct jic_error *err);

/* module.c */
bool jic_sqlite_space_find(struct jic_index_txn *t, struct jic_view runtime, const struct jic_digest *sysimage,
                           uint64_t *id, struct jic_error *err);
bool jic_sqlite_space_put(struct jic_index_txn *t, struct jic_view runtime, const struct jic_digest *sysimage,
                          uint64_t *id, struct jic_error *err);
bool jic_sqlite_declaration_find(struct jic_index_txn *t, uint64_t lane, uint64_t space, struct jic_arena *arena,
                                 struct jic_view *out, struct jic_error *err);
bool jic_sqlite_declaration_put(struct jic_index_txn *t, uint64_t lane, uint64_t space, struct jic_view modules,
                                struct jic_error *err);
bool jic_sqlite_modules_put(struct jic_index_txn *t, const struct jic_index_module *modules, size_t count,
                            uint32_t *ids, struct jic_error *err);
bool jic_sqlite_modules_get(struct jic_index_txn *t, const uint32_t *ids, size_t count, struct jic_index_module *out,
                            struct jic_error *err);
bool jic_sqlite_providers(struct jic_index_txn *t, uint64_t space, const struct jic_index_module *modules, size_t count,
                          struct jic_arena *arena, const struct jic_index_provider **out, size_t *out_count,
                          struct jic_error *err);
bool jic_sqlite_spaces_list(struct jic_index_txn *t, struct jic_arena *arena, const struct jic_index_space **out,
                            size_t *count, struct jic_error *err);

/* artefact.c */
bool jic_sqlite_artefacts_find(struct jic_index_txn *t, const struct jic_lane *lane, uint64_t space,
                               const struct jic_digest *keys, size_t count, struct jic_arena *arena,
                               const struct jic_index_artefact **out, struct jic_error *err);
bool jic_sqlite_artefact_put(struct jic_index_txn *t, uint64_t space, const struct jic_index_artefact *a,
                             struct jic_error *err);
bool jic_sqlite_artefact_delete(struct jic_index_txn *t, uint64_t lane, uint64_t space, const struct jic_digest *key,
                                struct jic_error *err);
bool jic_sqlite_artefact_move(struct jic_index_txn *t, uint64_t lane, uint64_t space, const struct jic_digest *key,
                              uint64_t to_lane, struct jic_error *err);
bool jic_sqlite_keys_list(struct jic_index_txn *t, uint64_t lane, uint64_t space, const struct jic_digest *after,
                          size_t limit, struct jic_arena *arena, const struct jic_digest **out, size_t *count,
                          struct jic_error *err);
bool jic_sqlite_requirers_list(struct jic_index_txn *t, uint64_t lane, uint64_t space, const uint32_t *modules,
                               size_t modules_count, struct jic_arena *arena, const struct jic_digest **out,
                               size_t *count, struct jic_error *err);

bool jic_sqlite_artefact_sign(struct jic_index_txn *t, uint64_t space, const struct jic_index_artefact *a,
                              struct jic_error *err);

/* requirer.c */
/** An artefact's row, and where it is. */
struct jic_requirer {
	uint64_t artefact, lane, space;
};
jic_must_check bool jic_requirers_put(struct jic_index_txn *t, const struct jic_requirer *who, const uint32_t *modules,
                                      size_t count, struct jic_error *err);
jic_must_check bool jic_requirers_delete(struct jic_index_txn *t, uint64_t artefact, struct jic_error *err);
bool jic_sqlite_direct_requirers(struct jic_index_txn *t, uint64_t space, const uint32_t *modules, size_t count,
                                 struct jic_arena *arena, const struct jic_index_place **out, size_t *out_count,
                                 struct jic_error *err);

/* recall.c */
bool jic_sqlite_signers_list(struct jic_index_txn *t, struct jic_arena *arena, const struct jic_digest **out,
                             size_t *count, struct jic_error *err);
bool jic_sqlite_made_by_list(struct jic_index_txn *t, const struct jic_index_maker *maker, struct jic_arena *arena,
                             const struct jic_index_place **out, size_t *count, struct jic_error *err);
bool jic_sqlite_recall_put(struct jic_index_txn *t, const struct jic_index_maker *maker, uint64_t now_s, uint64_t *id,
                           struct jic_error *err);
bool jic_sqlite_recall_find(struct jic_index_txn *t, const struct jic_index_maker *maker, uint64_t *id,
                            struct jic_error *err);
bool jic_sqlite_recall_delete(struct jic_index_txn *t, const struct jic_index_maker *maker, struct jic_error *err);
bool jic_sqlite_recalls_list(struct jic_index_txn *t, struct jic_arena *arena, const struct jic_index_recall **out,
                             size_t *count, struct jic_error *err);
bool jic_sqlite_recalled_put(struct jic_index_txn *t, uint64_t recall, const struct jic_msg_record *record,
                             struct jic_error *err);
bool jic_sqlite_recalled_find(struct jic_index_txn *t, const struct jic_digest *ji, bool *out, struct jic_error *err);
bool jic_sqlite_recalled_builds(struct jic_index_txn *t, const struct jic_build_id *builds, size_t count, bool *out,
                                struct jic_error *err);

/* origin.c */
bool jic_sqlite_runtime_put(struct jic_index_txn *t, const struct jic_msg_runtime *runtime, struct jic_error *err);
bool jic_sqlite_runtime_bundled(struct jic_index_txn *t, struct jic_view id, struct jic_arena *arena,
                                const struct jic_bundled **out, size_t *count, struct jic_error *err);
bool jic_sqlite_runtime_find(struct jic_index_txn *t, struct jic_view id, struct jic_arena *arena,
                             struct jic_msg_runtime *out, struct jic_error *err);
bool jic_sqlite_origin_find(struct jic_index_txn *t, const struct jic_lane *lane, uint64_t space,
                            const struct jic_digest *key, struct jic_arena *arena, struct jic_index_origin *out,
                            struct jic_error *err);
bool jic_sqlite_origins_find(struct jic_index_txn *t, const struct jic_lane *lane, uint64_t space,
                             const struct jic_node_inputs *package, size_t limit, struct jic_arena *arena,
                             struct jic_index_origin *out, size_t *count, struct jic_error *err);

/* upload.c */
bool jic_sqlite_upload_put(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_view holder,
                           uint64_t now_s, struct jic_error *err);
bool jic_sqlite_upload_find(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_view holder,
                            bool *found, struct jic_error *err);
bool jic_sqlite_uploads_delete(struct jic_index_txn *t, uint64_t until_s, size_t limit, size_t *count,
                               struct jic_error *err);

/* lease.c */
bool jic_sqlite_lease_put(struct jic_index_txn *t, const struct jic_index_lease *lease, const struct jic_digest *keys,
                          size_t count, struct jic_error *err);
bool jic_sqlite_lease_find(struct jic_index_txn *t, const struct jic_digest *hash, struct jic_arena *arena,
                           struct jic_index_lease *out, const struct jic_digest **keys, size_t *count,
                           struct jic_error *err);
bool jic_sqlite_leases_on(struct jic_index_txn *t, const struct jic_index_lease_place *at,
                          const struct jic_digest *keys, size_t count, uint64_t now_s, struct jic_arena *arena,
                          const struct jic_index_lease **out, struct jic_error *err);
bool jic_sqlite_leases_count(struct jic_index_txn *t, struct jic_view writer, uint64_t now_s, uint64_t *out,
                             struct jic_error *err);
bool jic_sqlite_lease_delete(struct jic_index_txn *t, const struct jic_digest *hash, struct jic_error *err);
bool jic_sqlite_leases_delete(struct jic_index_txn *t, uint64_t now_s, size_t limit, struct jic_error *err);

/* blob.c */
bool jic_sqlite_blob_put(struct jic_index_txn *t, const struct jic_index_blob *blob, bool *created,
                         struct jic_error *err);
bool jic_sqlite_blob_find(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_index_blob *out,
                          struct jic_error *err);
bool jic_sqlite_blob_use(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_error *err);
bool jic_sqlite_blobs_delete_unused(struct jic_index_txn *t, uint64_t until_s, size_t limit, struct jic_arena *arena,
                                    const struct jic_digest **out, size_t *count, struct jic_error *err);
bool jic_sqlite_blobs_list(struct jic_index_txn *t, const struct jic_digest *after, size_t limit,
                           struct jic_arena *arena, const struct jic_index_blob **out, size_t *count,
                           struct jic_error *err);
bool jic_sqlite_blob_users(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_arena *arena,
                           const struct jic_index_place **out, size_t *count, struct jic_error *err);
bool jic_sqlite_blob_release(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_error *err);
bool jic_sqlite_blob_delete(struct jic_index_txn *t, const struct jic_digest *digest, struct jic_error *err);

#endif
