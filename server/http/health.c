/* GET /healthz: the process answers. GET /readyz: the store behind it does too. */
#include "server/http/handlers.h"
#include "server/http/problem.h"

static void respond_ok(struct jic_request *r)
{
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	jic_buf_puts(&json, "{\"status\":\"ok\"}");
	jic_respond_json(r, 200, &json);
	jic_respond_header(r, "Cache-Control", "no-store");
}

void jic_handle_healthz(struct jic_request *r)
{
	respond_ok(r);
}

void jic_handle_readyz(struct jic_request *r)
{
	struct jic_error err = {0};
	if (jic_store_ready(r->service->store, &err)) {
		respond_ok(r);
		return;
	}
	jic_log_error(r->service->log, "http.unready", JIC_STR("request_id", r->id), JIC_STR("error", err.text));
	jic_respond_problem(r, JIC_PROBLEM_OVERLOADED, "the store is not ready");
}
