/* jicached backup, restore: copies of a whole data directory. */
#include "server/admin/commands.h"

#include "common/file.h"
#include "common/json.h"
#include "server/admin/output.h"
#include "server/store/backup.h"
#include "server/store/fsck.h"

#include <unistd.h>

static bool print(const struct jic_admin *a, const struct jic_backup *b, const char *done, struct jic_buf *out,
                  struct jic_error *err)
{
	if (!jic_options_has(a->options, "json")) {
		jic_buf_printf(out, "%s: %llu blobs, %llu of them new (%.1f MiB), %llu removed\n", done,
		               (unsigned long long)b->blobs, (unsigned long long)b->fresh,
		               (double)b->fresh_bytes / (1024.0 * 1024.0), (unsigned long long)b->removed);
		if (b->missing)
			jic_buf_printf(out, "%llu blobs have no bytes: run jicached fsck\n",
			               (unsigned long long)b->missing);
		return true;
	}
	struct jic_json_writer w = {.out = out};
	jic_json_open(&w, NULL, '{');
	jic_json_put_u64(&w, "blobs", b->blobs);
	jic_json_put_u64(&w, "fresh", b->fresh);
	jic_json_put_u64(&w, "fresh_bytes", b->fresh_bytes);
	jic_json_put_u64(&w, "removed", b->removed);
	jic_json_put_u64(&w, "missing", b->missing);
	jic_json_close(&w, '}');
	jic_buf_putc(out, '\n');
	return jic_json_finish(&w, err);
}

/* ---- backup */

static bool is_archive(const char *path)
{
	return strcmp(path, "-") == 0 || (jic_view_ends(jic_view_of(path), JIC_VIEW(".tar")) && !jic_is_dir(path));
}

static bool backup_folder(const struct jic_admin *a, struct jic_store *store, const char *path, struct jic_error *err)
{
	struct jic_backup made;
	if (!jic_store_backup(store, jic_config_text(a->config, JIC_CONFIG_DATA), path, &made, err))
		return false;
	*a->status = made.missing ? JIC_EXIT_FAILED : JIC_EXIT_OK;
	return print(a, &made, "copied", a->out, err);
}

static bool backup_file(const struct jic_admin *a, struct jic_store *store, const char *path, struct jic_error *err)
{
	JIC_CLEAR(jic_output) struct jic_output to = {0};
	JIC_CLEAR(jic_buf) struct jic_buf report = {0};
	const char *data = jic_config_text(a->config, JIC_CONFIG_DATA);
	struct jic_backup made;
	if (!jic_output_open(path, &to, err) || !jic_store_backup_file(store, data, to.fd, &made, err) ||
	    !jic_output_commit(&to, err) || !print(a, &made, "copied", &report, err))
		return false;
	*a->status = made.missing ? JIC_EXIT_FAILED : JIC_EXIT_OK;
	jic_output_report(&to, &report, a->out);
	return true;
}

bool jic_cmd_backup(const struct jic_admin *a, struct jic_error *err)
{
	const char *output = jic_options_text(a->options, "output", NULL);
	const char *path = a->options->positional_count ? a->options->positional[0] : output;
	if (!path || (output && path != output))
		return jic_fail(err, JIC_EUSAGE,
		                "name one place: a directory, a file that ends in .tar, or --output FILE");
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, false, err);
	if (!store)
		return false;
	return output || is_archive(path) ? backup_file(a, store, path, err) : backup_folder(a, store, path, err);
}

/* ---- restore */

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

static bool restore_file(const char *path, const char *data, struct jic_backup *made, struct jic_error *err)
{
	int fd;
	if (!jic_input_open(path, &fd, err))
		return false;
	bool ok = jic_store_restore_file(fd, data, made, err);
	if (fd != STDIN_FILENO)
		close(fd);
	return ok;
}

bool jic_cmd_restore(const struct jic_admin *a, struct jic_error *err)
{
	struct jic_backup made;
	const char *data = jic_config_text(a->config, JIC_CONFIG_DATA), *path = a->options->positional[0];
	bool ok = is_archive(path) || jic_is_file(path) ? restore_file(path, data, &made, err)
	                                                : jic_store_restore(path, data, &made, err);
	return ok && check(a, err) && print(a, &made, "restored", a->out, err);
}
