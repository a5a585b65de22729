#include "server/http/page.h"

#include "common/options.h"
#include "server/http/problem.h"

bool jic_page_number(struct jic_request *r, enum jic_query which, uint64_t fallback, uint64_t max, uint64_t *out)
{
	static const char *const names[] = {
#define JIC_QUERY_NAME(NAME, name) [JIC_QUERY_##NAME] = (name),
	    JIC_QUERIES(JIC_QUERY_NAME)
#undef JIC_QUERY_NAME
	};
	*out = fallback;
	if (!r->query[which].len || jic_parse_u64(r->query[which], max, out))
		return true;
	jic_respond_problem(r, JIC_PROBLEM_BAD_REQUEST, "%s: must be a number up to %llu", names[which],
	                    (unsigned long long)max);
	return false;
}

void jic_page_respond(struct jic_request *r, struct jic_json_writer *w, bool ok, const struct jic_error *err)
{
	struct jic_error why = *err;
	if (jic_request_answered(r))
		return;
	if (!ok || !jic_json_finish(w, &why)) {
		jic_respond_error(r, &why);
		return;
	}
	jic_respond_json(r, 200, w->out);
	jic_respond_header(r, "Cache-Control", "no-store");
}

static void put_items(struct jic_json_writer *w, const struct jic_page_list *list)
{
	jic_json_open(w, list->name, '[');
	for (size_t i = 0; i < list->count; i++) {
		jic_json_open(w, NULL, '{');
		list->put(w, list->context, (const char *)list->items + i * list->size);
		jic_json_close(w, '}');
	}
	jic_json_close(w, ']');
	if (list->next_before)
		jic_json_put_u64(w, "next_before", list->next_before);
}

void jic_page_respond_list(struct jic_request *r, const struct jic_page_list *list, bool ok,
                           const struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	struct jic_json_writer w = {.out = &json, .lossy = true};
	jic_json_open(&w, NULL, '{');
	if (ok)
		put_items(&w, list);
	jic_json_close(&w, '}');
	jic_page_respond(r, &w, ok, err);
}

void jic_page_put_lane(struct jic_json_writer *w, const struct jic_visible *v, uint64_t lane_id)
{
	const struct jic_lane *lane = jic_visible_find(v, lane_id);
	jic_json_put_text(w, "lane", lane ? lane->name : JIC_VIEW(""));
}

void jic_page_put_text(struct jic_json_writer *w, const char *name, struct jic_view text)
{
	if (text.len)
		jic_json_put_text(w, name, text);
}

void jic_page_put_provenance(struct jic_json_writer *w, const struct jic_msg_provenance *p)
{
	jic_json_open(w, "provenance", '{');
	jic_page_put_text(w, "host", p->host);
	jic_page_put_text(w, "user", p->user);
	jic_page_put_text(w, "run", p->run);
	jic_page_put_text(w, "client", p->client);
	jic_json_put_u64(w, "created_s", p->created_s);
	jic_json_close(w, '}');
}
