/* GET /v1/tokens and DELETE /v1/tokens/{token}: for admins. Secrets are nowhere, so there is nothing to leak here. */
#include "server/auth/token.h"

#include "server/http/handlers.h"
#include "server/http/page.h"
#include "server/http/problem.h"

static void put_token(struct jic_json_writer *w, const void *context, const void *item)
{
	const struct jic_token *t = item;
	(void)context;
	JIC_CLEAR(jic_buf) struct jic_buf scopes = {0};
	jic_scopes_format(t->scopes, &scopes);
	jic_json_put_text(w, "name", t->name);
	jic_json_put_text(w, "can", jic_buf_view(&scopes));
	jic_json_put_text(w, "lanes", t->lanes);
	jic_json_put_u64(w, "created_s", t->created_s);
	jic_json_put_u64(w, "expires_s", t->expires_s);
	jic_json_put_u64(w, "last_used_s", t->last_used_s);
}

void jic_handle_tokens(struct jic_request *r)
{
	struct jic_index *index = jic_store_index(r->service->store);
	const struct jic_token *tokens = NULL;
	size_t count = 0;
	struct jic_error err = {0};
	bool ok = index->ops->token_list(index, &r->arena, &tokens, &count, &err);
	const struct jic_page_list list = {
	    .name = "tokens", .items = tokens, .count = count, .size = sizeof *tokens, .put = put_token};
	jic_page_respond_list(r, &list, ok, &err);
}

void jic_handle_token_revoke(struct jic_request *r)
{
	struct jic_index *index = jic_store_index(r->service->store);
	struct jic_error err = {0};
	if (!index->ops->token_delete(index, r->parameters[0], &err)) {
		jic_respond_error(r, &err);
		return;
	}
	jic_log_info(r->service->log, "token.revoke", JIC_STRV("token", r->parameters[0]),
	             JIC_STRV("by", r->caller.id.name), JIC_STR("request_id", r->id));
	jic_respond_empty(r, 204);
}
