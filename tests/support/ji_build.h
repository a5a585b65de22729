/**
 * Cache files of any supported Julia, made from the description of the format alone: nothing of common/ji* but the
 * checksum is used, so that reader and builder don't share a mistake. Always the same content:
 *
 *     provides Alpha (and Beta when `two_modules`); entry file and inner.jl (in Alpha.Inner.Deep) with text, data.txt
 *     without; Alpha requires Dates; preferences "backend", "depth"; required Core, Base, Dates; 100 bytes of data
 */
#ifndef JIC_TESTS_JI_BUILD_H
#define JIC_TESTS_JI_BUILD_H

#include "common/buf.h"
#include "common/crc32c.h"
#include "common/ji.h"

struct ji_recipe {
	const char *version;
	const char *uname, *arch; /**< NULL: Linux, x86_64 */
	const char *folder;       /**< of the sources; NULL: "/src/Alpha" */
	bool image;               /**< 1.9+: clone targets, and no data in the file */
	bool no_sources;
	bool two_modules;
	uint16_t format; /**< 0: what the version has */
};

enum { JI_BUILD_DATA_BYTES = 100, JI_BUILD_IMAGE_CRC = 0x1234abcd };
#define JI_BUILD_UUID_HI 0xa1b2c3d400094000u
#define JI_BUILD_UUID_LO 0x800000000000000au

static inline bool ji_build_since(const struct ji_recipe *r, unsigned minor)
{
	struct jic_julia_version v = {0};
	return jic_julia_version_parse(jic_view_of(r->version), &v) && jic_julia_at_least(v, 1, minor, 0);
}

static inline void ji_build_s(struct jic_buf *b, const char *text)
{
	jic_buf_u32le(b, (uint32_t)strlen(text));
	jic_buf_puts(b, text);
}

static inline void ji_build_z(struct jic_buf *b, const char *text)
{
	jic_buf_put(b, text, strlen(text) + 1);
}

static inline void ji_build_set(struct jic_buf *b, size_t at, uint64_t v)
{
	for (size_t i = 0; i < 8; i++)
		b->ptr[at + i] = (char)(uint8_t)(v >> (8 * i));
}

/* Through the last field before the module index. */
static inline void ji_build_record_head(struct jic_buf *b, const struct ji_recipe *r, const char *name, uint64_t size,
                                        uint32_t crc, double mtime)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", r->folder ? r->folder : "/src/Alpha", name);
	ji_build_s(b, path);
	if (ji_build_since(r, 11)) {
		jic_buf_u64le(b, size);
		jic_buf_u32le(b, crc);
	}
	jic_buf_f64le(b, mtime);
}

static inline void ji_build_records(struct jic_buf *b, const struct ji_recipe *r)
{
	double mtime = ji_build_since(r, 11) ? -1.0 : 1700000000.25;
	ji_build_record_head(b, r, "Alpha.jl", 11, 0x11111111, mtime);
	jic_buf_u32le(b, 0);
	/* requires: NUL, UUID low half first, name */
	jic_buf_u32le(b, 17 + 5);
	jic_buf_u8(b, 0);
	jic_buf_u64le(b, 0x98fbdc099432e06au);
	jic_buf_u64le(b, 0xade2ca7038915945u);
	jic_buf_puts(b, "Dates");
	if (ji_build_since(r, 11)) {
		jic_buf_u64le(b, 0);
		jic_buf_u32le(b, 0);
	}
	jic_buf_f64le(b, 0);
	jic_buf_u32le(b, 1);
	jic_buf_u32le(b, 0);
	ji_build_record_head(b, r, "inner.jl", 12, 0x22222222, mtime);
	jic_buf_u32le(b, 1);
	ji_build_s(b, "Inner");
	ji_build_s(b, "Deep");
	jic_buf_u32le(b, 0);
	ji_build_record_head(b, r, "data.txt", 13, 0x33333333, mtime);
	jic_buf_u32le(b, 0);
	jic_buf_u32le(b, 0); /* end */
}

static inline void ji_build_required(struct jic_buf *b, const struct ji_recipe *r)
{
	static const char *const names[] = {"Core", "Base", "Dates"};
	for (uint64_t i = 0; i < 3; i++) {
		ji_build_s(b, names[i]);
		jic_buf_u64le(b, i == 2 ? 0xade2ca7038915945u : 0);
		jic_buf_u64le(b, i == 2 ? 0x98fbdc099432e06au : 0);
		if (ji_build_since(r, 9))
			jic_buf_u64le(b, 0xfdfcfbfa00000000u + i);
		jic_buf_u64le(b, 100 + i);
	}
	jic_buf_u32le(b, 0);
}

static inline void ji_build_source(struct jic_buf *b, const struct ji_recipe *r, const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", r->folder ? r->folder : "/src/Alpha", name);
	ji_build_s(b, path);
	jic_buf_u64le(b, strlen(text));
	jic_buf_puts(b, text);
}

static inline void ji_build_module(struct jic_buf *b, const char *name, uint64_t id)
{
	ji_build_s(b, name);
	jic_buf_u64le(b, JI_BUILD_UUID_HI);
	jic_buf_u64le(b, JI_BUILD_UUID_LO);
	jic_buf_u64le(b, id);
}

static inline void ji_build_prefix(struct jic_buf *b, const struct ji_recipe *r)
{
	uint16_t format = r->format ? r->format : ji_build_since(r, 9) ? 12 : 11;
	jic_buf_put(b, "\373jli\r\n\032\n", 8);
	jic_buf_u8(b, (uint8_t)format);
	jic_buf_u8(b, (uint8_t)(format >> 8));
	jic_buf_u8(b, 0xff);
	jic_buf_u8(b, 0xfe);
	jic_buf_u8(b, 8);
	ji_build_z(b, r->uname ? r->uname : "Linux");
	ji_build_z(b, r->arch ? r->arch : "x86_64");
	ji_build_z(b, r->version);
	ji_build_z(b, "release");
	ji_build_z(b, "0123456789abcdef0123456789abcdef01234567");
}

/* Padding and data; fills in checksum and offsets of the image fields at `fields`. */
static inline void ji_build_data(struct jic_buf *b, const struct ji_recipe *r, size_t fields, size_t align)
{
	char data[JI_BUILD_DATA_BYTES];
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (char)(i * 7);
	if (!ji_build_since(r, 9)) {
		jic_buf_put(b, data, sizeof data);
		return;
	}
	ji_build_set(b, fields + 1, 0xfafbfcfd00000000u | jic_crc32c(0, data, sizeof data));
	if (r->image)
		return;
	while (b->len % align)
		jic_buf_u8(b, 0);
	ji_build_set(b, fields + 9, b->len);
	jic_buf_put(b, data, sizeof data);
	ji_build_set(b, fields + 17, b->len);
}

static inline void ji_build_image_fields(struct jic_buf *b)
{
	jic_buf_u8(b, 0);
	for (int i = 0; i < 3; i++)
		jic_buf_u64le(b, 0);
	jic_buf_u8(b, 0xa3);
}

/** Replace the trailing checksum by the one of what is there now. */
static inline void ji_build_reseal(struct jic_buf *b)
{
	uint32_t crc = jic_crc32c(0, b->ptr, b->len - 4);
	b->len -= 4;
	jic_buf_u32le(b, crc);
}

static inline size_t ji_build_dependencies(struct jic_buf *b, const struct ji_recipe *r)
{
	size_t total_at = b->len;
	jic_buf_u64le(b, 0);
	ji_build_records(b, r);
	if (ji_build_since(r, 6)) {
		ji_build_s(b, "backend");
		ji_build_s(b, "depth");
		jic_buf_u32le(b, 0);
		jic_buf_u64le(b, 0x0123456789abcdefu);
	}
	jic_buf_u64le(b, 0);
	ji_build_set(b, total_at, b->len - total_at - 8);
	return b->len - 8;
}

/** The whole file, appended to an empty buffer. */
static inline void ji_build(struct jic_buf *b, const struct ji_recipe *r)
{
	bool wide = r->uname && strcmp(r->uname, "Darwin") == 0 && r->arch && strcmp(r->arch, "aarch64") == 0;
	ji_build_prefix(b, r);
	size_t fields = b->len;
	if (ji_build_since(r, 9))
		ji_build_image_fields(b);
	ji_build_module(b, "Alpha", 0x77);
	if (r->two_modules)
		ji_build_module(b, "Beta", 0x78);
	jic_buf_u32le(b, 0);
	size_t source_text_at = ji_build_dependencies(b, r);
	ji_build_required(b, r);
	if (ji_build_since(r, 9))
		ji_build_s(b, r->image ? "clone targets" : "");
	ji_build_data(b, r, fields, wide ? 128 : 64);
	if (!r->no_sources) {
		ji_build_set(b, source_text_at, b->len);
		ji_build_source(b, r, "Alpha.jl", "module Alpha");
		ji_build_source(b, r, "inner.jl", "inner() = 1");
		jic_buf_u32le(b, 0);
	}
	if (ji_build_since(r, 9))
		jic_buf_u32le(b, r->image ? JI_BUILD_IMAGE_CRC : 0);
	jic_buf_u32le(b, 0);
	ji_build_reseal(b);
}

static const char *const JI_BUILD_VERSIONS[] = {"1.5.3", "1.6.7",  "1.7.3",  "1.8.5",
                                                "1.9.4", "1.10.5", "1.11.1", "1.12.5"};

#endif
