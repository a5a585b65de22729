/* TCP is listen.c's; here is the list, and what is peculiar to unix sockets: they are files, and outlive who made them.
 */
#include "server/http/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACKLOG = 512 };

static void listener_clear(struct jic_listener *l)
{
	if (l->fd >= 0) {
		close(l->fd);
		if (l->path[0])
			unlink(l->path);
	}
	/* The lock's file stays: removing it would let two servers hold a lock each, on files of the same name. */
	if (l->lock_fd >= 0)
		close(l->lock_fd);
	*l = (struct jic_listener){.fd = -1, .lock_fd = -1};
}

void jic_listeners_clear(struct jic_listeners *l)
{
	for (size_t i = 0; i < l->count; i++)
		listener_clear(&l->items[i]);
	l->count = 0;
}

/* ---- unix sockets */

static bool take_lock(struct jic_listener *l, struct jic_error *err)
{
	char path[sizeof l->path + 8];
	snprintf(path, sizeof path, "%s.lock", l->path);
	l->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (l->lock_fd < 0)
		return jic_fail_errno(err, JIC_EIO, "%s", path);
	if (flock(l->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno == EWOULDBLOCK)
		return jic_fail(err, JIC_EBUSY, "another server listens on %s", l->path);
	return jic_fail_errno(err, JIC_EIO, "lock %s", path);
}

/* Somebody who knows nothing of our lock may listen there. */
static bool answers(const struct sockaddr_un *address)
{
	jic_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* EAGAIN: the one who listens has a full queue. */
	return fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN);
}

/* What a crash left is removed; anything but a socket is not ours to remove. */
static bool remove_stale(const struct sockaddr_un *address, struct jic_error *err)
{
	struct stat st;
	if (lstat(address->sun_path, &st) != 0)
		return errno == ENOENT || jic_fail_errno(err, JIC_EIO, "%s", address->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return jic_fail(err, JIC_EUSAGE, "%s exists and is not a socket", address->sun_path);
	if (answers(address))
		return jic_fail(err, JIC_EBUSY, "another server listens on %s", address->sun_path);
	return unlink(address->sun_path) == 0 || jic_fail_errno(err, JIC_EIO, "remove %s", address->sun_path);
}

static bool open_unix(struct jic_view path, unsigned mode, struct jic_listener *l, struct jic_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (path.len == 0 || path.ptr[0] != '/' || path.len >= sizeof address.sun_path ||
	    memchr(path.ptr, '\0', path.len))
		return jic_fail(err, JIC_EUSAGE,
		                "unix:" JIC_PRIv ": the path must be absolute, with less than %zu bytes",
		                JIC_ARGv(path), sizeof address.sun_path);
	memcpy(address.sun_path, path.ptr, path.len);
	memcpy(l->path, address.sun_path, sizeof l->path);
	snprintf(l->text, sizeof l->text, "unix://%s", address.sun_path);
	if (!take_lock(l, err) || !remove_stale(&address, err))
		return false;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Nobody gets in between bind and chmod: connecting is refused before listen. */
	if (l->fd < 0 || bind(l->fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
	    chmod(l->path, (mode_t)mode) != 0 || listen(l->fd, BACKLOG) != 0)
		return jic_fail_errno(err, JIC_EIO, "listen on unix:%s", l->path);
	return true;
}

/* ---- sockets from who started us */

static bool adopt(const struct jic_listeners_options *o, int fd, struct jic_listener *l, struct jic_error *err)
{
	struct sockaddr_un address = {0};
	char bound[JIC_LISTEN_TEXT];
	int listening = 0;
	socklen_t len = sizeof listening;
	*l = (struct jic_listener){.fd = fd, .lock_fd = -1};
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) != 0 || !listening)
		return jic_fail(err, JIC_EUSAGE, "descriptor %d is not a listening socket", fd);
	const int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return jic_fail_errno(err, JIC_EIO, "descriptor %d", fd);
	len = sizeof address;
	if (getsockname(fd, (struct sockaddr *)&address, &len) == 0 && address.sun_family == AF_UNIX) {
		/* `path` stays empty: the file belongs to who made it. */
		snprintf(l->text, sizeof l->text, "unix://%.*s", (int)sizeof address.sun_path, address.sun_path);
		return true;
	}
	l->tls = o->has_certificate;
	if (!jic_listen_describe(fd, bound, err))
		return false;
	snprintf(l->text, sizeof l->text, "%s://%s", l->tls ? "https" : "http", bound);
	return true;
}

static bool adopt_all(const struct jic_listeners_options *o, struct jic_listeners *out, struct jic_error *err)
{
	bool adopted = o->inherited_count <= JIC_LISTENERS_MAX ||
	               jic_fail(err, JIC_EUSAGE, "at most %d sockets to listen on", JIC_LISTENERS_MAX);
	while (adopted && out->count < o->inherited_count) {
		adopted = adopt(o, o->inherited_first + (int)out->count, &out->items[out->count], err);
		out->count++;
	}
	if (!adopted)
		jic_listeners_clear(out);
	return adopted;
}

/* ---- the list */

static bool open_tcp(struct jic_view address, struct jic_listener *l, struct jic_error *err)
{
	char text[JIC_LISTEN_HOST_BYTES_MAX + 16], bound[JIC_LISTEN_TEXT];
	if (address.len >= sizeof text)
		return jic_fail(err, JIC_EUSAGE, "\"" JIC_PRIv "\" is not HOST:PORT", JIC_ARGv(address));
	memcpy(text, address.ptr, address.len);
	text[address.len] = '\0';
	l->fd = jic_listen_open(text, bound, err);
	if (l->fd < 0)
		return false;
	snprintf(l->text, sizeof l->text, "%s://%s", l->tls ? "https" : "http", bound);
	return true;
}

static bool open_one(const struct jic_listeners_options *o, struct jic_view item, struct jic_listener *l,
                     struct jic_error *err)
{
	const struct jic_view local = JIC_VIEW("unix:"), plain = JIC_VIEW("http://"), secure = JIC_VIEW("https://");
	*l = (struct jic_listener){.fd = -1, .lock_fd = -1};
	if (jic_view_starts(item, local)) {
		struct jic_view path = jic_view_skip(item, local.len);
		/* Clients write unix:///run/…; both are understood. */
		return open_unix(jic_view_starts(path, JIC_VIEW("//")) ? jic_view_skip(path, 2) : path, o->socket_mode,
		                 l, err);
	}
	l->tls = jic_view_starts(item, secure) || (o->has_certificate && !jic_view_starts(item, plain));
	if (l->tls && !o->has_certificate)
		return jic_fail(err, JIC_EUSAGE, JIC_PRIv ": https needs tls.certificate and tls.key", JIC_ARGv(item));
	if (jic_view_starts(item, secure))
		item = jic_view_skip(item, secure.len);
	else if (jic_view_starts(item, plain))
		item = jic_view_skip(item, plain.len);
	return open_tcp(item, l, err);
}

static struct jic_view without_spaces(struct jic_view v)
{
	while (v.len > 0 && v.ptr[0] == ' ')
		v = jic_view_skip(v, 1);
	while (v.len > 0 && v.ptr[v.len - 1] == ' ')
		v.len--;
	return v;
}

bool jic_listeners_open(const struct jic_listeners_options *options, struct jic_listeners *out, struct jic_error *err)
{
	struct jic_view list = options->list, item;
	bool opened = true;
	*out = (struct jic_listeners){.count = 0};
	if (options->inherited_count)
		return adopt_all(options, out, err);
	while (opened && jic_view_split(&list, ',', &item)) {
		if (out->count == JIC_LISTENERS_MAX) {
			opened = jic_fail(err, JIC_EUSAGE, "at most %d addresses to listen on", JIC_LISTENERS_MAX);
			break;
		}
		opened = open_one(options, without_spaces(item), &out->items[out->count], err);
		/* What failed half way has something to close too. */
		out->count++;
	}
	if (!opened)
		jic_listeners_clear(out);
	return opened;
}
