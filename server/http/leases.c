/* POST /v1/leases and DELETE /v1/leases/{id}: who compiles what just now. */
#include "server/auth/token.h"
#include "server/http/handlers.h"
#include "server/http/metrics.h"
#include "server/http/problem.h"

enum { TOO_MANY_WAIT_S = 60 }; /* longer than a client waits: it compiles, instead of asking again */

/* An id is a secret like a token's, in the form of a digest, which paths have a pattern for. */
static bool make_id(struct jic_digest *out, struct jic_error *err)
{
	char secret[JIC_TOKEN_SECRET_TEXT + 1];
	if (!jic_token_secret_new(secret, err))
		return false;
	bool parsed = jic_digest_parse(jic_view_of(secret + sizeof JIC_TOKEN_PREFIX - 1), out);
	JIC_ASSERT(parsed);
	explicit_bzero(secret, sizeof secret);
	return true;
}

static void respond_leased(struct jic_request *r, const struct jic_msg_leased *answer)
{
	struct jic_error err = {0};
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	if (!jic_msg_leased_write(answer, &json, &err)) {
		jic_respond_error(r, &err);
		return;
	}
	jic_respond_json(r, 200, &json);
	jic_respond_header(r, "Cache-Control", "no-store");
}

/* Who only asks needs no more than a reader of the lane has. */
static bool check_request(struct jic_request *r, struct jic_msg_lease *m)
{
	const bool takes = m->seconds || m->renews;
	if (!jic_request_keys_allowed(r, m->keys_count))
		return false;
	if (m->lane.len == 0)
		m->lane = JIC_VIEW(JIC_LANE_MAIN);
	return jic_request_lane_allowed(r, takes ? JIC_SCOPE_WRITE : JIC_SCOPE_READ, m->lane);
}

static void answer_lease(struct jic_request *r, const struct jic_msg_lease *m, const struct jic_digest *id)
{
	const struct jic_lease_asker asker = {.writer = r->caller.id.name, .id = id};
	struct jic_lease_result result;
	struct jic_error err = {0};
	if (!jic_store_lease(r->service->store, m, &asker, &r->service->leases, &r->arena, &result, &err)) {
		jic_respond_error(r, &err);
	} else if (result.too_many) {
		jic_respond_rate_limited(r, TOO_MANY_WAIT_S, "leases at a time");
	} else {
		if (!m->renews)
			atomic_fetch_add(&r->service->metrics->leases[result.answer.state], 1);
		respond_leased(r, &result.answer);
	}
}

void jic_handle_lease(struct jic_request *r)
{
	struct jic_msg_lease m;
	struct jic_digest id;
	struct jic_error err = {0};
	const bool read = jic_msg_lease_read(jic_buf_view(&r->body), &r->arena, &m, &err);
	if (read && !check_request(r, &m))
		return;
	if (!read || !make_id(&id, &err))
		jic_respond_error(r, &err);
	else
		answer_lease(r, &m, m.seconds ? &id : NULL);
}

/* Knowing the id is not enough: a token that may no longer write there has nothing to say of it. */
void jic_handle_lease_end(struct jic_request *r)
{
	const struct jic_digest id = jic_request_digest(r, 0);
	struct jic_view lane;
	struct jic_error err = {0};
	if (!jic_store_lease_lane(r->service->store, &id, &r->arena, &lane, &err)) {
		jic_respond_error(r, &err);
		return;
	}
	if (!jic_request_lane_allowed(r, JIC_SCOPE_WRITE, lane))
		return;
	if (jic_store_lease_end(r->service->store, &id, &err))
		jic_respond_empty(r, 204);
	else
		jic_respond_error(r, &err);
}
