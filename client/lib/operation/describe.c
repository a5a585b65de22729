/*
 * Operations that change nothing: what the addresses are made of (key), what is where (status), what a file says
 * (inspect).
 */
#include "client/lib/remote/offer.h"
#include "client/lib/session/failed.h"
#include "client/lib/session/report.h"
#include "client/lib/session/unprecompilable.h"
#include "common/file.h"
#include "common/ji_json.h"

/* ---- key */

static json_t *digest_json(const struct jic_digest *d)
{
	char hex[JIC_DIGEST_HEX + 1];
	jic_digest_hex(d, hex);
	return json_string(hex);
}

static const char *state_name(enum jic_node_state state)
{
	static const char *const names[] = {
	    [JIC_STATE_SHARED] = "shared",       [JIC_STATE_SYSIMAGE] = "sysimage", [JIC_STATE_BUNDLED] = "bundled",
	    [JIC_STATE_NO_SOURCE] = "no-source", [JIC_STATE_UNSHARED] = "unshared",
	};
	return names[state];
}

static void put(json_t *object, const char *field, struct jic_view text)
{
	json_object_set_new(object, field, jic_report_string(text));
}

static json_t *titles(const struct jic_session *s, const uint32_t *nodes, size_t count, struct jic_arena *arena)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list,
		                      jic_report_string(jic_session_node_title(s, &s->graph.nodes[nodes[i]], arena)));
	return list;
}

static json_t *node_json(const struct jic_session *s, const struct jic_node *n, struct jic_arena *arena)
{
	char uuid[JIC_UUID_TEXT + 1] = "";
	json_t *o = json_object();
	if (!jic_uuid_is_nil(n->inputs.uuid))
		jic_uuid_format(n->inputs.uuid, uuid);
	put(o, "name", n->inputs.name);
	json_object_set_new(o, "uuid", json_string(uuid));
	put(o, "version", n->version);
	json_object_set_new(o, "kind", json_string(jic_node_kind_name(n->inputs.kind)));
	json_object_set_new(o, "state", json_string(state_name(n->state)));
	put(o, "reason", n->reason);
	json_object_set_new(o, "key", digest_json(&n->key));
	put(o, "source", n->inputs.source);
	put(o, "build", n->inputs.build);
	put(o, "preferences", n->inputs.preferences);
	put(o, "root", n->root);
	json_object_set_new(o, "deps", titles(s, n->deps, n->deps_count, arena));
	json_object_set_new(o, "extensions", titles(s, n->extensions, n->extensions_count, arena));
	return o;
}

static json_t *runtime_json(const struct jic_session *s)
{
	const struct jic_runtime *r = &s->runtimes[0];
	json_t *o = json_object(), *bundled = json_array();
	put(o, "id", s->runtime_ids[0]);
	put(o, "version", r->version);
	put(o, "branch", r->branch);
	put(o, "commit", r->commit);
	put(o, "uname", r->uname);
	put(o, "arch", r->arch);
	put(o, "triplet", r->triplet);
	json_object_set_new(o, "word_bits", json_integer(r->word_bits));
	put(o, "flags", r->flags);
	put(o, "cpu", r->cpu);
	for (size_t i = 0; i < r->bundled_count; i++) {
		char id[JIC_BUILD_ID_TEXT + 1];
		jic_build_id_format(r->bundled[i].build_id, id);
		json_t *b = json_object();
		put(b, "name", r->bundled[i].name);
		json_object_set_new(b, "build_id", json_string(id));
		json_array_append_new(bundled, b);
	}
	json_object_set_new(o, "bundled", bundled);
	return o;
}

static void describe_session(const struct jic_session *s, struct jic_report *r)
{
	json_t *ids = json_array();
	for (size_t i = 0; i < s->runtimes_count; i++)
		json_array_append_new(ids, jic_report_string(s->runtime_ids[i]));
	jic_report_set(r, "runtime", runtime_json(s));
	jic_report_set(r, "runtimes", ids);
	jic_report_set(r, "sysimage", digest_json(&s->facts.sysimage));
	jic_report_set(r, "sysimage_file", jic_report_string(s->facts.image_file));
	jic_report_set(r, "julia", jic_report_string(s->facts.julia));
	jic_report_set(r, "project", jic_report_string(s->graph.project_file));
	jic_report_set(r, "manifest", jic_report_string(s->graph.manifest_file));
}

static void warn_of_graph(const struct jic_session *s, struct jic_report *r)
{
	for (size_t i = 0; i < s->graph.warnings_count; i++)
		jic_report_warn(r, JIC_PRIv, JIC_ARGv(s->graph.warnings[i]));
}

struct jic_report *jic_session_key(struct jic_session *s, struct jic_error *err)
{
	struct jic_arena arena = {0};
	JIC_AUTO(jic_report) struct jic_report *r = jic_report_new("key", err);
	if (!r)
		return NULL;
	json_t *nodes = json_array();
	for (size_t i = 0; i < s->graph.count; i++) {
		r->counts.packages += s->graph.nodes[i].state == JIC_STATE_SHARED;
		json_array_append_new(nodes, node_json(s, &s->graph.nodes[i], &arena));
	}
	describe_session(s, r);
	warn_of_graph(s, r);
	jic_report_set(r, "packages", json_integer(r->counts.packages));
	jic_report_set(r, "nodes", nodes);
	jic_arena_clear(&arena);
	bool done = jic_report_finish(r, err, "%zu nodes, %u of them shared", s->graph.count, r->counts.packages);
	return done ? JIC_TAKE(r) : NULL;
}

/* ---- status */

static void ask_server(struct jic_session *s, struct jic_arena *arena, struct jic_offer *offer, struct jic_report *r)
{
	struct jic_error e = {0};
	JIC_AUTO(jic_connection) struct jic_connection *c = jic_connection_new(&s->settings, NULL, &e);
	bool reached = c && jic_offer_get(s, c, JIC_OFFER_LOOK, arena, offer, &e);
	r->server = reached ? JIC_SERVER_REACHED : JIC_SERVER_AWAY;
	if (reached)
		return;
	*offer = (struct jic_offer){0};
	jic_report_warn(r, "%s", e.text);
}

static json_t *status_json(const struct jic_session *s, size_t node, const struct jic_local *local,
                           const struct jic_offer *offer, bool asked, struct jic_arena *arena)
{
	const struct jic_node *n = &s->graph.nodes[node];
	bool on_server = offer->of_node && offer->of_node[node];
	char id[JIC_BUILD_ID_TEXT + 1] = "", uuid[JIC_UUID_TEXT + 1];
	json_t *o = json_object();
	jic_uuid_format(n->inputs.uuid, uuid);
	put(o, "name", jic_session_node_title(s, n, arena));
	json_object_set_new(o, "uuid", json_string(uuid));
	json_object_set_new(o, "key", digest_json(&n->key));
	json_object_set_new(o, "local", json_boolean(local->path.len));
	json_object_set_new(o, "server", asked ? json_boolean(on_server) : json_null());
	if (local->path.len) {
		jic_build_id_format(local->build_id, id);
		put(o, "file", local->path);
		json_object_set_new(o, "ours", json_boolean(local->ours));
		json_object_set_new(o, "build_id", json_string(id));
		json_object_set_new(o, "bytes", json_integer((json_int_t)local->bytes));
	}
	const bool same = on_server && jic_build_id_eq(offer->of_node[node]->build_id, local->build_id);
	if (on_server && local->path.len)
		json_object_set_new(o, "same", json_boolean(same));
	/* Whose another build on the server is says nothing of the one that is here. */
	if (on_server && (same || !local->path.len) && s->trust.count)
		put(o, "signer", jic_trust_signer(&s->trust, offer->of_node[node], arena));
	return o;
}

static void count_status(struct jic_report *r, const struct jic_local *local, bool on_server)
{
	r->counts.packages++;
	r->counts.local += local->path.len != 0;
	r->counts.existing += on_server;
	r->counts.missing += !local->path.len && !on_server;
}

static bool status(struct jic_session *s, struct jic_arena *arena, struct jic_report *r, struct jic_error *err)
{
	struct jic_locals locals;
	struct jic_offer offer = {0};
	if (!jic_depot_scan(&s->graph, &s->depot, arena, &locals, err))
		return false;
	jic_unprecompilable_mark(&s->graph, &locals);
	jic_failed_mark(s, &locals);
	ask_server(s, arena, &offer, r);
	json_t *nodes = json_array();
	bool asked = r->server == JIC_SERVER_REACHED;
	for (size_t i = 0; i < s->graph.count; i++) {
		const struct jic_node *n = &s->graph.nodes[i];
		if (jic_node_is_wanted(n) || jic_failed_is(n) || locals.items[i].path.len ||
		    (offer.of_node && offer.of_node[i])) {
			count_status(r, &locals.items[i], offer.of_node && offer.of_node[i]);
			json_array_append_new(nodes, status_json(s, i, &locals.items[i], &offer, asked, arena));
		} else if (n->state == JIC_STATE_NO_SOURCE || n->state == JIC_STATE_UNSHARED) {
			jic_autofree char *reason = jic_strdup_view(n->reason);
			r->counts.skipped++;
			jic_report_note(r, "skipped_packages", jic_session_node_title(s, n, arena),
			                reason ? reason : "");
		}
	}
	(void)jic_failed_tell(s, &locals, NULL, r);
	warn_of_graph(s, r);
	jic_report_set(r, "nodes", nodes);
	jic_report_set(r, "packages", json_integer(r->counts.packages));
	jic_report_set(r, "local", json_integer(r->counts.local));
	jic_report_set(r, "on_server", asked ? json_integer(r->counts.existing) : json_null());
	jic_report_set(r, "nowhere", json_integer(r->counts.missing));
	jic_report_set(r, "skipped", json_integer(r->counts.skipped));
	return jic_report_finish(r, err, "%u packages: %u local, %u on the server, %u nowhere%s", r->counts.packages,
	                         r->counts.local, r->counts.existing, r->counts.missing, asked ? "" : " (server away)");
}

struct jic_report *jic_session_status(struct jic_session *s, struct jic_error *err)
{
	struct jic_arena arena = {0};
	JIC_AUTO(jic_report) struct jic_report *r = jic_report_new("status", err);
	bool done = r && status(s, &arena, r, err);
	jic_arena_clear(&arena);
	return done ? JIC_TAKE(r) : NULL;
}

/* ---- inspect */

static bool inspect(const char *path, struct jic_report *r, struct jic_map *map, struct jic_arena *arena,
                    struct jic_error *err)
{
	struct jic_ji ji;
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	const char *slash = strrchr(path, '/');
	struct jic_error broken = {0};
	if (!jic_map_open(path, JIC_JI_BYTES_MAX, map, err))
		return false;
	if (!jic_ji_parse(map->view, arena, &ji, err))
		return jic_wrap(err, "%s", path);
	bool valid = jic_ji_verify(&ji, &broken);
	if (!jic_ji_json(&ji, slash ? slash + 1 : path, valid, &text, err))
		return false;
	json_t *header = json_loadb(text.ptr, text.len, 0, NULL);
	json_object_update(r->json, header);
	json_decref(header);
	if (!valid)
		jic_report_warn(r, "%s", broken.text);
	return jic_report_finish(r, err, "%zu bytes, Julia " JIC_PRIv ", checksums %s", map->view.len,
	                         JIC_ARGv(ji.version_text), valid ? "hold" : "do NOT hold");
}

struct jic_report *jic_inspect(const char *path, struct jic_error *err)
{
	struct jic_arena arena = {0};
	struct jic_map map = {0};
	JIC_AUTO(jic_report) struct jic_report *r = jic_report_new("inspect", err);
	bool done = r && inspect(path, r, &map, &arena, err);
	jic_map_clear(&map);
	jic_arena_clear(&arena);
	return done ? JIC_TAKE(r) : NULL;
}
