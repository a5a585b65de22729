/*
 * A push: scan the depots ▸ ask what the server has ▸ check rule 1 and bring into canonical form ▸ upload what it lacks
 * ▸ publish as one set. Nodes are judged dependencies first; what stands on a node that can't be published can't be
 * either.
 *
 * Between asking and publishing another machine may have been first. The server then names what is superseded and
 * publishes nothing; we drop those and try again with the rest, a few times.
 */
#include "client/lib/depot/cachefile.h"
#include "client/lib/depot/compile_time.h"
#include "client/lib/relocate/relocate.h"
#include "client/lib/remote/endorse.h"
#include "client/lib/remote/offer.h"
#include "client/lib/remote/upload.h"
#include "client/lib/session/history.h"
#include "client/lib/session/provenance.h"
#include "client/lib/session/report.h"
#include "client/lib/session/superseded.h"

enum {
	PUBLISH_TRIES_MAX = 5,
	KEPT_BYTES_MAX = 256 * 1024,
	OTHERS_S = 10, /* that other machines' publishes may take first: a server keeps a request waiting for 8 s */
};

enum fate {
	FATE_NONE = 0,   /* no local file, or not shared */
	FATE_EXISTING,   /* the server has this build */
	FATE_SUPERSEDED, /* the server has another build, of it or of what it stands on */
	FATE_REFUSED,    /* can't be shared */
	FATE_OFFERED,    /* to be published */
};

struct push {
	struct jic_session *session;
	struct jic_arena *arena;
	struct jic_report *report;
	struct jic_connection *connection;
	struct jic_locals locals;
	struct jic_offer offer;
	bool has_own;                       /* is anything here this session's own? */
	enum fate *fate;                    /* for each node */
	struct jic_msg_artefact *artefacts; /* for each node; only of OFFERED ones */
	struct jic_upload *uploads;         /* at most two for each node */
	size_t uploads_count;
	struct jic_msg_provenance provenance;
	uint32_t blocked; /* superseded by builds that no trusted key signed */
};

static void refuse(struct push *p, size_t node, const char *reason)
{
	p->fate[node] = FATE_REFUSED;
	jic_report_note(p->report, "refused",
	                jic_session_node_title(p->session, &p->session->graph.nodes[node], p->arena), reason);
}

/* ---- judging one node */

/* What a file stands on decides before its own content does. */
static enum fate fate_of_requirements(struct push *p, const struct jic_ji *ji, const struct jic_node **blame)
{
	const struct jic_graph *g = &p->session->graph;
	for (size_t i = 0; i < ji->required_count; i++) {
		const struct jic_node *n = jic_graph_find(g, ji->required[i].uuid, ji->required[i].name);
		if (!n || n->state != JIC_STATE_SHARED)
			continue;
		enum fate fate = p->fate[n - g->nodes];
		*blame = n;
		if (fate == FATE_SUPERSEDED || fate == FATE_REFUSED)
			return fate;
		if (!jic_build_id_eq(p->locals.items[n - g->nodes].build_id, ji->required[i].build_id))
			return FATE_SUPERSEDED;
	}
	return FATE_OFFERED;
}

static void add_upload(struct push *p, const struct jic_upload *u, struct jic_digest *digest)
{
	p->uploads[p->uploads_count++] = *u;
	*digest = u->digest;
}

/* A large `.ji` (Julia ≤ 1.8, or without images) waits on disk, so that memory does not grow with the environment. */
static bool upload_ji(struct push *p, struct jic_buf *canonical, struct jic_digest *digest, struct jic_error *err)
{
	struct jic_upload u;
	if (canonical->len <= KEPT_BYTES_MAX)
		jic_upload_from_buf(canonical, &u);
	else if (!jic_upload_from_temp(jic_buf_view(canonical), &u, err))
		return false;
	add_upload(p, &u, digest);
	return true;
}

static bool upload_image(struct push *p, const struct jic_ji *ji, struct jic_view ji_path, struct jic_digest *digest,
                         struct jic_error *err)
{
	struct jic_upload u;
	struct jic_view path = jic_cachefile_image_path(ji_path, ji->uname, p->arena);
	if (!jic_upload_from_file(path.ptr, &u, err))
		return false;
	if (!jic_ji_verify_image(ji, u.content, NULL, err)) {
		jic_upload_clear(&u);
		return false;
	}
	add_upload(p, &u, digest);
	return true;
}

/* The last uploads are the artefact's: its `.ji`, then its image. */
static bool endorse(struct push *p, const struct jic_ji *ji, struct jic_msg_artefact *a, struct jic_error *err)
{
	const struct jic_upload *last = &p->uploads[p->uploads_count - 1];
	const struct jic_endorsement e = {
	    .ji = ji,
	    .ji_size = (a->has_image ? last - 1 : last)->content.len,
	    .image_size = a->has_image ? last->content.len : 0,
	    .provenance = &p->provenance,
	};
	return jic_endorse(p->session, &e, a, err);
}

/* A file that was fetched came into being here when it was placed. */
static uint64_t compile_ms(const struct jic_local *local, const struct jic_ji *ji)
{
	jic_autofree char *path = local->ours ? NULL : jic_strdup_view(local->path);
	return path ? jic_compile_ms(path, ji) : 0;
}

static bool prepare_artefact(struct push *p, size_t node, const struct jic_ji *ji, struct jic_error *err)
{
	const struct jic_node *n = &p->session->graph.nodes[node];
	struct jic_canonical canonical = {0};
	struct jic_msg_artefact *a = &p->artefacts[node];
	*a = (struct jic_msg_artefact){.key = n->key,
	                               .node = n->inputs,
	                               .version = n->version,
	                               .has_image = ji->clone_targets.len != 0,
	                               .compile_ms = compile_ms(&p->locals.items[node], ji)};
	bool done = jic_ji_verify(ji, err) && jic_canonicalise(&p->session->graph, n, ji, p->arena, &canonical, err) &&
	            upload_ji(p, &canonical.ji, &a->ji, err) &&
	            (!a->has_image || upload_image(p, ji, p->locals.items[node].path, &a->image, err));
	jic_buf_clear(&canonical.ji);
	a->inputs = canonical.inputs;
	a->inputs_count = canonical.inputs_count;
	return done && endorse(p, ji, a, err);
}

static void judge_file(struct push *p, size_t node, const struct jic_ji *ji)
{
	const struct jic_node *blame = NULL;
	struct jic_error e = {0};
	enum fate fate = fate_of_requirements(p, ji, &blame);
	if (fate == FATE_REFUSED) {
		jic_fail(&e, JIC_EDENIED, "it depends on " JIC_PRIv ", which can't be shared",
		         JIC_ARGv(blame->inputs.name));
		refuse(p, node, e.text);
	} else if (fate == FATE_SUPERSEDED) {
		p->fate[node] = FATE_SUPERSEDED;
	} else if (prepare_artefact(p, node, ji, &e)) {
		p->fate[node] = FATE_OFFERED;
	} else {
		refuse(p, node, e.text);
	}
}

static void judge_new(struct push *p, size_t node)
{
	struct jic_error e = {0};
	struct jic_map map = {0};
	struct jic_arena arena = {0};
	struct jic_ji ji;
	jic_autofree char *path = jic_strdup_view(p->locals.items[node].path);
	if (path && jic_map_open(path, JIC_JI_BYTES_MAX, &map, &e) && jic_ji_parse(map.view, &arena, &ji, &e))
		judge_file(p, node, &ji);
	else
		refuse(p, node, e.text);
	jic_map_clear(&map);
	jic_arena_clear(&arena);
}

/* A signature says that the signer has compiled it: what was fetched is not ours to sign. */
static void judge_unsigned(struct push *p, size_t node)
{
	if (p->session->trust.signing_key && p->locals.items[node].ours)
		refuse(p, node, "it was fetched, not compiled here, so this machine can't sign it");
	else
		judge_new(p, node);
}

/* What is here may all be of other flags or for another processor, and taken by Julia all the same: that is published
 * by a session of those. Where something is this session's own, its Julia uses the rest beside it, and all goes
 * together.
 */
static bool has_own(const struct push *p)
{
	for (size_t i = 0; i < p->locals.count; i++)
		if (p->locals.items[i].path.len && p->locals.items[i].own)
			return true;
	return false;
}

static void judge(struct push *p, size_t node)
{
	const struct jic_session *s = p->session;
	const struct jic_msg_record *r = p->offer.of_node[node];
	const struct jic_local *l = &p->locals.items[node];
	const struct jic_statement_place at = {.runtime = s->runtime_ids[0], .sysimage = s->facts.sysimage};
	if (s->graph.nodes[node].state != JIC_STATE_SHARED || !l->path.len)
		return;
	if (!r && !p->has_own)
		return;
	const bool accepted = !r || !s->trust.signing_key || jic_trust_accepts(&s->trust, &at, r, NULL);
	const bool same = r && jic_build_id_eq(r->build_id, l->build_id);
	if (r && (!same || accepted))
		p->fate[node] = same ? FATE_EXISTING : FATE_SUPERSEDED;
	else
		judge_unsigned(p, node);
	p->blocked += r && !same && !accepted;
}

static bool judge_all(struct push *p, struct jic_error *err)
{
	size_t count = p->session->graph.count;
	p->fate = jic_arena_array(p->arena, count + 1, sizeof *p->fate);
	p->artefacts = jic_arena_array(p->arena, count + 1, sizeof *p->artefacts);
	p->uploads = jic_arena_array(p->arena, 2 * count + 1, sizeof *p->uploads);
	if (!p->fate || !p->artefacts || !p->uploads)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	p->has_own = has_own(p);
	for (size_t i = 0; i < count; i++)
		judge(p, i);
	return p->arena->failed ? jic_fail(err, JIC_EMEMORY, "out of memory") : true;
}

/* ---- publishing */

static size_t collect_offered(const struct push *p, struct jic_msg_artefact *out)
{
	size_t count = 0;
	for (size_t i = 0; i < p->session->graph.count; i++)
		if (p->fate[i] == FATE_OFFERED)
			out[count++] = p->artefacts[i];
	return count;
}

/* The server named artefacts that can't go in, and what stands on them. @return whether any of ours was among them */
static bool drop(struct push *p, const struct jic_msg_problem *problem, enum fate fate)
{
	bool dropped = false;
	const struct jic_graph *g = &p->session->graph;
	jic_autofree char *reason = jic_strdup_view(problem->detail);
	for (size_t i = 0; i < g->count; i++) {
		bool named = false;
		for (size_t k = 0; k < problem->keys_count && !named; k++)
			named = jic_digest_eq(&problem->keys[k], &g->nodes[i].key);
		/* A dependent of what was dropped in this round goes too; nodes are in order, so one pass finds all. */
		for (size_t d = 0; d < i && !named && p->fate[i] == FATE_OFFERED; d++)
			named = p->fate[d] == fate && fate == FATE_REFUSED && jic_node_closure_has(&g->nodes[i], d);
		if (!named || p->fate[i] != FATE_OFFERED)
			continue;
		dropped = true;
		if (fate == FATE_REFUSED)
			refuse(p, i, reason ? reason : "");
		else
			p->fate[i] = fate;
	}
	return dropped;
}

static bool handle_problem(struct push *p, const struct jic_buf *answer)
{
	struct jic_msg_problem problem;
	if (!jic_msg_problem_read(jic_buf_view(answer), p->arena, &problem, NULL))
		return false;
	if (jic_view_is(problem.code, "superseded"))
		return drop(p, &problem, FATE_SUPERSEDED);
	if (jic_view_is(problem.code, "bad-artefact") || jic_view_is(problem.code, "incoherent") ||
	    jic_view_is(problem.code, "bad-signature") || jic_view_is(problem.code, "recalled"))
		return drop(p, &problem, FATE_REFUSED);
	return false;
}

static bool take_published(struct push *p, const struct jic_buf *answer, struct jic_error *err)
{
	struct jic_msg_published published;
	if (!jic_msg_published_read(jic_buf_view(answer), p->arena, &published, err))
		return jic_wrap(err, "server %s: answer to publish", p->session->settings.url);
	p->report->counts.published = (uint32_t)published.published_count;
	p->report->counts.existing += (uint32_t)published.existing_count;
	return true;
}

/* The server reads all of it before it answers. */
static uint64_t content_bytes(const struct push *p)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < p->uploads_count; i++)
		bytes += p->uploads[i].content.len;
	return bytes;
}

static bool publish_once(struct push *p, struct jic_buf *answer, size_t *offered, struct jic_error *err)
{
	const struct jic_session *s = p->session;
	struct jic_msg_artefact *artefacts = jic_arena_array(p->arena, s->graph.count + 1, sizeof *artefacts);
	if (!artefacts)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	*offered = collect_offered(p, artefacts);
	if (!*offered)
		return true;
	const struct jic_msg_publish request = {
	    .lane = jic_view_of(s->settings.lane),
	    .runtime = s->runtimes[0],
	    .sysimage = s->facts.sysimage,
	    .sysimage_modules = s->facts.sysimage_modules,
	    .sysimage_modules_count = s->facts.sysimage_modules_count,
	    .artefacts = artefacts,
	    .artefacts_count = *offered,
	    .provenance = p->provenance,
	};
	JIC_CLEAR(jic_buf) struct jic_buf body = {0};
	jic_connection_patience(p->connection, content_bytes(p) + (uint64_t)OTHERS_S * JIC_PATIENCE_BYTES_PER_S);
	return jic_msg_publish_write(&request, &body, err) &&
	       jic_connection_json(p->connection, "POST", "/v1/publish", jic_buf_view(&body), answer, err);
}

static bool publish(struct push *p, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf answer = {0};
	for (int tries = 0; tries < PUBLISH_TRIES_MAX; tries++) {
		size_t offered = 0;
		if (publish_once(p, &answer, &offered, err))
			return offered == 0 || take_published(p, &answer, err);
		if (!handle_problem(p, &answer))
			return false;
	}
	return false;
}

/* ---- the whole */

static void count_fates(struct push *p)
{
	struct jic_counts *c = &p->report->counts;
	bool superseded = false;
	for (size_t i = 0; i < p->session->graph.count; i++) {
		const struct jic_node *n = &p->session->graph.nodes[i];
		c->packages += jic_node_is_wanted(n) || p->locals.items[i].path.len;
		c->local += p->locals.items[i].path.len != 0;
		c->skipped += n->state == JIC_STATE_NO_SOURCE || n->state == JIC_STATE_UNSHARED;
		c->existing += p->fate && p->fate[i] == FATE_EXISTING;
		c->refused += p->fate && p->fate[i] == FATE_REFUSED;
		if (!p->fate || p->fate[i] != FATE_SUPERSEDED)
			continue;
		superseded = true;
		c->superseded++;
		jic_report_name(p->report, "superseded_packages", jic_session_node_title(p->session, n, p->arena));
	}
	if (superseded)
		jic_superseded_note(p->session);
	if (p->blocked)
		jic_report_warn(p->report,
		                "of %u package%s the server has builds that no trusted key signed, and keeps them: "
		                "its administrator can recall them",
		                p->blocked, p->blocked == 1 ? "" : "s");
}

static bool finish(struct jic_report *r, struct jic_error *err)
{
	const struct jic_counts *c = &r->counts;
	char bytes[32], more[96] = "";
	jic_report_set(r, "packages", json_integer(c->packages));
	jic_report_set(r, "local", json_integer(c->local));
	jic_report_set(r, "published", json_integer(c->published));
	jic_report_set(r, "existing", json_integer(c->existing));
	jic_report_set(r, "superseded", json_integer(c->superseded));
	jic_report_set(r, "skipped", json_integer(c->skipped));
	jic_report_set(r, "bytes_sent", json_integer((json_int_t)c->bytes));
	if (c->superseded)
		snprintf(more, sizeof more, ", %u superseded (a pull fetches the shared builds)", c->superseded);
	if (c->refused)
		snprintf(more + strlen(more), sizeof more - strlen(more), ", %u not shareable", c->refused);
	return jic_report_finish(r, err, "%u package%s: %u published (%s sent), %u on the server already%s%s",
	                         c->packages, c->packages == 1 ? "" : "s", c->published,
	                         jic_bytes_text(c->bytes, bytes), c->existing, more,
	                         r->server == JIC_SERVER_AWAY ? ", server away" : "");
}

static bool is_away(enum jic_code code)
{
	return code == JIC_ENETWORK || code == JIC_EBUSY || code == JIC_EPROTOCOL;
}

static bool exchange(struct push *p, struct jic_error *err)
{
	struct jic_session *s = p->session;
	if (!jic_offer_get(s, p->connection, JIC_OFFER_PUSH, p->arena, &p->offer, err) || !judge_all(p, err))
		return false;
	p->report->server = JIC_SERVER_REACHED;
	return p->uploads_count == 0 || (jic_upload_all(s, p->connection, p->uploads, p->uploads_count, p->arena,
	                                                &p->report->counts.bytes, err) &&
	                                 publish(p, err));
}

static bool push(struct push *p, struct jic_error *err)
{
	struct jic_session *s = p->session;
	if (!jic_depot_scan(&s->graph, &s->depot, p->arena, &p->locals, err))
		return false;
	jic_history_note(s, &p->locals, NULL);
	if (p->locals.have == 0)
		return true;
	if (!jic_settings_identify(&s->settings))
		return jic_fail(err, JIC_EDENIED,
		                "publishing needs a token: set JICACHE_TOKEN, --token, or `token` in %s",
		                s->settings.config);
	JIC_AUTO(jic_connection) struct jic_connection *c = jic_connection_new(&s->settings, NULL, err);
	p->connection = c;
	struct jic_error e = {0};
	if (c && exchange(p, &e))
		return true;
	if (err)
		*err = e;
	if (!c || !is_away(e.code))
		return false;
	p->report->server = JIC_SERVER_AWAY;
	jic_report_warn(p->report, "%s; nothing was published", e.text);
	return true;
}

struct jic_report *jic_session_push(struct jic_session *s, struct jic_error *err)
{
	struct jic_arena arena = {0};
	JIC_AUTO(jic_report) struct jic_report *r = jic_report_new("push", err);
	struct push p = {.session = s, .arena = &arena, .report = r};
	jic_provenance_here(&arena, &p.provenance);
	bool done = r && push(&p, err);
	if (done)
		count_fates(&p);
	for (size_t i = 0; i < p.uploads_count; i++)
		jic_upload_clear(&p.uploads[i]);
	done = done && finish(r, err);
	jic_arena_clear(&arena);
	return done ? JIC_TAKE(r) : NULL;
}

/* ---- after a command */

/* Of every shared node that is here its key and build: keys cover the environment, builds what lies in the depot. */
const char *jic_session_state(struct jic_session *s, struct jic_error *err)
{
	struct jic_arena arena = {0};
	struct jic_locals locals;
	JIC_CLEAR(jic_buf) struct jic_buf all = {0};
	bool scanned = jic_depot_scan(&s->graph, &s->depot, &arena, &locals, err);
	for (size_t i = 0; scanned && i < s->graph.count; i++) {
		const struct jic_node *n = &s->graph.nodes[i];
		if (n->state != JIC_STATE_SHARED || !locals.items[i].path.len)
			continue;
		jic_buf_put(&all, n->key.bytes, sizeof n->key.bytes);
		jic_buf_u64le(&all, locals.items[i].build_id.hi);
		jic_buf_u64le(&all, locals.items[i].build_id.lo);
	}
	jic_arena_clear(&arena);
	if (!scanned || !jic_buf_ok(&all, err))
		return NULL;
	struct jic_digest digest;
	char *hex = jic_arena_alloc(&s->arena, JIC_DIGEST_HEX + 1);
	jic_sha256_of(jic_buf_view(&all), &digest);
	if (hex)
		jic_digest_hex(&digest, hex);
	else
		jic_fail(err, JIC_EMEMORY, "out of memory");
	return hex;
}

struct jic_report *jic_session_push_changed(struct jic_session *s, const char *state, struct jic_error *err)
{
	const char *now = jic_settings_identify(&s->settings) ? jic_session_state(s, err) : state;
	if (!now)
		return NULL;
	if (strcmp(now, state) != 0)
		return jic_session_push(s, err);
	JIC_AUTO(jic_report) struct jic_report *r = jic_report_new("push", err);
	return r && finish(r, err) ? JIC_TAKE(r) : NULL;
}
