/* GET /v1/tokens and DELETE /v1/tokens/{token}: for admins. Secrets are nowhere, so there is nothing to leak here. */
#include "server/auth/token.h"

#include "server/http/handlers.h"
#include "server/http/page.h"
#include "server/http/problem.h"

static void put_token(struct jic_json_writer *w, const struct jic_token *t)
{
	JIC_CLEAR(jic_buf) struct jic_buf scopes = {0};
	jic_scopes_format(t->scopes, &scopes);
	jic_json_open(w, NULL, '{');
	jic_json_put_text(w, "name", t->name);
	jic_json_put_text(w, "can", jic_buf_view(&scopes));
	jic_json_put_text(w, "lanes", t->lanes);
	jic_json_put_u64(w, "created_s", t->created_s);
	jic_json_put_u64(w, "expires_s", t->expires_s);
	jic_json_put_u64(w, "last_used_s", t->last_used_s);
	jic_json_close(w, '}');
}

void jic_handle_tokens(struct jic_request *r)
{
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	struct jic_json_writer w = {.out = &json, .lossy = true};
	struct jic_index *index = jic_store_index(r->service->store);
	const struct jic_token *tokens;
	size_t count;
	struct jic_error err = {0};
	bool ok = index->ops->token_list(index, &r->arena, &tokens, &count, &err);
	jic_json_open(&w, NULL, '{');
	jic_json_open(&w, "tokens", '[');
	for (size_t i = 0; ok && i < count; i++)
		put_token(&w, &tokens[i]);
	jic_json_close(&w, ']');
	jic_json_close(&w, '}');
	jic_page_respond(r, &w, ok, &err);
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
