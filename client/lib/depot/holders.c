#include "client/lib/depot/holders.h"

#include <fcntl.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 8192 };

void jic_holders_clear(struct jic_holders *h)
{
	jic_arena_clear(&h->arena);
	free(h->items);
	*h = (struct jic_holders){0};
}

static bool find(const struct jic_holders *h, uint64_t device, uint64_t inode)
{
	size_t cursor = 0;
	uint32_t index;
	while (jic_lookup_next(&h->files, (uint32_t)(inode ^ device << 7), &cursor, &index))
		if (h->items[index].device == device && h->items[index].inode == inode)
			return true;
	return false;
}

static bool add(struct jic_holders *h, const struct stat *st)
{
	const uint64_t device = st->st_dev, inode = st->st_ino;
	if (find(h, device, inode))
		return true;
	if (h->count == h->room) {
		const size_t room = h->room ? h->room * 2 : 64;
		struct jic_held *items = reallocarray(h->items, room, sizeof *items);
		if (!items)
			return false;
		h->items = items;
		h->room = room;
	}
	h->items[h->count] = (struct jic_held){.device = device, .inode = inode};
	return jic_lookup_add(&h->files, &h->arena, (uint32_t)(inode ^ device << 7), (uint32_t)h->count++);
}

struct look {
	struct jic_holders *out;
	const char *below;
};

/* The path of a mapping is the last field and begins with the line's first slash. The file is asked by its path, since
 * some file systems (overlay, btrfs) show another device in the list than stat() does. */
static bool look_at_maps(const struct look *l, const char *process)
{
	jic_autofree char *path = jic_asprintf("/proc/%s/maps", process);
	jic_autofree char *line = NULL;
	size_t room = 0;
	FILE *maps = path ? fopen(path, "re") : NULL;
	bool fine = true;
	while (fine && maps && getline(&line, &room, maps) > 0) {
		char *name = strchr(line, '/');
		struct stat st;
		if (!name || !strstr(name, l->below) || strlen(name) > LINE_BYTES_MAX)
			continue;
		name[strcspn(name, "\n")] = '\0';
		fine = stat(name, &st) != 0 || add(l->out, &st);
	}
	if (maps)
		fclose(maps);
	return fine;
}

static bool look_at_open(void *context, int dirfd, const char *name, struct jic_error *err)
{
	const struct look *l = context;
	char target[LINE_BYTES_MAX];
	struct stat st;
	const ssize_t len = readlinkat(dirfd, name, target, sizeof target - 1);
	if (len <= 0)
		return true;
	target[len] = '\0';
	if (!strstr(target, l->below) || fstatat(dirfd, name, &st, 0) != 0)
		return true;
	return add(l->out, &st) || jic_fail(err, JIC_EMEMORY, "out of memory");
}

static bool look_at_process(void *context, int dirfd, const char *name, struct jic_error *err)
{
	struct look *l = context;
	struct jic_error why = {0};
	(void)dirfd;
	if (name[0] < '1' || name[0] > '9')
		return true;
	jic_autofree char *open_files = jic_asprintf("/proc/%s/fd", name);
	if (!open_files || !look_at_maps(l, name))
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	/* Another user's process, or one that has ended. */
	if (jic_dir_each(open_files, look_at_open, l, &why) || why.code != JIC_EMEMORY)
		return true;
	return jic_fail(err, JIC_EMEMORY, "out of memory");
}

bool jic_holders_look(const char *below, struct jic_holders *out, struct jic_error *err)
{
	struct look l = {.out = out, .below = below};
	*out = (struct jic_holders){0};
	if (!jic_is_dir("/proc/self"))
		return jic_fail(err, JIC_EUNSUPPORTED,
		                "/proc is not mounted: which files running Julias use can't be told");
	return jic_dir_each("/proc", look_at_process, &l, err);
}

bool jic_holders_have(const struct jic_holders *h, const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && find(h, st.st_dev, st.st_ino);
}
