/* jicached status: what a data directory holds. */
#include "server/admin/commands.h"

#include "common/json.h"
#include "server/http/tls.h"

struct status {
	const char *data;
	uint32_t schema;
	struct jic_index_counts counts;
	uint64_t counters[JIC_COUNTER_COUNT];
	const char *certificate; /* NULL: none is configured */
	uint64_t certificate_expires_s;
};

static bool status_json(const struct status *s, struct jic_buf *out, struct jic_error *err)
{
	struct jic_json_writer w = {.out = out};
	jic_json_open(&w, NULL, '{');
	jic_json_put_text(&w, "version", JIC_VIEW(JIC_VERSION));
	jic_json_put_text(&w, "data", jic_view_of(s->data));
	jic_json_put_u64(&w, "schema", s->schema);
	jic_json_put_u64(&w, "lanes", s->counts.lanes);
	jic_json_put_u64(&w, "tokens", s->counts.tokens);
	jic_json_put_u64(&w, "spaces", s->counts.spaces);
	jic_json_put_u64(&w, "artefacts", s->counts.artefacts);
	jic_json_put_u64(&w, "blobs", s->counts.blobs);
	jic_json_put_u64(&w, "blobs_unused", s->counts.blobs_unused);
	jic_json_put_u64(&w, "content_bytes", s->counts.content_bytes);
	jic_json_put_u64(&w, "stored_bytes", s->counts.stored_bytes);
	for (unsigned i = 0; i < JIC_COUNTER_COUNT; i++)
		jic_json_put_u64(&w, jic_counter_name((enum jic_counter)i), s->counters[i]);
	if (s->certificate)
		jic_json_put_u64(&w, "certificate_expires_s", s->certificate_expires_s);
	jic_json_close(&w, '}');
	jic_buf_putc(out, '\n');
	return jic_json_finish(&w, err);
}

static void put_bytes(const char *label, uint64_t bytes, struct jic_buf *out)
{
	jic_buf_printf(out, "%-14s %.1f MiB\n", label, (double)bytes / (1024.0 * 1024.0));
}

/* Those that are not 0: of most there is nothing to say for a long time. */
static void put_counters(const struct status *s, struct jic_buf *out)
{
	static const char *const texts[] = {
#define JIC_COUNTER(NAME, name, text) [JIC_COUNTER_##NAME] = (text),
#include "server/tables/counters.def"
#undef JIC_COUNTER
	};
	for (unsigned i = 0; i < JIC_COUNTER_COUNT; i++)
		if (s->counters[i])
			jic_buf_printf(out, "%-14llu %s\n", (unsigned long long)s->counters[i], texts[i]);
}

static void put_certificate(const struct status *s, struct jic_buf *out)
{
	const bool near = s->certificate_expires_s < jic_admin_now_s() + JIC_CERTIFICATE_WARN_S;
	if (!s->certificate)
		return;
	jic_buf_printf(out, "%-14s %s, valid until ", "certificate", s->certificate);
	jic_admin_time(s->certificate_expires_s, "never", out);
	jic_buf_puts(out, near ? " (WARNING: renew it)\n" : "\n");
}

static void status_text(const struct status *s, struct jic_buf *out)
{
	const struct jic_index_counts *c = &s->counts;
	jic_buf_printf(out, "%-14s %s\n", "data", s->data);
	jic_buf_printf(out, "%-14s %u\n", "schema", s->schema);
	jic_buf_printf(out, "%-14s %llu\n", "lanes", (unsigned long long)c->lanes);
	jic_buf_printf(out, "%-14s %llu\n", "tokens", (unsigned long long)c->tokens);
	jic_buf_printf(out, "%-14s %llu (in %llu runtimes with system images)\n", "artefacts",
	               (unsigned long long)c->artefacts, (unsigned long long)c->spaces);
	jic_buf_printf(out, "%-14s %llu (%llu not used by any artefact)\n", "blobs", (unsigned long long)c->blobs,
	               (unsigned long long)c->blobs_unused);
	put_bytes("content", c->content_bytes, out);
	put_bytes("on disk", c->stored_bytes, out);
	put_counters(s, out);
	put_certificate(s, out);
}

bool jic_cmd_status(const struct jic_admin *a, struct jic_error *err)
{
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, false, err);
	if (!store)
		return false;
	struct jic_index *index = jic_store_index(store);
	struct status s = {.data = jic_config_text(a->config, JIC_CONFIG_DATA)};
	if (!index->ops->schema_version(index, &s.schema, err) || !index->ops->counts(index, &s.counts, err) ||
	    !index->ops->counters_get(index, s.counters, err))
		return false;
	s.certificate = jic_config_path(a->config, JIC_CONFIG_TLS_CERTIFICATE);
	if (s.certificate && !jic_tls_file_expires(s.certificate, &s.certificate_expires_s, err))
		return false;
	if (jic_options_has(a->options, "json"))
		return status_json(&s, a->out, err);
	status_text(&s, a->out);
	return true;
}
