#include "client/lib/julia/facts_ask.h"

#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern const char jic_facts_script[]; /* facts.jl */
extern char **environ;

static const char MARKER[] = "\njicache-facts-1 ";
enum { ARGS_MAX = 256, COMPLAINT_BYTES_MAX = 64 * 1024 };

/* ---- the process */

struct child {
	pid_t pid;
	int out, complaints; /* our ends of its standard output and error */
};

/* The environment without JULIA_PROJECT: the answers must not depend on a project. A masquerade is to be Julia only. */
static char **child_environment(void)
{
	static const char *const disable = "JICACHE_DISABLE=1";
	size_t count = 0, kept = 0;
	while (environ[count])
		count++;
	char **copy = calloc(count + 2, sizeof(*copy));
	for (size_t i = 0; copy && i < count; i++) {
		if (strncmp(environ[i], "JULIA_PROJECT=", strlen("JULIA_PROJECT=")) != 0 &&
		    strncmp(environ[i], "JICACHE_DISABLE=", strlen("JICACHE_DISABLE=")) != 0)
			copy[kept++] = environ[i];
	}
	/* execve() takes what it does not change as not const. */
	if (copy)
		memcpy(&copy[kept], &disable, sizeof(char *));
	return copy;
}

/* A group of its own: a launcher's child is ended with it. */
static bool spawn(const char *julia, char *const *argv, int out, int complaints, pid_t *pid, struct jic_error *err)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	jic_autofree char **env = child_environment();
	if (!env || posix_spawn_file_actions_init(&files) != 0)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	if (posix_spawnattr_init(&attributes) != 0) {
		posix_spawn_file_actions_destroy(&files);
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	}
	int failed = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	failed = failed ? failed : posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	failed = failed ? failed : posix_spawn_file_actions_adddup2(&files, complaints, STDERR_FILENO);
	failed = failed ? failed : posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	failed = failed ? failed : posix_spawn(pid, julia, &files, &attributes, argv, env);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	errno = failed;
	return !failed || jic_fail_errno(err, JIC_EIO, "run %s", julia);
}

/* The same option, as far as caches are concerned, without the files that coverage and allocation tracking of all code
 * would leave when the child ends. "user" is none of the child's code. */
static const char *without_files(const char *option)
{
	static const struct {
		const char *starts, *user;
	} tracking[] = {{"--code-coverage=", "--code-coverage=user"},
	                {"--track-allocation=", "--track-allocation=user"}};
	for (size_t i = 0; i < JIC_COUNT(tracking); i++) {
		const size_t len = strlen(tracking[i].starts);
		if (strncmp(option, tracking[i].starts, len) == 0 && strcmp(option + len, "none") != 0)
			return tracking[i].user;
	}
	return option;
}

static bool start(const char *julia, const char *const *args, size_t count, struct child *c, struct jic_error *err)
{
	char *argv[ARGS_MAX + 5];
	size_t n = 0;
	if (count > ARGS_MAX)
		return jic_fail(err, JIC_EUSAGE, "more than %d options for julia", ARGS_MAX);
	/* execve() takes what it does not change as not const. */
	const char *const fixed[] = {"--startup-file=no", "-e", jic_facts_script};
	memcpy(&argv[n++], &julia, sizeof(char *));
	for (size_t i = 0; i < count; i++) {
		const char *harmless = without_files(args[i]);
		memcpy(&argv[n++], &harmless, sizeof(char *));
	}
	for (size_t i = 0; i < JIC_COUNT(fixed); i++)
		memcpy(&argv[n++], &fixed[i], sizeof(char *));
	argv[n] = NULL;
	int out[2], complaints[2];
	if (pipe2(out, O_CLOEXEC) != 0)
		return jic_fail_errno(err, JIC_EIO, "pipe");
	jic_autoclose int out_far = out[1], out_near = out[0];
	if (pipe2(complaints, O_CLOEXEC) != 0)
		return jic_fail_errno(err, JIC_EIO, "pipe");
	jic_autoclose int complaints_far = complaints[1], complaints_near = complaints[0];
	if (!spawn(julia, argv, out_far, complaints_far, &c->pid, err))
		return false;
	c->out = out_near;
	c->complaints = complaints_near;
	out_near = complaints_near = -1;
	return true;
}

/* @return false: the stream has ended */
static bool read_some(int fd, size_t bytes_max, struct jic_buf *out)
{
	char chunk[16 * 1024];
	ssize_t got = read(fd, chunk, sizeof(chunk));
	if (got < 0)
		return errno == EINTR || errno == EAGAIN;
	if (out->len < bytes_max)
		jic_buf_put(out, chunk, (size_t)got);
	return got > 0;
}

/* @return false: the time is over */
static bool collect(const struct child *c, int64_t deadline_ms, struct jic_buf *out, struct jic_buf *complaints)
{
	struct pollfd fds[] = {{.fd = c->out, .events = POLLIN}, {.fd = c->complaints, .events = POLLIN}};
	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		int64_t left = deadline_ms - (int64_t)jic_clock_ms();
		int ready = left > 0 ? poll(fds, JIC_COUNT(fds), (int)left) : 0;
		if (ready == 0)
			return false;
		if (ready < 0)
			continue;
		if (fds[0].revents && !read_some(fds[0].fd, JIC_FACTS_BYTES_MAX, out))
			fds[0].fd = -1;
		if (fds[1].revents && !read_some(fds[1].fd, COMPLAINT_BYTES_MAX, complaints))
			fds[1].fd = -1;
	}
	return true;
}

static struct jic_view last_line(const struct jic_buf *text)
{
	struct jic_view v = jic_buf_view(text);
	while (v.len && (v.ptr[v.len - 1] == '\n' || v.ptr[v.len - 1] == ' '))
		v.len--;
	const char *newline = v.len ? memrchr(v.ptr, '\n', v.len) : NULL;
	v = newline ? jic_view_skip(v, (size_t)(newline - v.ptr) + 1) : v;
	return jic_view_head(v, 200);
}

/* The document is the line behind the marker; a wrapper script may have printed before it. */
static bool take_answer(struct jic_view out, struct jic_buf *answer)
{
	const char *start = out.len ? memmem(out.ptr, out.len, MARKER, strlen(MARKER)) : NULL;
	if (!start)
		return false;
	struct jic_view rest = jic_view_skip(out, (size_t)(start - out.ptr) + strlen(MARKER));
	const char *end = rest.len ? memchr(rest.ptr, '\n', rest.len) : NULL;
	if (!end)
		return false;
	jic_buf_put(answer, rest.ptr, (size_t)(end - rest.ptr));
	return true;
}

bool jic_facts_ask(const char *julia, const char *const *args, size_t args_count, int timeout_ms,
                   struct jic_buf *answer, struct jic_error *err)
{
	struct child c;
	int status = 0;
	JIC_CLEAR(jic_buf) struct jic_buf out = {0};
	JIC_CLEAR(jic_buf) struct jic_buf complaints = {0};
	if (!start(julia, args, args_count, &c, err))
		return false;
	bool in_time = collect(&c, (int64_t)jic_clock_ms() + timeout_ms, &out, &complaints);
	if (!in_time)
		kill(-c.pid, SIGKILL);
	close(c.out);
	close(c.complaints);
	while (waitpid(c.pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!in_time)
		return jic_fail(err, JIC_EPROTOCOL, "%s: no answer within %d seconds", julia, timeout_ms / 1000);
	if (!jic_buf_ok(&out, err))
		return false;
	if (!take_answer(jic_buf_view(&out), answer)) {
		struct jic_view said = last_line(&complaints);
		return jic_fail(err, JIC_EPROTOCOL, "%s: did not answer as Julia does%s" JIC_PRIv, julia,
		                said.len ? ": " : "", JIC_ARGv(said));
	}
	return jic_buf_ok(answer, err);
}

/* ---- the answer */

enum { PATH_BYTES_MAX = 4096, FEATURES_BYTES_MAX = 16 * 1024, TARGET_HEX_MAX = 4096, LIST_MAX = 4096 };

static bool read_texts(const struct jic_json *at, const char *field, struct jic_arena *arena,
                       const struct jic_view **out, size_t *count)
{
	struct jic_json list;
	if (!jic_json_list(at, field, LIST_MAX, &list))
		return false;
	*count = jic_json_count(&list);
	struct jic_view *texts = jic_arena_array(arena, *count + 1, sizeof(*texts));
	*out = texts;
	for (size_t i = 0; texts && i < *count; i++) {
		struct jic_json e = jic_json_element(&list, i);
		if (!jic_json_text(&e, PATH_BYTES_MAX, &texts[i]))
			return false;
	}
	return texts || jic_json_fail(at, JIC_EMEMORY, "out of memory");
}

static bool read_module(const struct jic_json *at, struct jic_ji_module *out)
{
	struct jic_view uuid;
	if (!jic_json_get_text(at, "name", 255, &out->name) || !jic_json_get_text(at, "uuid", JIC_UUID_TEXT, &uuid) ||
	    !jic_json_get_build_id(at, "id", &out->build_id))
		return false;
	return !uuid.len || jic_uuid_parse(uuid, &out->uuid) || jic_json_fail(at, JIC_EFORMAT, "bad UUID");
}

static bool read_modules(const struct jic_json *at, struct jic_arena *arena, struct jic_facts *out)
{
	struct jic_json list;
	if (!jic_json_list(at, "modules", LIST_MAX, &list))
		return false;
	size_t count = jic_json_count(&list);
	struct jic_ji_module *modules = jic_arena_array(arena, count + 1, sizeof(*modules));
	if (!modules)
		return jic_json_fail(at, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; i < count; i++) {
		struct jic_json e = jic_json_element(&list, i);
		if (!read_module(&e, &modules[i]))
			return false;
	}
	out->sysimage_modules = modules;
	out->sysimage_modules_count = count;
	return true;
}

/* Hexadecimal, may be empty. */
static bool read_bytes(const struct jic_json *at, const char *field, struct jic_arena *arena, struct jic_view *out)
{
	struct jic_view hex;
	if (!jic_json_get_text(at, field, TARGET_HEX_MAX, &hex))
		return false;
	char *bytes = jic_arena_alloc(arena, hex.len / 2 + 1);
	if (!bytes)
		return jic_json_fail(at, JIC_EMEMORY, "out of memory");
	if (hex.len % 2 || !jic_unhex(hex, bytes, hex.len / 2))
		return jic_json_fail(at, JIC_EFORMAT, "not hexadecimal");
	*out = jic_view_bytes(bytes, hex.len / 2);
	return true;
}

/* Not of every number, and for 64-bit Julia only: its rules are not those of 32 bits. */
static bool read_hashes(const struct jic_json *at, struct jic_facts *out)
{
	enum { ONE, NO_ELEMENT, ARRAY, ARRAY_ID, DATE, TIME, DATETIME, COUNT };
	uint64_t n[COUNT];
	struct jic_json list;
	if (!jic_json_list(at, "hashes", COUNT, &list) || jic_json_count(&list) != COUNT)
		return jic_json_fail(at, JIC_EFORMAT, "hashes: not as many as there are");
	for (size_t i = 0; i < COUNT; i++) {
		uint8_t bytes[sizeof(n[0])];
		struct jic_view hex;
		struct jic_json e = jic_json_element(&list, i);
		if (!jic_json_text(&e, 2 * sizeof(bytes), &hex))
			return false;
		if (!jic_unhex(hex, bytes, sizeof(bytes)))
			return jic_json_fail(at, JIC_EFORMAT, "hashes: not hexadecimal");
		n[i] = 0;
		for (size_t k = 0; k < sizeof(bytes); k++)
			n[i] = n[i] << 8 | bytes[k];
	}
	out->hashing = jic_julia_hashing_of(&(struct jic_julia_samples){.one = n[ONE],
	                                                                .no_element = n[NO_ELEMENT],
	                                                                .array = n[ARRAY],
	                                                                .array_id = n[ARRAY_ID],
	                                                                .date_type = (uint32_t)n[DATE],
	                                                                .time_type = (uint32_t)n[TIME],
	                                                                .datetime_type = (uint32_t)n[DATETIME]});
	return true;
}

bool jic_facts_read(const struct jic_json *at, struct jic_arena *arena, struct jic_facts *out)
{
	uint64_t word_bits, flags, existing;
	bool ok =
	    jic_json_get_text(at, "version", 128, &out->version_text) &&
	    jic_json_get_text(at, "branch", 255, &out->branch) && jic_json_get_text(at, "commit", 64, &out->commit) &&
	    jic_json_get_text(at, "uname", 64, &out->uname) && jic_json_get_text(at, "arch", 64, &out->arch) &&
	    jic_json_get_text(at, "triplet", 128, &out->triplet) && jic_json_get_u64(at, "word_bits", 64, &word_bits) &&
	    jic_json_get_text(at, "julia_bin", PATH_BYTES_MAX, &out->julia_bin) &&
	    jic_json_get_text(at, "image_file", PATH_BYTES_MAX, &out->image_file) &&
	    jic_json_get_text(at, "bindir", PATH_BYTES_MAX, &out->bindir) &&
	    jic_json_get_text(at, "stdlib_dir", PATH_BYTES_MAX, &out->stdlib_dir) &&
	    read_texts(at, "depot_path", arena, &out->depot_path, &out->depot_path_count) &&
	    read_texts(at, "load_path", arena, &out->load_path, &out->load_path_count) &&
	    jic_json_get_u64(at, "flags", 255, &flags) &&
	    jic_json_get_text(at, "cpu_target", PATH_BYTES_MAX, &out->cpu_target) &&
	    jic_json_get_u64(at, "existing_images", 1, &existing) &&
	    jic_json_get_text(at, "session_target", PATH_BYTES_MAX, &out->session_target) &&
	    read_bytes(at, "jit_target", arena, &out->jit_target) &&
	    jic_json_get_text(at, "cpu_name", 255, &out->cpu_name) &&
	    jic_json_get_text(at, "cpu_features", FEATURES_BYTES_MAX, &out->cpu_features) && read_hashes(at, out) &&
	    read_modules(at, arena, out);
	if (!ok)
		return false;
	out->word_bits = (unsigned)word_bits;
	out->flags = (uint8_t)flags;
	out->existing_images = existing != 0;
	return jic_julia_version_parse(out->version_text, &out->version) ||
	       jic_json_fail(at, JIC_EFORMAT, "version: not a Julia version");
}
