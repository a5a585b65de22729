/* GET /v1/packages, /v1/artefacts and /v1/misses: lists with filters, of the lanes that the caller may see. */
#include "server/http/handlers.h"
#include "server/http/page.h"
#include "server/http/problem.h"

#include "server/store/miss.h"

static struct jic_index *index_of(const struct jic_request *r)
{
	return jic_store_index(r->service->store);
}

/* ---- packages */

static bool read_sort(struct jic_request *r, enum jic_packages_sort *out)
{
	static const char *const names[] = {[JIC_PACKAGES_BYTES] = "bytes",
	                                    [JIC_PACKAGES_NAME] = "name",
	                                    [JIC_PACKAGES_ARTEFACTS] = "artefacts",
	                                    [JIC_PACKAGES_COMPILE] = "compile_ms",
	                                    [JIC_PACKAGES_LATEST] = "latest"};
	*out = JIC_PACKAGES_BYTES;
	if (!r->query[JIC_QUERY_SORT].len)
		return true;
	for (size_t i = 0; i < JIC_COUNT(names); i++) {
		*out = (enum jic_packages_sort)i;
		if (jic_view_is(r->query[JIC_QUERY_SORT], names[i]))
			return true;
	}
	jic_respond_problem(r, JIC_PROBLEM_BAD_REQUEST, "sort: must be bytes, name, artefacts, compile_ms or latest");
	return false;
}

static void put_package(struct jic_json_writer *w, const void *context, const void *item)
{
	const struct jic_index_package *p = item;
	(void)context;
	jic_json_put_text(w, "name", p->name);
	jic_json_put_uuid(w, "uuid", p->uuid);
	jic_json_put_u64(w, "lanes", p->lanes);
	jic_json_put_u64(w, "artefacts", p->artefacts);
	jic_json_put_u64(w, "bytes", p->bytes);
	jic_json_put_u64(w, "compile_ms", p->compile_ms);
	jic_json_put_u64(w, "latest_s", p->latest_s);
}

void jic_handle_packages(struct jic_request *r)
{
	struct jic_packages_query query = {.search = r->query[JIC_QUERY_SEARCH]};
	struct jic_visible visible;
	const struct jic_index_package *packages = NULL;
	size_t count = 0;
	struct jic_error err = {0};
	if (!read_sort(r, &query.sort) ||
	    !jic_page_number(r, JIC_QUERY_LIMIT, JIC_PAGE_LIMIT, JIC_PAGE_LIMIT_MAX, &query.limit) ||
	    !jic_page_number(r, JIC_QUERY_OFFSET, 0, INT32_MAX, &query.offset) || !jic_request_visible(r, &visible))
		return;
	query.lanes = jic_visible_lanes(&visible);
	bool ok = index_of(r)->ops->views->packages_list(index_of(r), &query, &r->arena, &packages, &count, &err);
	const struct jic_page_list list = {
	    .name = "packages", .items = packages, .count = count, .size = sizeof *packages, .put = put_package};
	jic_page_respond_list(r, &list, ok, &err);
}

/* ---- artefacts */

static void put_item(struct jic_json_writer *w, const void *visible, const void *item)
{
	const struct jic_index_item *a = item;
	jic_json_put_u64(w, "id", a->id);
	jic_page_put_lane(w, visible, a->lane_id);
	jic_json_put_text(w, "runtime", a->runtime);
	jic_json_put_digest(w, "sysimage", &a->sysimage);
	jic_json_put_digest(w, "key", &a->key);
	jic_json_put_text(w, "name", a->name);
	jic_page_put_text(w, "version", a->version);
	jic_json_put_uuid(w, "uuid", a->uuid);
	jic_json_put_u64(w, "bytes", a->ji_size + a->image_size);
	jic_json_put_bool(w, "has_image", a->image_size > 0);
	jic_json_put_u64(w, "compile_ms", a->compile_ms);
	jic_page_put_text(w, "writer", a->writer);
	jic_json_put_u64(w, "published_s", a->published_s);
	jic_json_put_u64(w, "last_used_s", a->last_used_s);
	jic_page_put_provenance(w, &a->provenance);
}

void jic_handle_artefacts(struct jic_request *r)
{
	struct jic_items_query query = {.package = r->query[JIC_QUERY_PACKAGE], .julia = r->query[JIC_QUERY_JULIA]};
	struct jic_visible visible;
	const struct jic_index_item *items = NULL;
	size_t count = 0;
	struct jic_error err = {0};
	if (!jic_page_number(r, JIC_QUERY_LIMIT, JIC_PAGE_LIMIT, JIC_PAGE_LIMIT_MAX, &query.limit) ||
	    !jic_page_number(r, JIC_QUERY_BEFORE, 0, INT64_MAX, &query.before) || !jic_request_visible(r, &visible))
		return;
	query.lanes = jic_visible_lanes(&visible);
	bool ok = index_of(r)->ops->views->items_list(index_of(r), &query, &r->arena, &items, &count, &err);
	const struct jic_page_list list = {.name = "artefacts",
	                                   .items = items,
	                                   .count = count,
	                                   .size = sizeof *items,
	                                   .put = put_item,
	                                   .context = &visible,
	                                   .next_before =
	                                       ok && count && count == query.limit ? items[count - 1].id : 0};
	jic_page_respond_list(r, &list, ok, &err);
}

/* ---- misses */

static struct jic_view text_of(struct jic_view reason)
{
	for (unsigned i = 0; i < JIC_MISS_COUNT; i++)
		if (jic_view_is(reason, jic_miss_name((enum jic_miss_reason)i)))
			return jic_view_of(jic_miss_text((enum jic_miss_reason)i));
	return JIC_VIEW("");
}

static void put_miss(struct jic_json_writer *w, const void *visible, const void *item)
{
	const struct jic_index_miss *m = item;
	jic_page_put_lane(w, visible, m->lane_id);
	jic_json_put_digest(w, "key", &m->key);
	jic_json_put_text(w, "runtime", m->runtime);
	jic_json_put_digest(w, "sysimage", &m->sysimage);
	jic_json_put_digest(w, "environment", &m->environment);
	jic_page_put_text(w, "name", m->name);
	jic_page_put_text(w, "version", m->version);
	jic_json_put_text(w, "reason", m->reason);
	jic_json_put_text(w, "text", text_of(m->reason));
	jic_page_put_text(w, "near_version", m->near_version);
	jic_page_put_text(w, "near_runtime", m->near_runtime);
	jic_page_put_text(w, "who", m->who);
	jic_json_put_u64(w, "first_s", m->first_s);
	jic_json_put_u64(w, "last_s", m->last_s);
	jic_json_put_u64(w, "times", m->times);
	jic_json_put_bool(w, "stored", m->stored);
}

void jic_handle_misses(struct jic_request *r)
{
	struct jic_visible visible;
	const struct jic_index_miss *misses = NULL;
	uint64_t limit;
	size_t count = 0;
	struct jic_error err = {0};
	if (!jic_page_number(r, JIC_QUERY_LIMIT, JIC_PAGE_LIMIT, JIC_PAGE_LIMIT_MAX, &limit) ||
	    !jic_request_visible(r, &visible))
		return;
	const struct jic_index_lanes lanes = jic_visible_lanes(&visible);
	bool ok = index_of(r)->ops->views->misses_list(index_of(r), &lanes, limit, &r->arena, &misses, &count, &err);
	const struct jic_page_list list = {.name = "misses",
	                                   .items = misses,
	                                   .count = count,
	                                   .size = sizeof *misses,
	                                   .put = put_miss,
	                                   .context = &visible};
	jic_page_respond_list(r, &list, ok, &err);
}
