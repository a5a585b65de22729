/**
 * The functions of libcurl that are used, loaded when a server is to be asked.
 *
 * libcurl brings some thirty libraries with it, and loading them takes longer than finding out that all of an
 * environment's caches are here, which is what nearly every run does. It is loaded by its ABI's name (libcurl.so.4, the
 * same since 2006): within a Julia that has a libcurl of its own, that one is taken, and no second one beside it.
 */
#ifndef JIC_CLIENT_LIBCURL_H
#define JIC_CLIENT_LIBCURL_H

#include <curl/curl.h>
#include <jicache/error.h>

/* The header's macros of these names check types and then call by name. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

#define JIC_LIBCURL_FUNCTIONS(X)                                                                                       \
	X(global_init, curl_global_init)                                                                               \
	X(easy_init, curl_easy_init)                                                                                   \
	X(easy_cleanup, curl_easy_cleanup)                                                                             \
	X(easy_setopt, curl_easy_setopt)                                                                               \
	X(easy_getinfo, curl_easy_getinfo)                                                                             \
	X(easy_perform, curl_easy_perform)                                                                             \
	X(easy_strerror, curl_easy_strerror)                                                                           \
	X(slist_append, curl_slist_append)                                                                             \
	X(slist_free_all, curl_slist_free_all)                                                                         \
	X(getdate, curl_getdate)

struct jic_libcurl {
#define X(member, function) __typeof__(&function) member;
	JIC_LIBCURL_FUNCTIONS(X)
#undef X
};

/** Loads it once, for the life of the process. Safe to call from several threads.
 * @return NULL with JIC_EUNSUPPORTED: it is not installed, or too old */
const struct jic_libcurl *jic_libcurl(struct jic_error *err);

#endif
