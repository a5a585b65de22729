/* A linear search over a dozen patterns: cheaper than anything clever, and the table reads like the protocol. */
#include "server/http/route.h"

#include "server/auth/token.h"
#include "server/http/handlers.h"
#include "server/http/header.h"
#include "server/http/metrics.h"
#include "server/http/problem.h"

#include <assert.h>

#define ARTEFACT "/v1/artefacts/{runtime}/{digest}/{digest}"

static const struct jic_route routes[] = {
    {JIC_METHOD_GET, "/v1/info", 0, .run = jic_handle_info},
    {JIC_METHOD_POST, "/v1/resolve", JIC_SCOPE_READ, JIC_REQUEST_JSON, true, .run = jic_handle_resolve},
    {JIC_METHOD_POST, "/v1/explain", JIC_SCOPE_READ, JIC_REQUEST_JSON, true, .run = jic_handle_explain},
    {JIC_METHOD_GET, ARTEFACT, JIC_SCOPE_READ, .deferred = true, .run = jic_handle_artefact},
    {JIC_METHOD_GET, ARTEFACT "/ji", JIC_SCOPE_READ, .deferred = true, .run = jic_handle_artefact_ji},
    {JIC_METHOD_GET, ARTEFACT "/image", JIC_SCOPE_READ, .deferred = true, .run = jic_handle_artefact_image},
    {JIC_METHOD_GET, "/v1/blobs/{digest}", JIC_SCOPE_READ, .deferred = true, .begin = jic_handle_blob_begin,
     .run = jic_handle_blob},
    {JIC_METHOD_PUT, "/v1/blobs/{digest}", JIC_SCOPE_WRITE, JIC_REQUEST_BLOB, true, jic_handle_upload_begin,
     jic_handle_upload_piece, .run = jic_handle_upload},
    {JIC_METHOD_POST, "/v1/blobs/missing", JIC_SCOPE_WRITE, JIC_REQUEST_JSON, true, .run = jic_handle_missing},
    {JIC_METHOD_POST, "/v1/publish", JIC_SCOPE_WRITE, JIC_REQUEST_JSON, true, .run = jic_handle_publish},
    {JIC_METHOD_POST, "/v1/leases", JIC_SCOPE_READ, JIC_REQUEST_JSON, true, .run = jic_handle_lease, .writes = true},
    {JIC_METHOD_DELETE, "/v1/leases/{digest}", JIC_SCOPE_WRITE, .deferred = true, .run = jic_handle_lease_end},
    {JIC_METHOD_GET, ARTEFACT "/about", JIC_SCOPE_READ, .deferred = true, .run = jic_handle_about},
    {JIC_METHOD_GET, "/v1/artefacts", JIC_SCOPE_READ, .deferred = true, .run = jic_handle_artefacts},
    {JIC_METHOD_GET, "/v1/packages", JIC_SCOPE_READ, .deferred = true, .run = jic_handle_packages},
    {JIC_METHOD_GET, "/v1/lanes", JIC_SCOPE_READ, .deferred = true, .run = jic_handle_lanes},
    {JIC_METHOD_GET, "/v1/stats", JIC_SCOPE_READ, .deferred = true, .run = jic_handle_stats},
    {JIC_METHOD_GET, "/v1/stats/history", JIC_SCOPE_READ, .deferred = true, .run = jic_handle_history},
    {JIC_METHOD_GET, "/v1/environments", JIC_SCOPE_READ, .deferred = true, .run = jic_handle_environments},
    {JIC_METHOD_GET, "/v1/environments/{digest}", JIC_SCOPE_READ, .deferred = true, .run = jic_handle_environment},
    {JIC_METHOD_GET, "/v1/misses", JIC_SCOPE_READ, .deferred = true, .run = jic_handle_misses},
    {JIC_METHOD_GET, "/v1/tokens", JIC_SCOPE_ADMIN, .deferred = true, .run = jic_handle_tokens},
    {JIC_METHOD_DELETE, "/v1/tokens/{token}", JIC_SCOPE_ADMIN, .deferred = true, .run = jic_handle_token_revoke},
    {JIC_METHOD_GET, "/metrics", 0, .deferred = true, .run = jic_handle_metrics},
    {JIC_METHOD_GET, "/", 0, .run = jic_handle_dashboard},
    {JIC_METHOD_GET, "/assets/{file}", 0, .run = jic_handle_asset},
    {JIC_METHOD_GET, "/healthz", 0, .run = jic_handle_healthz},
    {JIC_METHOD_GET, "/readyz", 0, .deferred = true, .run = jic_handle_readyz},
};

static const char *const method_names[] = {[JIC_METHOD_GET] = "GET",
                                           [JIC_METHOD_HEAD] = "HEAD",
                                           [JIC_METHOD_PUT] = "PUT",
                                           [JIC_METHOD_POST] = "POST",
                                           [JIC_METHOD_DELETE] = "DELETE"};

static_assert(JIC_COUNT(routes) <= JIC_METRIC_ROUTES_MAX, "there are more routes than metrics.h has room for");

size_t jic_route_index(const struct jic_route *route)
{
	return route ? (size_t)(route - routes) + 1 : 0;
}

struct jic_route_name jic_route_name(size_t index)
{
	if (index == 0 || index > JIC_COUNT(routes))
		return (struct jic_route_name){.pattern = index ? "" : "none", .method = index ? "" : "none"};
	const struct jic_route *route = &routes[index - 1];
	return (struct jic_route_name){.pattern = route->pattern, .method = method_names[route->method]};
}

enum jic_method jic_method_parse(struct jic_view text)
{
	for (size_t i = 0; i < JIC_COUNT(method_names); i++)
		if (jic_view_is(text, method_names[i]))
			return (enum jic_method)i;
	return JIC_METHOD_OTHER;
}

/* The segment that `rest` ("/a/b") begins with; false at the end. */
static bool next_segment(struct jic_view *rest, struct jic_view *segment)
{
	if (rest->len == 0 || rest->ptr[0] != '/')
		return false;
	struct jic_view tail = jic_view_skip(*rest, 1);
	const char *slash = tail.len ? memchr(tail.ptr, '/', tail.len) : NULL;
	*segment = jic_view_head(tail, slash ? (size_t)(slash - tail.ptr) : tail.len);
	*rest = jic_view_skip(tail, segment->len);
	return true;
}

static bool segment_matches(struct jic_view pattern, struct jic_view segment, bool *parameter)
{
	struct jic_digest digest;
	*parameter = true;
	if (jic_view_is(pattern, "{digest}"))
		return jic_digest_parse(segment, &digest);
	if (jic_view_is(pattern, "{runtime}"))
		return jic_runtime_id_valid(segment);
	if (jic_view_is(pattern, "{token}"))
		return jic_token_name_valid(segment);
	if (jic_view_is(pattern, "{file}"))
		return segment.len > 0;
	*parameter = false;
	return jic_view_eq(pattern, segment);
}

static bool path_matches(struct jic_request *r, const char *pattern_text, struct jic_view path)
{
	struct jic_view pattern = jic_view_of(pattern_text), want, have;
	size_t parameters = 0;
	while (next_segment(&pattern, &want)) {
		bool is_parameter;
		if (!next_segment(&path, &have) || !segment_matches(want, have, &is_parameter))
			return false;
		if (is_parameter)
			r->parameters[parameters++] = have;
	}
	return path.len == 0;
}

static void answer_method(struct jic_request *r, unsigned methods)
{
	char allow[32] = "";
	size_t used = 0;
	for (unsigned m = 0; m < JIC_COUNT(method_names); m++)
		if (methods & 1u << m)
			used += (size_t)snprintf(allow + used, sizeof allow - used, "%s%s", used ? ", " : "",
			                         method_names[m]);
	jic_respond_problem(r, JIC_PROBLEM_METHOD_NOT_ALLOWED, "use one of %s", allow);
	jic_respond_header(r, "Allow", "%s", allow);
}

/* "/v2/…" and the like */
static bool other_version(struct jic_view path)
{
	struct jic_view segment;
	if (!next_segment(&path, &segment) || segment.len < 2 || segment.ptr[0] != 'v' || jic_view_is(segment, "v1"))
		return false;
	for (size_t i = 1; i < segment.len; i++)
		if (segment.ptr[i] < '0' || segment.ptr[i] > '9')
			return false;
	return true;
}

static void find_decoded(struct jic_request *r, struct jic_view path)
{
	enum jic_method method = r->method == JIC_METHOD_HEAD ? JIC_METHOD_GET : r->method;
	unsigned methods = 0;
	for (size_t i = 0; i < JIC_COUNT(routes); i++) {
		if (!path_matches(r, routes[i].pattern, path))
			continue;
		methods |= 1u << routes[i].method;
		methods |= routes[i].method == JIC_METHOD_GET ? 1u << JIC_METHOD_HEAD : 0;
		if (routes[i].method == method) {
			r->route = &routes[i];
			return;
		}
	}
	if (methods)
		answer_method(r, methods);
	else if (other_version(path))
		jic_respond_problem(r, JIC_PROBLEM_UNSUPPORTED_VERSION, "this server speaks v1");
	else
		jic_respond_problem(r, JIC_PROBLEM_NOT_FOUND, "there is no such resource");
}

void jic_route_find(struct jic_request *r)
{
	char *decoded = jic_arena_alloc(&r->arena, r->path.len + 1);
	size_t len = 0;
	if (!decoded)
		jic_respond_problem(r, JIC_PROBLEM_OVERLOADED, "out of memory, try again");
	else if (!jic_http_percent_decode(r->path, decoded, &len))
		jic_respond_problem(r, JIC_PROBLEM_BAD_REQUEST, "the path is not well encoded");
	else
		find_decoded(r, jic_view_bytes(decoded, len));
}
