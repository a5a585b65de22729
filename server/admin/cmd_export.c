/* jicached export, import: a lane as a tar file, for a server that can't be reached. */
#include "server/admin/commands.h"

#include "common/json.h"
#include "server/admin/output.h"
#include "server/auth/token.h"
#include "server/store/export.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static double mib(uint64_t bytes)
{
	return (double)bytes / (1024.0 * 1024.0);
}

/* ---- export */

/* A set's blobs are open all at once. */
static void allow_open_files(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static bool exported_json(const struct jic_exported *e, struct jic_buf *out, struct jic_error *err)
{
	struct jic_json_writer w = {.out = out};
	jic_json_open(&w, NULL, '{');
	jic_json_put_u64(&w, "sets", e->sets);
	jic_json_put_u64(&w, "artefacts", e->artefacts);
	jic_json_put_u64(&w, "blobs", e->blobs);
	jic_json_put_u64(&w, "bytes", e->bytes);
	jic_json_put_u64(&w, "lost", e->lost);
	jic_json_put_u64(&w, "untold", e->untold);
	jic_json_put_texts(&w, "untold_runtimes", e->runtimes, e->runtimes_count);
	jic_json_close(&w, '}');
	jic_buf_putc(out, '\n');
	return jic_json_finish(&w, err);
}

static void exported_text(const struct jic_exported *e, struct jic_buf *out)
{
	jic_buf_printf(out, "exported: %llu artefacts in %llu sets, %llu blobs of %.1f MiB\n",
	               (unsigned long long)e->artefacts, (unsigned long long)e->sets, (unsigned long long)e->blobs,
	               mib(e->bytes));
	if (e->lost)
		jic_buf_printf(out, "%llu artefacts had no bytes: evicted meanwhile, or run jicached fsck\n",
		               (unsigned long long)e->lost);
	if (e->untold)
		jic_buf_printf(out,
		               "%llu artefacts were published before jicached kept what an export needs to know of "
		               "their Julia; publish anything for it again, then export again:\n",
		               (unsigned long long)e->untold);
	for (size_t i = 0; i < e->runtimes_count; i++)
		jic_buf_printf(out, "  " JIC_PRIv "\n", JIC_ARGv(e->runtimes[i]));
}

bool jic_cmd_export(const struct jic_admin *a, struct jic_error *err)
{
	JIC_CLEAR(jic_output) struct jic_output to = {0};
	JIC_CLEAR(jic_buf) struct jic_buf report = {0};
	struct jic_exported done;
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, false, err);
	if (!store || !jic_output_open(jic_options_text(a->options, "output", "-"), &to, err))
		return false;
	const struct jic_export what = {.lane = jic_view_of(a->options->positional[0]),
	                                .data_dir = jic_config_text(a->config, JIC_CONFIG_DATA),
	                                .fd = to.fd};
	allow_open_files();
	if (!jic_store_export(store, &what, a->arena, &done, err) || !jic_output_commit(&to, err))
		return false;
	*a->status = done.lost || done.untold ? JIC_EXIT_FAILED : JIC_EXIT_OK;
	if (!jic_options_has(a->options, "json"))
		exported_text(&done, &report);
	else if (!exported_json(&done, &report, err))
		return false;
	jic_output_report(&to, &report, a->out);
	return true;
}

/* ---- import */

static bool imported_json(const struct jic_imported *i, struct jic_buf *out, struct jic_error *err)
{
	struct jic_json_writer w = {.out = out};
	jic_json_open(&w, NULL, '{');
	jic_json_put_u64(&w, "sets", i->sets);
	jic_json_put_u64(&w, "skipped", i->skipped);
	jic_json_put_u64(&w, "refused", i->refused);
	jic_json_put_u64(&w, "published", i->published);
	jic_json_put_u64(&w, "existing", i->existing);
	jic_json_put_u64(&w, "superseded", i->superseded);
	jic_json_put_u64(&w, "blobs", i->blobs);
	jic_json_put_u64(&w, "bytes", i->bytes);
	jic_json_close(&w, '}');
	jic_buf_putc(out, '\n');
	return jic_json_finish(&w, err);
}

static void imported_text(const struct jic_imported *i, struct jic_buf *out)
{
	jic_buf_printf(out,
	               "imported: %llu artefacts, %llu blobs of %.1f MiB; %llu were there; "
	               "%llu of %llu sets had nothing new\n",
	               (unsigned long long)i->published, (unsigned long long)i->blobs, mib(i->bytes),
	               (unsigned long long)i->existing, (unsigned long long)i->skipped, (unsigned long long)i->sets);
	if (i->superseded)
		jic_buf_printf(out, "%llu artefacts lost against what was there, or were built on such\n",
		               (unsigned long long)i->superseded);
	if (i->refused)
		jic_buf_printf(out, "%llu sets were refused\n", (unsigned long long)i->refused);
}

static bool signed_only(const void *context, struct jic_view lane)
{
	const struct jic_admin_signatures *s = context;
	return s->lanes.len && jic_lane_patterns_match(s->lanes, lane);
}

static void say_refused(const void *context, const char *why)
{
	(void)context;
	fprintf(stderr, "jicached: %s\n", why);
}

static bool import(const struct jic_admin *a, int fd, const struct jic_admin_signatures *signatures,
                   struct jic_error *err)
{
	const struct jic_import what = {.lane = jic_view_of(jic_options_text(a->options, "lane", "")),
	                                .fd = fd,
	                                .signed_only = signed_only,
	                                .refused = say_refused,
	                                .context = signatures};
	struct jic_imported done;
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open_for(a, signatures, err);
	if (!store)
		return false;
	if (!jic_store_import(store, &what, &done, err))
		return done.sets == 0
		           ? false
		           : jic_wrap(err, "%llu artefacts were imported, and running it again goes on from there",
		                      (unsigned long long)done.published);
	*a->status = done.refused ? JIC_EXIT_FAILED : JIC_EXIT_OK;
	if (jic_options_has(a->options, "json"))
		return imported_json(&done, a->out, err);
	imported_text(&done, a->out);
	return true;
}

bool jic_cmd_import(const struct jic_admin *a, struct jic_error *err)
{
	struct jic_admin_signatures signatures;
	int fd;
	if (!jic_admin_signatures(a->config, &signatures, err) || !jic_input_open(a->options->positional[0], &fd, err))
		return false;
	bool ok = import(a, fd, &signatures, err);
	if (fd != STDIN_FILENO)
		close(fd);
	return ok;
}
