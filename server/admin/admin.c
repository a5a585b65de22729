/* What the commands share. */
#include "server/admin/commands.h"

#include "common/ed25519.h"
#include "common/file.h"
#include "server/auth/token.h"

#include <time.h>

static struct jic_store *open_store(const struct jic_admin *a, bool create,
                                    const struct jic_admin_signatures *signatures, struct jic_error *err)
{
	const char *data = jic_config_text(a->config, JIC_CONFIG_DATA);
	if (!create && !jic_is_dir(data)) {
		(void)jic_fail(err, JIC_ENOTFOUND, "%s: there is no such data directory (--data)", data);
		return NULL;
	}
	return jic_store_open(
	    &(struct jic_store_options){.data_dir = data,
	                                .blob_bytes_max = jic_config_number(a->config, JIC_CONFIG_BLOB_BYTES_MAX),
	                                .store_bytes_max = jic_config_number(a->config, JIC_CONFIG_STORE_BYTES_MAX),
	                                .free_bytes_min = jic_config_number(a->config, JIC_CONFIG_FREE_BYTES_MIN),
	                                .signers = signatures ? signatures->signers : NULL,
	                                .signers_count = signatures ? signatures->signers_count : 0,
	                                .admin = true},
	    err);
}

struct jic_store *jic_admin_open(const struct jic_admin *a, bool create, struct jic_error *err)
{
	return open_store(a, create, NULL, err);
}

struct jic_store *jic_admin_open_for(const struct jic_admin *a, const struct jic_admin_signatures *signatures,
                                     struct jic_error *err)
{
	return open_store(a, false, signatures, err);
}

bool jic_admin_signatures(const struct jic_config *c, struct jic_admin_signatures *out, struct jic_error *err)
{
	const char *lanes = jic_config_path(c, JIC_CONFIG_SIGNED_LANES);
	const char *text = jic_config_path(c, JIC_CONFIG_TRUSTED_KEYS);
	struct jic_public_key keys[JIC_SIGNERS_MAX];
	out->lanes = jic_view_of(lanes ? lanes : "");
	if (lanes && !jic_lane_patterns_check(out->lanes, err))
		return jic_wrap(err, "signatures.lanes");
	if (!jic_public_keys_parse(jic_view_of(text ? text : ""), JIC_SIGNERS_MAX, keys, &out->signers_count, err))
		return jic_wrap(err, "signatures.trusted_keys");
	for (size_t i = 0; i < out->signers_count; i++)
		out->signers[i] = keys[i].key;
	return true;
}

const char *jic_admin_required(const struct jic_admin *a, const char *option, struct jic_error *err)
{
	const char *text = jic_options_text(a->options, option, NULL);
	if (!text)
		(void)jic_fail(err, JIC_EUSAGE, "--%s is missing", option);
	return text;
}

uint64_t jic_admin_now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec > 0 ? (uint64_t)now.tv_sec : 0;
}

void jic_admin_time(uint64_t time_s, const char *never, struct jic_buf *out)
{
	char text[32];
	struct tm parts;
	const time_t t = (time_t)time_s;
	if (time_s == 0)
		jic_buf_puts(out, never);
	else if (gmtime_r(&t, &parts) && strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts) > 0)
		jic_buf_puts(out, text);
	else
		jic_buf_printf(out, "%llu", (unsigned long long)time_s);
}
