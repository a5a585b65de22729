/* A copy of jicache elsewhere counts as itself too: two links to two copies would find each other for ever. */
#include "client/cli/program.h"

#include "common/attr.h"
#include "common/buf.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_program(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static bool is_running(const char *path)
{
	struct stat self, other;
	return stat("/proc/self/exe", &self) == 0 && stat(path, &other) == 0 && self.st_dev == other.st_dev &&
	       self.st_ino == other.st_ino;
}

bool jic_program_is_self(const char *path)
{
	if (is_running(path))
		return true;
	jic_autofree char *resolved = realpath(path, NULL);
	const char *slash = resolved ? strrchr(resolved, '/') : NULL;
	return slash && strcmp(slash + 1, "jicache") == 0;
}

static char *find_on_path(const char *name)
{
	const char *path = getenv("PATH");
	while (path && *path) {
		const char *end = strchrnul(path, ':');
		char *candidate = jic_asprintf("%.*s/%s", (int)(end - path), end > path ? path : ".", name);
		if (candidate && is_program(candidate) && !jic_program_is_self(candidate))
			return candidate;
		free(candidate);
		path = *end ? end + 1 : end;
	}
	return NULL;
}

char *jic_program_find(const char *name)
{
	const char *slash = strrchr(name, '/');
	if (!slash)
		return find_on_path(name);
	if (!is_program(name))
		return NULL;
	return jic_program_is_self(name) ? find_on_path(slash + 1) : strdup(name);
}
