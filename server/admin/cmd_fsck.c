/* jicached fsck: the store against its own rules. */
#include "server/admin/commands.h"

#include "common/file.h"
#include "common/json.h"
#include "server/store/fsck.h"

/* A repair holds the lock of the data directory, as a server does: it takes out what readers may be reading. */
static struct jic_store *open_store(const struct jic_admin *a, bool repair, struct jic_error *err)
{
	if (!repair)
		return jic_admin_open(a, false, err);
	const struct jic_store_options options = {.data_dir = jic_config_text(a->config, JIC_CONFIG_DATA),
	                                          .blob_bytes_max =
	                                              jic_config_number(a->config, JIC_CONFIG_BLOB_BYTES_MAX)};
	if (jic_is_dir(options.data_dir))
		return jic_store_open(&options, err);
	(void)jic_fail(err, JIC_ENOTFOUND, "%s: there is no such data directory (--data)", options.data_dir);
	return NULL;
}

static bool is_of_blob(const struct jic_fsck_finding *f)
{
	return f->kind != JIC_FSCK_RECORD && f->kind != JIC_FSCK_REQUIRES;
}

static void finding_json(struct jic_json_writer *w, const struct jic_fsck_finding *f)
{
	jic_json_open(w, NULL, '{');
	jic_json_put_text(w, "kind", jic_view_of(jic_fsck_kind_name(f->kind)));
	if (is_of_blob(f)) {
		jic_json_put_digest(w, "blob", &f->blob);
	} else {
		jic_json_put_text(w, "name", f->name);
		jic_json_put_text(w, "lane", f->lane);
		jic_json_put_text(w, "runtime", f->runtime);
		jic_json_put_digest(w, "sysimage", &f->sysimage);
		jic_json_put_digest(w, "key", &f->place.key);
	}
	jic_json_put_text(w, "detail", f->detail);
	jic_json_close(w, '}');
}

static void repair_json(struct jic_json_writer *w, const struct jic_fsck_repair *r)
{
	jic_json_open(w, "repair", '{');
	jic_json_put_u64(w, "withdrawn", r->withdrawn);
	jic_json_put_u64(w, "dependents", r->dependents);
	jic_json_put_u64(w, "quarantined", r->quarantined);
	jic_json_put_u64(w, "recounted", r->recounted);
	jic_json_close(w, '}');
}

/* @param r NULL: nothing was repaired */
static bool print_json(const struct jic_fsck *f, const struct jic_fsck_repair *r, struct jic_buf *out,
                       struct jic_error *err)
{
	struct jic_json_writer w = {.out = out, .lossy = true};
	jic_json_open(&w, NULL, '{');
	jic_json_put_bool(&w, "clean", f->findings_total == 0);
	jic_json_put_u64(&w, "artefacts", f->artefacts);
	jic_json_put_u64(&w, "superseded", f->superseded);
	jic_json_put_u64(&w, "blobs", f->blobs);
	jic_json_put_u64(&w, "stored_bytes", f->stored_bytes);
	jic_json_put_u64(&w, "strays", f->strays);
	jic_json_put_u64(&w, "stray_bytes", f->stray_bytes);
	jic_json_put_u64(&w, "findings_total", f->findings_total);
	jic_json_open(&w, "findings", '[');
	for (size_t i = 0; i < f->findings_count; i++)
		finding_json(&w, &f->findings[i]);
	jic_json_close(&w, ']');
	if (r)
		repair_json(&w, r);
	jic_json_close(&w, '}');
	jic_buf_putc(out, '\n');
	return jic_json_finish(&w, err);
}

static void finding_text(const struct jic_fsck_finding *f, struct jic_buf *out)
{
	char hex[JIC_DIGEST_HEX + 1];
	jic_digest_hex(is_of_blob(f) ? &f->blob : &f->place.key, hex);
	jic_buf_printf(out, "%-16s ", jic_fsck_kind_name(f->kind));
	if (!is_of_blob(f))
		jic_buf_printf(out, JIC_PRIv " in " JIC_PRIv ", " JIC_PRIv ", ", JIC_ARGv(f->name), JIC_ARGv(f->lane),
		               JIC_ARGv(f->runtime));
	jic_buf_printf(out, "%s: " JIC_PRIv "\n", hex, JIC_ARGv(f->detail));
}

static void print_text(const struct jic_fsck *f, const struct jic_fsck_repair *r, struct jic_buf *out)
{
	for (size_t i = 0; i < f->findings_count; i++)
		finding_text(&f->findings[i], out);
	jic_buf_printf(out, "%llu artefacts (%llu superseded), %llu blobs of %.1f MiB: %llu findings\n",
	               (unsigned long long)f->artefacts, (unsigned long long)f->superseded,
	               (unsigned long long)f->blobs, (double)f->stored_bytes / (1024.0 * 1024.0),
	               (unsigned long long)f->findings_total);
	if (f->strays)
		jic_buf_printf(out, "%llu leftovers of %.1f MiB, which the server removes by age\n",
		               (unsigned long long)f->strays, (double)f->stray_bytes / (1024.0 * 1024.0));
	if (r)
		jic_buf_printf(out,
		               "repaired: %llu artefacts withdrawn, %llu that require them, %llu blobs in quarantine, "
		               "%llu recounted\n",
		               (unsigned long long)r->withdrawn, (unsigned long long)r->dependents,
		               (unsigned long long)r->quarantined, (unsigned long long)r->recounted);
}

bool jic_cmd_fsck(const struct jic_admin *a, struct jic_error *err)
{
	const bool repair = jic_options_has(a->options, "repair");
	struct jic_fsck found;
	struct jic_fsck_repair repaired;
	JIC_AUTO(jic_store) struct jic_store *store = open_store(a, repair, err);
	if (!store || !jic_store_fsck(store, a->arena, &found, err) ||
	    (repair && !jic_store_fsck_repair(store, &found, &repaired, err)))
		return false;
	*a->status = found.findings_total ? JIC_EXIT_FAILED : JIC_EXIT_OK;
	if (jic_options_has(a->options, "json"))
		return print_json(&found, repair ? &repaired : NULL, a->out, err);
	print_text(&found, repair ? &repaired : NULL, a->out);
	return true;
}
