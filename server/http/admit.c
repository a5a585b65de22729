/* Who comes in: the gate says who is asking, the route says what that takes. */
#include "server/http/handlers.h"
#include "server/http/problem.h"
#include "server/http/route.h"

/* @return true when the caller asks too much, and was told so */
static bool is_limited(struct jic_request *r)
{
	enum { US_PER_MS = 1000 };
	const struct jic_rate_caller caller = {.name = r->caller.id.name, .peer = jic_view_of(r->peer)};
	const unsigned wait_s =
	    r->service->rate ? jic_rate_request(r->service->rate, &caller, r->started_us / US_PER_MS) : 0;
	if (wait_s)
		jic_respond_rate_limited(r, wait_s, "requests in a minute");
	return wait_s > 0;
}

/* Whoever tries tokens is nobody yet: that counts for the address. */
static void refuse_unidentified(struct jic_request *r, const struct jic_error *err)
{
	r->caller = (struct jic_caller){0};
	if (is_limited(r))
		return;
	if (err->code == JIC_EDENIED)
		jic_respond_problem(r, JIC_PROBLEM_UNAUTHENTICATED, "%s", err->text);
	else
		jic_respond_error(r, err);
}

static void check_scope(struct jic_request *r)
{
	if (!r->route->scope || jic_identity_may(&r->caller.id, (enum jic_scope)r->route->scope))
		return;
	const char *verb = r->route->scope == JIC_SCOPE_WRITE ? "writing" : "reading";
	if (r->caller.id.kind == JIC_IDENTITY_NONE)
		jic_respond_problem(r, JIC_PROBLEM_UNAUTHENTICATED, "%s needs a token: jicached token create", verb);
	else
		jic_respond_problem(r, JIC_PROBLEM_FORBIDDEN, "the token \"" JIC_PRIv "\" is not for %s",
		                    JIC_ARGv(r->caller.id.name), verb);
}

void jic_request_admit(struct jic_request *r, uint64_t now_s)
{
	struct jic_error err = {0};
	const struct jic_credentials credentials = {
	    .authorization = r->headers.authorization, .certificate = r->certificate, .local = r->local};
	/* As with a token: one that is shown is judged even where none is needed. */
	if (r->certificate_refusal && r->headers.authorization.len == 0) {
		jic_respond_problem(r, JIC_PROBLEM_UNAUTHENTICATED, "%s", r->certificate_refusal);
		return;
	}
	if (!jic_gate_identify(r->service->gate, &credentials, now_s, &r->arena, &r->caller, &err))
		refuse_unidentified(r, &err);
	else if (!r->route->scope || !is_limited(r))
		check_scope(r);
}
