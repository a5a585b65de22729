/**
 * Which files running processes of this user have open or mapped: /proc/PID/maps and /proc/PID/fd. Processes of other
 * users, and those on other machines of a shared file system, can't be seen.
 */
#ifndef JIC_CLIENT_HOLDERS_H
#define JIC_CLIENT_HOLDERS_H

#include "client/lib/environment/lookup.h"
#include "common/file.h"

#include <jicache/error.h>

struct jic_holders {
	struct jic_arena arena;
	struct jic_lookup files; /**< indices into `items` */
	struct jic_held {
		uint64_t device, inode;
	} * items;
	size_t count, room;
};

/** @param below only files whose path has this in it are of interest: "/compiled/" */
jic_must_check bool jic_holders_look(const char *below, struct jic_holders *out, struct jic_error *err);
void jic_holders_clear(struct jic_holders *h);

/** Is the file at `path` held by a process? False when there is none. */
bool jic_holders_have(const struct jic_holders *h, const char *path);

#endif
