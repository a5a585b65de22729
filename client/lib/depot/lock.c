#include "client/lib/depot/lock.h"

#include "client/lib/depot/cachefile.h"
#include "client/lib/julia/slug.h"
#include "common/crc32c.h"
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { HOST_BYTES = 256, PIDFILE_BYTES = 300 };

static void sleep_ms(unsigned ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	nanosleep(&t, NULL);
}

static bool try_flock(int fd, unsigned wait_ms)
{
	for (unsigned waited = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited += JIC_LOCK_POLL_MS) {
		if (errno != EWOULDBLOCK || waited >= wait_ms)
			return false;
		sleep_ms(JIC_LOCK_POLL_MS);
	}
	return true;
}

int jic_lock_depot(const char *compiled_dir, unsigned wait_ms)
{
	jic_autofree char *path = jic_path_join(compiled_dir, ".jicache.lock");
	const int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666) : -1;
	if (fd < 0 || try_flock(fd, wait_ms))
		return fd;
	close(fd);
	return -1;
}

struct jic_view jic_lock_package_path(const struct jic_facts *f, struct jic_view name, struct jic_uuid uuid,
                                      struct jic_arena *arena)
{
	char package[JIC_SLUG_CHARS_MAX + 1], settings[JIC_SLUG_CHARS_MAX + 1];
	const uint8_t no_preferences[8] = {0};
	if (!jic_julia_at_least(f->version, 1, 10, 0) || !f->depot_path_count)
		return (struct jic_view){0};
	uint32_t crc = jic_crc32c(0, f->image_file.ptr, f->image_file.len);
	crc = jic_crc32c(crc, f->julia_bin.ptr, f->julia_bin.len);
	crc = jic_crc32c(crc, &f->flags, 1);
	crc = jic_crc32c(crc, f->cpu_target.ptr, f->cpu_target.len);
	crc = jic_crc32c(crc, no_preferences, sizeof no_preferences);
	jic_package_slug(uuid, package);
	jic_slug(crc, 5, settings);
	struct jic_view dir = jic_cachefile_compiled_dir(f->depot_path[0], f->version, arena);
	return jic_arena_printf(arena, JIC_PRIv "/" JIC_PRIv "/%s_%s.ji.pidfile", JIC_ARGv(dir), JIC_ARGv(name),
	                        package, settings);
}

static void host_name(char host[HOST_BYTES])
{
	host[0] = '\0';
	if (gethostname(host, HOST_BYTES - 1) != 0)
		host[0] = '\0';
	host[HOST_BYTES - 1] = '\0';
}

/* "<pid> <hostname>"; anything else, such as a file that is being written, belongs to nobody known. */
static bool read_holder(const char *path, long *pid, char host[HOST_BYTES])
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	if (!jic_file_read(path, PIDFILE_BYTES, &text, NULL))
		return false;
	return sscanf(jic_buf_str(&text), "%ld %255s", pid, host) == 2 && *pid > 0; /* NOLINT(cert-err34-c): bounded */
}

/* Is the process that holds it gone? Unknown for one on another machine: false. */
static bool holder_is_gone(const char *path)
{
	char here[HOST_BYTES], there[HOST_BYTES];
	long pid;
	if (!read_holder(path, &pid, there))
		return true;
	host_name(here);
	return strcmp(here, there) == 0 && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

/* pidfile.jl:stale_pidfile. */
static bool is_stale(const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return false;
	const double age_s = difftime(time(NULL), st.st_mtim.tv_sec);
	return age_s > JIC_LOCK_STALE_S * JIC_LOCK_STALE_FACTOR || (age_s > JIC_LOCK_STALE_S && holder_is_gone(path));
}

/* 1: created; 0: it exists; −1: it can't be created. */
static int try_create(const char *path)
{
	jic_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (fd < 0)
		return errno == EEXIST ? 0 : -1;
	char host[HOST_BYTES], text[PIDFILE_BYTES];
	host_name(host);
	int len = snprintf(text, sizeof text, "%ld %s", (long)getpid(), host);
	if (len > 0 && jic_write_all(fd, text, (size_t)len, NULL))
		return 1;
	(void)unlink(path);
	return -1;
}

enum jic_lock_result jic_lock_package(const char *pidfile, unsigned wait_ms)
{
	for (unsigned waited = 0;; waited += JIC_LOCK_POLL_MS) {
		int created = try_create(pidfile);
		if (created)
			return created > 0 ? JIC_LOCK_HELD_BY_US : JIC_LOCK_NONE;
		if (is_stale(pidfile)) {
			(void)unlink(pidfile);
			continue;
		}
		if (waited >= wait_ms)
			return JIC_LOCK_BUSY;
		sleep_ms(JIC_LOCK_POLL_MS);
	}
}

/* Somebody else's by now, who took ours for stale. One that can't be read is ours: it is a moment old. */
static bool has_other_holder(const char *pidfile)
{
	char here[HOST_BYTES], there[HOST_BYTES];
	long pid;
	host_name(here);
	return read_holder(pidfile, &pid, there) && (pid != (long)getpid() || strcmp(here, there) != 0);
}

void jic_lock_package_release(const char *pidfile)
{
	if (!has_other_holder(pidfile))
		(void)unlink(pidfile);
}
