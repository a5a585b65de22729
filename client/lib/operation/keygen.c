/* A new signing key: the private half into a file that only its owner reads, the public half as a word for
 * trusted_keys.
 */
#include "client/lib/session/report.h"
#include "client/lib/session/settings.h"
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

struct keygen {
	struct jic_arena arena;
	const char *path;
	struct jic_view name;
};

/* user@host, of what of it a name may have. */
static struct jic_view default_name(struct jic_arena *arena)
{
	struct passwd entry, *found = NULL;
	char space[4096], host[256] = "", name[JIC_KEY_NAME_BYTES_MAX + 1];
	if (gethostname(host, sizeof host - 1) != 0)
		host[0] = '\0';
	const char *user =
	    getpwuid_r(geteuid(), &entry, space, sizeof space, &found) == 0 && found ? found->pw_name : "key";
	snprintf(name, sizeof name, "%s@%s", user, *host ? host : "localhost");
	for (char *c = name; *c; c++)
		if (!jic_key_name_valid(jic_view_bytes(c, 1)))
			*c = '-';
	return jic_arena_copy(arena, jic_view_of(name));
}

static bool prepare(struct keygen *k, const char *out, const char *name, struct jic_error *err)
{
	struct jic_settings settings;
	const struct jic_session_options none = JIC_SESSION_OPTIONS_INIT;
	k->name = name ? jic_view_of(name) : default_name(&k->arena);
	if (!jic_key_name_valid(k->name))
		return jic_fail(err, JIC_EUSAGE, "\"%s\" is no name of a key: at most %d of letters, digits and ._@-",
		                name, JIC_KEY_NAME_BYTES_MAX);
	k->path = out;
	if (out)
		return true;
	if (!jic_settings_load(&none, &k->arena, &settings, err))
		return false;
	jic_autofree char *dir = jic_path_join(settings.config, "..");
	jic_autofree char *plain = dir ? jic_path_normalise(dir) : NULL;
	if (!plain || !jic_mkdirs(plain, err))
		return plain ? false : jic_fail(err, JIC_EMEMORY, "out of memory");
	k->path = jic_arena_printf(&k->arena, "%s/signing-key.pem", plain).ptr;
	return !k->arena.failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}

/* O_EXCL: a key that exists is never written over, however two keygens race. */
static bool write_key(const char *path, struct jic_view pem, struct jic_error *err)
{
	jic_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return jic_fail(err, JIC_ECONFLICT,
		                "%s exists, and a key is never overwritten: --out names another file", path);
	if (fd < 0)
		return jic_fail_errno(err, JIC_EIO, "%s", path);
	if (jic_write_all(fd, pem.ptr, pem.len, err) && (fsync(fd) == 0 || jic_fail_errno(err, JIC_EIO, "sync")))
		return true;
	unlink(path);
	return jic_wrap(err, "%s", path);
}

static bool make(struct keygen *k, struct jic_buf *public_text, struct jic_report *r, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf pem = {0};
	char id[JIC_KEY_ID_TEXT + 1];
	JIC_AUTO(jic_signing_key) struct jic_signing_key *key = jic_signing_key_new(err);
	if (!key || !jic_signing_key_pem(key, &pem, err))
		return false;
	const bool written = write_key(k->path, jic_buf_view(&pem), err);
	explicit_bzero(pem.ptr, pem.len);
	if (!written)
		return false;
	const struct jic_public_key public_key = {.name = k->name, .key = *jic_signing_key_public(key)};
	jic_public_key_format(&public_key, public_text);
	jic_key_id(&public_key.key, id);
	jic_report_set(r, "file", jic_report_string(jic_view_of(k->path)));
	jic_report_set(r, "public_key", jic_report_string(jic_buf_view(public_text)));
	jic_report_set(r, "key_id", json_string(id));
	return jic_buf_ok(public_text, err);
}

struct jic_report *jic_keygen(const char *out, const char *name, struct jic_error *err)
{
	JIC_AUTO(jic_report) struct jic_report *r = jic_report_new("keygen", err);
	JIC_CLEAR(jic_buf) struct jic_buf public_text = {0};
	struct keygen k = {0};
	const bool done = r && prepare(&k, out, name, err) && make(&k, &public_text, r, err) &&
	                  jic_report_finish(r, err, "private key in %s, readable by you alone", k.path);
	jic_arena_clear(&k.arena);
	return done ? JIC_TAKE(r) : NULL;
}
