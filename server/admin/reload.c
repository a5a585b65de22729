/* New settings are read whole and found to make sense before the first of them is passed on. */
#include "server/admin/reload.h"

const struct jic_config *jic_reload_current(const struct jic_reload *r)
{
	return r->read ? &r->config : r->started;
}

void jic_reload_clear(struct jic_reload *r)
{
	jic_arena_clear(&r->arena);
	r->read = false;
}

bool jic_config_log_level(const struct jic_config *c, enum jic_log_level *out, struct jic_error *err)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	const char *text = jic_config_text(c, JIC_CONFIG_LOG_LEVEL);
	for (size_t i = 0; i < JIC_COUNT(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = (enum jic_log_level)i;
			return true;
		}
	}
	return jic_fail(err, JIC_EUSAGE, "log_level must be error, warn, info or debug, not \"%s\"", text);
}

static void apply(const struct jic_reload *r, const struct jic_config *c, enum jic_log_level level)
{
	jic_log_set_level(r->log, level);
	jic_gate_set_readers(r->gate, jic_config_is(c, JIC_CONFIG_REQUIRE_TOKEN),
	                     jic_config_is(c, JIC_CONFIG_ANONYMOUS_READ));
	r->load->bodies_bytes_max = jic_config_number(c, JIC_CONFIG_BODIES_BYTES_MAX);
	r->load->uploads_max = (unsigned)jic_config_number(c, JIC_CONFIG_UPLOADS_MAX);
	jic_store_set_limits(r->store, jic_config_number(c, JIC_CONFIG_STORE_BYTES_MAX),
	                     jic_config_number(c, JIC_CONFIG_FREE_BYTES_MIN));
	jic_keeper_set_age(r->keeper, jic_config_number(c, JIC_CONFIG_UNUSED_ARTEFACT_AGE));
	jic_scrub_set_speed(r->scrub, jic_config_number(c, JIC_CONFIG_SCRUB_BYTES_PER_SECOND),
	                    jic_config_number(c, JIC_CONFIG_SCRUB_BYTES_PER_DAY));
}

/* As values, not as texts: "60s" is "1m". */
static bool differs(const struct jic_config *a, const struct jic_config *b, enum jic_config_name name)
{
	JIC_CLEAR(jic_buf) struct jic_buf one = {0};
	JIC_CLEAR(jic_buf) struct jic_buf other = {0};
	jic_config_value_put(a, name, &one);
	jic_config_value_put(b, name, &other);
	return !jic_view_eq(jic_buf_view(&one), jic_buf_view(&other));
}

static void tell_one(const struct jic_reload *r, const struct jic_config *c, enum jic_config_name name)
{
	const struct jic_setting setting = jic_config_setting(name);
	JIC_CLEAR(jic_buf) struct jic_buf value = {0};
	JIC_CLEAR(jic_buf) struct jic_buf where = {0};
	if (!differs(c, setting.reloadable ? jic_reload_current(r) : r->started, name))
		return;
	jic_config_value_put(c, name, &value);
	jic_config_source(c, name, &where);
	if (setting.reloadable)
		jic_log_info(r->log, "config.changed", JIC_STR("key", setting.key),
		             JIC_STRV("value", jic_buf_view(&value)), JIC_STRV("where", jic_buf_view(&where)));
	else
		jic_log_warn(r->log, "config.needs-restart", JIC_STR("key", setting.key),
		             JIC_STRV("value", jic_buf_view(&value)), JIC_STRV("where", jic_buf_view(&where)));
}

bool jic_reload_config(struct jic_reload *r, struct jic_error *err)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_config config;
	enum jic_log_level level = JIC_LOG_INFO;
	if (!jic_config_load(r->options, getenv, &arena, &config, err) || !jic_config_log_level(&config, &level, err))
		return false;
	for (unsigned i = 0; i < JIC_CONFIG_COUNT; i++)
		tell_one(r, &config, (enum jic_config_name)i);
	apply(r, &config, level);
	jic_arena_clear(&r->arena);
	r->arena = arena;
	arena = (struct jic_arena){0};
	r->config = config;
	r->read = true;
	return true;
}
