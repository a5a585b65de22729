/*
 * GET / and /assets/{file}: the dashboard. Its pages are public, what they show is not: they ask /v1 with the reader's
 * token. The policy leaves nothing to a name that somebody published: no script, style or connection but our own files.
 */
#include "server/http/dashboard.h"

#include "server/http/handlers.h"
#include "server/http/problem.h"

static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static const char no_dashboard[] =
    "<!doctype html>\n<html lang=\"en\">\n<title>jicached</title>\n"
    "<h1>jicached " JIC_VERSION "</h1>\n"
    "<p>The server works. This build has no dashboard, because Node.js and npm were not there when it was built.</p>\n"
    "<p>To get it: install <code>nodejs</code> and <code>npm</code>, and build again "
    "(<code>cmake -DJIC_DASHBOARD=ON</code> insists on it).</p>\n"
    "<p>Without it there are <code>jicached stats</code>, <code>jicached status</code>, "
    "<a href=\"/metrics\">/metrics</a> and <a href=\"/v1/stats\">/v1/stats</a>.</p>\n</html>\n";

static void respond_bytes(struct jic_request *r, const char *type, const void *bytes, size_t len, const char *cache)
{
	struct jic_error err = {0};
	JIC_CLEAR(jic_buf) struct jic_buf body = {0};
	jic_buf_put(&body, bytes, len);
	if (!jic_buf_ok(&body, &err)) {
		jic_respond_error(r, &err);
		return;
	}
	jic_respond_text(r, 200, type, &body);
	jic_respond_header(r, "Cache-Control", "%s", cache);
	jic_respond_header(r, "Content-Security-Policy", "%s", policy);
	jic_respond_header(r, "X-Content-Type-Options", "nosniff");
	jic_respond_header(r, "Referrer-Policy", "no-referrer");
}

static const struct jic_asset *find(struct jic_view name)
{
	for (size_t i = 0; i < jic_assets_count; i++)
		if (jic_view_is(name, jic_assets[i].name))
			return &jic_assets[i];
	return NULL;
}

void jic_handle_dashboard(struct jic_request *r)
{
	const struct jic_asset *page = find(JIC_VIEW("index.html"));
	if (page)
		respond_bytes(r, page->type, page->bytes, page->len, "no-cache");
	else
		respond_bytes(r, "text/html; charset=utf-8", no_dashboard, sizeof no_dashboard - 1, "no-cache");
}

/* Names have a digest of the content in them, so a name's bytes never change. */
void jic_handle_asset(struct jic_request *r)
{
	const struct jic_asset *asset = find(r->parameters[0]);
	if (asset)
		respond_bytes(r, asset->type, asset->bytes, asset->len, "public, max-age=31536000, immutable");
	else
		jic_respond_problem(r, JIC_PROBLEM_NOT_FOUND, "there is no such resource");
}
