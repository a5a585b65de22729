/* jicached backup, restore: copies of a whole data directory. */
#include "server/admin/commands.h"

#include "common/json.h"
#include "server/store/backup.h"
#include "server/store/fsck.h"

static bool print(const struct jic_admin *a, const struct jic_backup *b, const char *done, struct jic_error *err)
{
	if (!jic_options_has(a->options, "json")) {
		jic_buf_printf(a->out, "%s: %llu blobs, %llu of them new (%.1f MiB), %llu removed\n", done,
		               (unsigned long long)b->blobs, (unsigned long long)b->fresh,
		               (double)b->fresh_bytes / (1024.0 * 1024.0), (unsigned long long)b->removed);
		if (b->missing)
			jic_buf_printf(a->out, "%llu blobs have no bytes: run jicached fsck\n",
			               (unsigned long long)b->missing);
		return true;
	}
	struct jic_json_writer w = {.out = a->out};
	jic_json_open(&w, NULL, '{');
	jic_json_put_u64(&w, "blobs", b->blobs);
	jic_json_put_u64(&w, "fresh", b->fresh);
	jic_json_put_u64(&w, "fresh_bytes", b->fresh_bytes);
	jic_json_put_u64(&w, "removed", b->removed);
	jic_json_put_u64(&w, "missing", b->missing);
	jic_json_close(&w, '}');
	jic_buf_putc(a->out, '\n');
	return jic_json_finish(&w, err);
}

bool jic_cmd_backup(const struct jic_admin *a, struct jic_error *err)
{
	struct jic_backup made;
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, false, err);
	if (!store || !jic_store_backup(store, jic_config_text(a->config, JIC_CONFIG_DATA), a->options->positional[0],
	                                &made, err))
		return false;
	*a->status = made.missing ? JIC_EXIT_FAILED : JIC_EXIT_OK;
	return print(a, &made, "copied", err);
}

/* Whatever happened to a backup while it lay somewhere: said now, and not when somebody needs it. */
static bool check(const struct jic_admin *a, struct jic_error *err)
{
	struct jic_fsck found;
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, false, err);
	if (!store || !jic_store_fsck(store, a->arena, &found, err))
		return false;
	return !found.findings_total ||
	       jic_fail(err, JIC_ECORRUPT,
	                "restored, with %llu findings: jicached fsck tells more, and --repair takes them out",
	                (unsigned long long)found.findings_total);
}

bool jic_cmd_restore(const struct jic_admin *a, struct jic_error *err)
{
	struct jic_backup made;
	const char *data = jic_config_text(a->config, JIC_CONFIG_DATA);
	return jic_store_restore(a->options->positional[0], data, &made, err) && check(a, err) &&
	       print(a, &made, "restored", err);
}
