#include "client/lib/session/libcurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static struct {
	pthread_once_t once;
	struct jic_libcurl functions;
	struct jic_error error; /* why it can't be used */
} loaded = {.once = PTHREAD_ONCE_INIT};

static bool find(void *library, const char *name, void *function)
{
	void *found = dlsym(library, name);
	/* A function's address in an object pointer: POSIX says it fits. */
	memcpy(function, &found, sizeof found);
	return found || jic_fail(&loaded.error, JIC_EUNSUPPORTED, "libcurl has no %s", name);
}

static void load(void)
{
	struct jic_libcurl *f = &loaded.functions;
	void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		jic_fail(&loaded.error, JIC_EUNSUPPORTED, "libcurl can't be loaded (is it installed?): %s", dlerror());
		return;
	}
#define X(member, function)                                                                                            \
	if (!find(library, #function, &f->member))                                                                     \
		return;
	JIC_LIBCURL_FUNCTIONS(X)
#undef X
	if (f->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		jic_fail(&loaded.error, JIC_EUNSUPPORTED, "libcurl can't be used: its TLS library does not start");
}

const struct jic_libcurl *jic_libcurl(struct jic_error *err)
{
	pthread_once(&loaded.once, load);
	if (!loaded.error.code)
		return &loaded.functions;
	if (err)
		*err = loaded.error;
	return NULL;
}
