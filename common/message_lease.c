/* The lease messages: each state has its own fields, and only these are read and written. */
#include "common/message_lease.h"

#include "common/message_json.h"

static const char *const state_names[] = {[JIC_LEASE_GRANTED] = "granted",
                                          [JIC_LEASE_HELD] = "held",
                                          [JIC_LEASE_FREE] = "free",
                                          [JIC_LEASE_STORED] = "stored"};

const char *jic_lease_state_name(enum jic_lease_state state)
{
	return state_names[state];
}

/* ---- the request */

bool jic_msg_lease_write(const struct jic_msg_lease *m, struct jic_buf *out, struct jic_error *err)
{
	struct jic_json_writer w = {.out = out};
	jic_json_open(&w, NULL, '{');
	if (m->lane.len)
		jic_json_put_text(&w, "lane", m->lane);
	jic_json_put_u64(&w, "seconds", m->seconds);
	if (m->renews) {
		jic_json_put_digest(&w, "lease", &m->lease);
	} else {
		jic_json_put_text(&w, "runtime", m->runtime);
		jic_json_put_digest(&w, "sysimage", &m->sysimage);
		jic_json_put_digests(&w, "keys", m->keys, m->keys_count);
	}
	jic_json_close(&w, '}');
	return jic_json_finish(&w, err);
}

static bool read_address(const struct jic_json *at, struct jic_msg_lease *out)
{
	const struct jic_json place = {.doc = at->doc, .up = at, .field = "runtime"};
	return jic_json_get_text(at, "runtime", JIC_RUNTIME_ID_BYTES_MAX, &out->runtime) &&
	       (jic_runtime_id_valid(out->runtime) || jic_json_fail(&place, JIC_EFORMAT, "is not a runtime id")) &&
	       jic_json_get_digest(at, "sysimage", &out->sysimage) &&
	       jic_json_get_digests(at, "keys", JIC_MESSAGE_KEYS_MAX, &out->keys, &out->keys_count);
}

bool jic_msg_lease_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_lease *out, struct jic_error *err)
{
	JIC_CLEAR(jic_json_doc) struct jic_json_doc doc = {0};
	*out = (struct jic_msg_lease){0};
	if (!jic_json_parse(json, JIC_MESSAGE_BYTES_MAX, arena, &doc, err))
		return false;
	const struct jic_json at = jic_json_root(&doc);
	return jic_msg_get_lane(&at, "lane", &out->lane) &&
	       jic_json_get_u64(&at, "seconds", JIC_LEASE_SECONDS_MAX, &out->seconds) &&
	       jic_json_opt_digest(&at, "lease", &out->renews, &out->lease) && (out->renews || read_address(&at, out));
}

/* ---- the answer */

bool jic_msg_leased_write(const struct jic_msg_leased *m, struct jic_buf *out, struct jic_error *err)
{
	struct jic_json_writer w = {.out = out};
	jic_json_open(&w, NULL, '{');
	jic_json_put_text(&w, "state", jic_view_of(state_names[m->state]));
	if (m->state == JIC_LEASE_GRANTED)
		jic_json_put_digest(&w, "lease", &m->lease);
	if (m->state == JIC_LEASE_GRANTED || m->state == JIC_LEASE_HELD)
		jic_json_put_u64(&w, "seconds", m->seconds);
	if (m->state != JIC_LEASE_STORED)
		jic_json_put_digests(&w, "keys", m->keys, m->keys_count);
	if (m->state == JIC_LEASE_HELD)
		jic_json_put_text(&w, "by", m->by);
	jic_json_close(&w, '}');
	return jic_json_finish(&w, err);
}

static bool read_state(const struct jic_json *at, enum jic_lease_state *out)
{
	const struct jic_json place = {.doc = at->doc, .up = at, .field = "state"};
	struct jic_view name;
	if (!jic_json_get_text(at, "state", JIC_MSG_NAME_BYTES_MAX, &name))
		return false;
	for (unsigned i = 0; i < JIC_LEASE_STATES; i++) {
		if (jic_view_is(name, state_names[i])) {
			*out = (enum jic_lease_state)i;
			return true;
		}
	}
	return jic_json_fail(&place, JIC_EFORMAT, "is no state of a lease");
}

static bool read_fields(const struct jic_json *at, struct jic_msg_leased *out)
{
	const bool granted = out->state == JIC_LEASE_GRANTED, held = out->state == JIC_LEASE_HELD;
	return (!granted || jic_json_get_digest(at, "lease", &out->lease)) &&
	       ((!granted && !held) || jic_json_get_u64(at, "seconds", JIC_LEASE_SECONDS_MAX, &out->seconds)) &&
	       (out->state == JIC_LEASE_STORED ||
	        jic_json_get_digests(at, "keys", JIC_MESSAGE_KEYS_MAX, &out->keys, &out->keys_count)) &&
	       (!held || jic_json_get_text(at, "by", JIC_MSG_NOTE_BYTES_MAX, &out->by));
}

bool jic_msg_leased_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_leased *out,
                         struct jic_error *err)
{
	JIC_CLEAR(jic_json_doc) struct jic_json_doc doc = {0};
	*out = (struct jic_msg_leased){0};
	if (!jic_json_parse(json, JIC_MESSAGE_BYTES_MAX, arena, &doc, err))
		return false;
	const struct jic_json at = jic_json_root(&doc);
	return read_state(&at, &out->state) && read_fields(&at, out);
}
