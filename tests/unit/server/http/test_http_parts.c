/* Routes, listening addresses, workers, and the reader that decompresses: the parts below the library. */
#include "server/http/blob_reader.h"
#include "server/http/listen.h"
#include "server/http/route.h"
#include "server/http/work.h"

#include "common/buf.h"
#include "common/file.h"
#include "common/zstream.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- routes */

#define HEX "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define RUNTIME "julia-1.12.0-DEV+3-x86_64-linux-gnu-" HEX

static void jic_request_freep(struct jic_request **r)
{
	jic_request_free(*r);
}

/* 0: a route was found */
static unsigned status_of(const char *method, const char *path)
{
	static const struct jic_log silent = {.fd = -1};
	static const struct jic_http_service service = {.log = &silent};
	__attribute__((cleanup(jic_request_freep))) struct jic_request *r = jic_request_new(&service);
	cr_assert_not_null(r);
	r->method = jic_method_parse(jic_view_of(method));
	r->path = jic_view_of(path);
	jic_route_find(r);
	cr_assert((r->route != NULL) == (r->response.status == 0));
	return r->response.status;
}

Test(route, every_resource_is_found)
{
	cr_assert_eq(status_of("GET", "/v1/info"), 0);
	cr_assert_eq(status_of("HEAD", "/v1/info"), 0);
	cr_assert_eq(status_of("POST", "/v1/resolve"), 0);
	cr_assert_eq(status_of("GET", "/v1/artefacts/" RUNTIME "/" HEX "/" HEX), 0);
	cr_assert_eq(status_of("HEAD", "/v1/artefacts/" RUNTIME "/" HEX "/" HEX "/image"), 0);
	cr_assert_eq(status_of("PUT", "/v1/blobs/" HEX), 0);
	cr_assert_eq(status_of("POST", "/v1/blobs/missing"), 0);
	cr_assert_eq(status_of("GET", "/healthz"), 0);
	cr_assert_eq(status_of("GET", "/%76%31/info"), 0);
}

Test(route, what_is_not_spelled_exactly_is_not_found)
{
	static const char *const paths[] = {"",
	                                    "/assets/",
	                                    "/v1",
	                                    "/v1/",
	                                    "/v1/info/",
	                                    "//v1/info",
	                                    "/v1//info",
	                                    "v1/info",
	                                    "/V1/info",
	                                    "/v1/Info",
	                                    "/v1/../v1/info",
	                                    "/v1/./info",
	                                    "/v1/blobs/",
	                                    "/v1/blobs/..",
	                                    "/v1/blobs/" HEX "/",
	                                    "/v1/blobs/A" HEX,
	                                    "/v1/blobs/../../etc/passwd",
	                                    "/v1/artefacts/../" HEX "/" HEX,
	                                    "/v1/info?x",
	                                    "/v1x/info",
	                                    "/v/info"};
	for (size_t i = 0; i < JIC_COUNT(paths); i++)
		cr_assert_eq(status_of("GET", paths[i]), 404, "%s", paths[i]);
	cr_assert_eq(status_of("GET", "/v1/blobs/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
	             404);
}

Test(route, tricks_of_encoding_are_bad_requests)
{
	cr_assert_eq(status_of("GET", "/v1%2finfo"), 400);
	cr_assert_eq(status_of("GET", "/v1/info%00"), 400);
	cr_assert_eq(status_of("GET", "/v1/%"), 400);
	cr_assert_eq(status_of("GET", "/v1\\info"), 400);
	cr_assert_eq(status_of("GET", "/v1/%252e%252e/info"), 404);
}

Test(route, other_methods_and_versions_are_told_apart)
{
	cr_assert_eq(status_of("DELETE", "/v1/info"), 405);
	cr_assert_eq(status_of("GET", "/v1/publish"), 405);
	cr_assert_eq(status_of("get", "/v1/info"), 405);
	cr_assert_eq(status_of("GET", "/v2/info"), 404);
}

/* ---- listening addresses */

Test(listen, host_and_port_are_split)
{
	char host[JIC_LISTEN_HOST_BYTES_MAX + 1];
	uint16_t port;
	cr_assert(jic_listen_parse(JIC_VIEW("[::1]:80"), host, &port, NULL));
	cr_assert_str_eq(host, "::1");
	cr_assert_eq(port, 80);
	cr_assert(jic_listen_parse(JIC_VIEW(":0"), host, &port, NULL));
	cr_assert_str_eq(host, "127.0.0.1");
	cr_assert_not(jic_listen_parse(JIC_VIEW("::1:80"), host, &port, NULL));
	cr_assert_not(jic_listen_parse(JIC_VIEW("localhost"), host, &port, NULL));
	cr_assert_not(jic_listen_parse(JIC_VIEW("localhost:65536"), host, &port, NULL));
	cr_assert_not(jic_listen_parse(JIC_VIEW("localhost:"), host, &port, NULL));
}

Test(listen, a_port_that_is_taken_is_an_error)
{
	char bound[JIC_LISTEN_TEXT], again[JIC_LISTEN_TEXT];
	struct jic_error err = {0};
	jic_autoclose int fd = jic_listen_open("127.0.0.1:0", bound, &err);
	cr_assert(fd >= 0, "%s", err.text);
	cr_assert_eq(jic_listen_open(bound, again, &err), -1);
	cr_assert(strstr(err.text, "in use"), "%s", err.text);
}

/* ---- workers */

struct counter {
	pthread_mutex_t lock;
	int done;
};

static void count(void *context)
{
	struct counter *c = context;
	pthread_mutex_lock(&c->lock);
	c->done++;
	pthread_mutex_unlock(&c->lock);
}

Test(work, everything_submitted_is_done_before_the_end)
{
	struct counter c = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct jic_work *w = jic_work_new(3, 1000, NULL);
	cr_assert_not_null(w);
	for (int i = 0; i < 1000; i++)
		cr_assert(jic_work_submit(w, JIC_WORK_READ, count, &c));
	jic_work_end(w);
	cr_assert_eq(c.done, 1000);
	cr_assert_not(jic_work_submit(w, JIC_WORK_READ, count, &c));
	jic_work_free(w);
}

Test(work, a_full_queue_refuses)
{
	struct counter c = {.lock = PTHREAD_MUTEX_INITIALIZER};
	pthread_mutex_lock(&c.lock); /* the worker waits in its first job */
	JIC_AUTO(jic_work) struct jic_work *w = jic_work_new(1, 2, NULL);
	int accepted = 0;
	while (accepted < 10 && jic_work_submit(w, JIC_WORK_READ, count, &c))
		accepted++;
	pthread_mutex_unlock(&c.lock);
	cr_assert(accepted >= 2 && accepted <= 3, "%d", accepted);
}

/* ---- the reader */

static int compressed(size_t size)
{
	JIC_CLEAR(jic_buf) struct jic_buf plain = {0};
	JIC_CLEAR(jic_buf) struct jic_buf packed = {0};
	for (size_t i = 0; i < size; i++)
		jic_buf_u8(&plain, (uint8_t)(i * 7 + i / 251));
	cr_assert(jic_zstd_compress(jic_buf_view(&plain), 3, &packed, NULL));
	int fd = memfd_create("blob", 0);
	cr_assert(jic_write_all(fd, packed.ptr, packed.len, NULL));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void read_from(size_t size, size_t first)
{
	struct jic_error err = {0};
	struct jic_blob_reader *r = jic_blob_reader_new(compressed(size), first, &err);
	size_t at = first;
	while (at < size) {
		char out[1000];
		size_t len;
		cr_assert(jic_blob_reader_read(r, out, sizeof out, &len, &err), "%s", err.text);
		for (size_t i = 0; i < len; i++, at++)
			cr_assert_eq((uint8_t)out[i], (uint8_t)(at * 7 + at / 251));
	}
	cr_assert_eq(at, size);
	jic_blob_reader_free(r);
}

Test(blob_reader, content_comes_back_from_any_offset)
{
	read_from(100000, 0);
	read_from(100000, 1);
	read_from(100000, 99999);
	read_from(9 << 20, 8 << 20);
}

Test(blob_reader, the_end_and_broken_bytes_are_errors)
{
	struct jic_error err = {0};
	char out[64];
	size_t len;
	struct jic_blob_reader *r = jic_blob_reader_new(compressed(10), 0, &err);
	cr_assert(jic_blob_reader_read(r, out, sizeof out, &len, &err) && len == 10);
	cr_assert_not(jic_blob_reader_read(r, out, sizeof out, &len, &err));
	cr_assert_eq(err.code, JIC_EFORMAT);
	jic_blob_reader_free(r);
	int fd = memfd_create("blob", 0);
	cr_assert(jic_write_all(fd, "not zstd at all", 15, NULL));
	lseek(fd, 0, SEEK_SET);
	r = jic_blob_reader_new(fd, 0, &err);
	cr_assert_not(jic_blob_reader_read(r, out, sizeof out, &len, &err));
	jic_blob_reader_free(r);
}

static bool read_verified(size_t size, const struct jic_digest *digest, size_t *got, struct jic_error *err)
{
	struct jic_blob_reader *r = jic_blob_reader_new(compressed(size), 0, err);
	bool ok = jic_blob_reader_verify(r, digest, size, err);
	*got = 0;
	while (ok && *got < size) {
		char out[1000];
		size_t len;
		ok = jic_blob_reader_read(r, out, sizeof out, &len, err);
		*got += ok ? len : 0;
	}
	jic_blob_reader_free(r);
	return ok;
}

Test(blob_reader, the_last_bytes_are_given_only_of_what_the_digest_says)
{
	enum { SIZE = 70000 };
	static char plain[SIZE];
	struct jic_error err = {0};
	struct jic_digest digest;
	size_t got;
	for (size_t i = 0; i < SIZE; i++)
		plain[i] = (char)(i * 7 + i / 251);
	jic_sha256_of(jic_view_bytes(plain, SIZE), &digest);
	cr_expect(read_verified(SIZE, &digest, &got, &err), "%s", err.text);
	digest.bytes[3] ^= 1;
	cr_expect_not(read_verified(SIZE, &digest, &got, &err));
	cr_expect_eq(err.code, JIC_ECORRUPT, "%s", err.text);
	cr_expect(got > 0 && got < SIZE, "%zu", got);
}
