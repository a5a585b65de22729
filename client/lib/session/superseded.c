/* An empty file in the memory directory, named by what it is about: project, runtime and depot. */
#include "client/lib/session/superseded.h"

#include "common/digest.h"
#include "common/file.h"

#include <unistd.h>

static char *note_path(const struct jic_session *s)
{
	JIC_CLEAR(jic_buf) struct jic_buf about = {0};
	struct jic_view depot = s->facts.depot_path_count ? s->facts.depot_path[0] : JIC_VIEW("");
	jic_buf_putv(&about, s->graph.project_file);
	jic_buf_putc(&about, '\0');
	jic_buf_putv(&about, s->runtime_ids[0]);
	jic_buf_putc(&about, '\0');
	jic_buf_putv(&about, s->options.depot ? jic_view_of(s->options.depot) : depot);
	struct jic_digest digest;
	char hex[JIC_DIGEST_HEX + 1];
	jic_sha256_of(jic_buf_view(&about), &digest);
	jic_digest_hex(&digest, hex);
	return jic_asprintf("%s/superseded/%s", s->settings.memory_dir, hex);
}

bool jic_superseded_noted(const struct jic_session *s)
{
	jic_autofree char *path = note_path(s);
	return path && jic_is_file(path);
}

void jic_superseded_note(const struct jic_session *s)
{
	jic_autofree char *path = note_path(s);
	jic_autofree char *dir = jic_path_join(s->settings.memory_dir, "superseded");
	struct jic_error ignored;
	if (path && dir && jic_mkdirs(dir, &ignored))
		(void)!jic_file_write(path, JIC_VIEW(""), (struct jic_writer_options){.no_sync = true}, &ignored);
}

void jic_superseded_forget(const struct jic_session *s)
{
	jic_autofree char *path = note_path(s);
	if (path)
		unlink(path);
}
