/*
 * Any bytes as an archive of jicached export, into a store of its own. Properties: nothing is called published that is
 * not stored, what is stored is what was published, and no file is made but below the store.
 */
#include "server/store/archive.h"
#include "server/store/export.h"

#include "common/file.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct jic_store *open_store(const char *dir)
{
	const struct jic_store_options options = {.data_dir = dir, .blob_bytes_max = 1 << 20};
	struct jic_store *s = jic_store_open(&options, NULL);
	JIC_ASSERT(s);
	return s;
}

static uint64_t artefacts_in(struct jic_store *s)
{
	struct jic_index *ix = jic_store_index(s);
	struct jic_index_counts counts;
	JIC_ASSERT(ix->ops->counts(ix, &counts, NULL));
	return counts.artefacts;
}

/* A store for each input: what one leaves behind would change what the next one means. */
static void import(int fd)
{
	char dir[] = "/tmp/jic-fuzz-XXXXXX";
	struct jic_error err = {0};
	struct jic_imported done;
	const struct jic_import what = {.fd = fd};
	JIC_ASSERT(mkdtemp(dir));
	struct jic_store *s = open_store(dir);
	bool ok = jic_store_import(s, &what, &done, &err);
	JIC_ASSERT(ok || err.code != JIC_OK);
	JIC_ASSERT(artefacts_in(s) == done.published);
	jic_store_free(s);
	JIC_ASSERT(jic_remove_tree(dir, NULL));
}

/* Names and lists alone, which needs no store and is a thousand times as fast. @return whether there is a header */
static bool walk(int fd)
{
	struct jic_archive_entry entry;
	bool more = true, header = false;
	JIC_AUTO(jic_archive_reader) struct jic_archive_reader *r = jic_archive_reader_new(fd, NULL);
	for (size_t count = 0; r && more && jic_archive_reader_next(r, &entry, &more, NULL) && more; count++) {
		JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
		JIC_CLEAR(jic_buf) struct jic_buf text = {0};
		struct jic_msg_publish set;
		JIC_ASSERT(entry.name[0] && entry.name[0] != '/' && !strstr(entry.name, ".."));
		header = header || (count == 0 && strcmp(entry.name, JIC_EXPORT_HEADER) == 0);
		if (!jic_archive_reader_text(r, 1 << 16, &text, NULL))
			continue;
		JIC_ASSERT(text.len == entry.size);
		if (jic_msg_export_set_read(jic_buf_view(&text), &arena, &set, NULL))
			for (size_t i = 0; i < set.artefacts_count; i++)
				JIC_ASSERT(set.artefacts[i].origin);
	}
	return header;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	jic_autoclose int fd = memfd_create("archive", MFD_CLOEXEC);
	JIC_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
	bool header = walk(fd);
	JIC_ASSERT(lseek(fd, 0, SEEK_SET) == 0);
	if (header)
		import(fd);
	return 0;
}
