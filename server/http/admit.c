/* Who comes in: the gate says who is asking, the route says what that takes. */
#include "server/http/handlers.h"
#include "server/http/problem.h"
#include "server/http/route.h"

static void refuse_unidentified(struct jic_request *r, const struct jic_error *err)
{
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
	else
		check_scope(r);
}
