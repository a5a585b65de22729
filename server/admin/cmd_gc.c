/* jicached gc and purge: take out by age and by name. Both say what would go, until they are told to do it. */
#include "server/admin/commands.h"

#include "common/json.h"
#include "server/store/evict.h"
#include "server/store/purge.h"

enum { AGE_SECONDS_MAX = 100 * 366 * 86400u };

/* ---- gc */

static bool gc_age(const struct jic_admin *a, uint64_t *out, struct jic_error *err)
{
	const char *text = jic_options_text(a->options, "older-than", NULL);
	*out = jic_config_number(a->config, JIC_CONFIG_UNUSED_ARTEFACT_AGE);
	if (text && (!jic_parse_duration(jic_view_of(text), AGE_SECONDS_MAX, out) || !*out))
		return jic_fail(err, JIC_EUSAGE, "--older-than takes a time such as 12h, 30d or 26w, not \"%s\"", text);
	return *out ||
	       jic_fail(err, JIC_EUSAGE, "--older-than is missing, and limits.unused_artefact_age is not set either");
}

static bool gc_json(const struct jic_evicted *gone, uint64_t age_s, bool done, struct jic_buf *out,
                    struct jic_error *err)
{
	struct jic_json_writer w = {.out = out};
	jic_json_open(&w, NULL, '{');
	jic_json_put_u64(&w, "older_than_s", age_s);
	jic_json_put_u64(&w, "artefacts", gone->artefacts);
	jic_json_put_u64(&w, "bytes", gone->content_bytes);
	jic_json_put_bool(&w, "done", done);
	jic_json_close(&w, '}');
	jic_buf_putc(out, '\n');
	return jic_json_finish(&w, err);
}

bool jic_cmd_gc(const struct jic_admin *a, struct jic_error *err)
{
	const bool yes = jic_options_has(a->options, "yes");
	struct jic_eviction what = {.now_s = jic_admin_now_s(), .aged = true, .rows_only = true, .dry_run = !yes};
	struct jic_evicted gone;
	if (!gc_age(a, &what.unused_s, err))
		return false;
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, false, err);
	if (!store || !jic_store_evict(store, &what, &gone, err))
		return false;
	if (jic_options_has(a->options, "json"))
		return gc_json(&gone, what.unused_s, yes, a->out, err);
	jic_buf_printf(a->out, "%llu artefacts of %.1f MiB, unused for %llu days or longer, %s\n",
	               (unsigned long long)gone.artefacts, (double)gone.content_bytes / (1024.0 * 1024.0),
	               (unsigned long long)(what.unused_s / 86400), yes ? "are gone" : "would go; --yes does it");
	return jic_buf_ok(a->out, err);
}

/* ---- purge */

bool jic_cmd_purge(const struct jic_admin *a, struct jic_error *err)
{
	const bool yes = jic_options_has(a->options, "yes");
	struct jic_purge what = {.dry_run = !yes};
	struct jic_withdrawn gone;
	if (!jic_purge_parse(jic_view_of(a->options->positional[0]), &what, err))
		return false;
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, false, err);
	if (!store || !jic_store_purge(store, &what, &gone, err))
		return false;
	if (!jic_options_has(a->options, "json")) {
		jic_buf_printf(a->out, "%llu artefacts of %s, and %llu that were built on them, %s\n",
		               (unsigned long long)gone.artefacts, a->options->positional[0],
		               (unsigned long long)gone.dependents, yes ? "are gone" : "would go; --yes does it");
		return jic_buf_ok(a->out, err);
	}
	struct jic_json_writer w = {.out = a->out, .lossy = true};
	jic_json_open(&w, NULL, '{');
	jic_json_put_text(&w, "package", what.package);
	jic_json_put_text(&w, "version", what.version);
	jic_json_put_u64(&w, "artefacts", gone.artefacts);
	jic_json_put_u64(&w, "dependents", gone.dependents);
	jic_json_put_bool(&w, "done", yes);
	jic_json_close(&w, '}');
	jic_buf_putc(a->out, '\n');
	return jic_json_finish(&w, err);
}
