#include "client/lib/depot/cachefile.h"

#include "client/lib/julia/slug.h"

static const char base62[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static bool is_letter(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c >= 0x80;
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

bool jic_cachefile_package_name_valid(struct jic_view name)
{
	if (!name.len || name.len > JIC_CACHEFILE_DIR_NAME_BYTES_MAX || !is_letter((unsigned char)name.ptr[0]))
		return false;
	for (size_t i = 1; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];
		if (!is_letter(c) && !is_digit(c) && c != '!')
			return false;
	}
	return true;
}

struct jic_view jic_cachefile_compiled_dir(struct jic_view depot, struct jic_julia_version v, struct jic_arena *arena)
{
	while (depot.len > 1 && depot.ptr[depot.len - 1] == '/')
		depot.len--;
	return jic_arena_printf(arena, JIC_PRIv "/compiled/v%u.%u", JIC_ARGv(depot), v.major, v.minor);
}

/* Ten digits of base 62 hold 59 bits: two addresses of one package meet by chance once in a billion billion, and then
 * only replace each other. */
static void append_base62(uint64_t x, size_t count, char *out)
{
	for (size_t i = 0; i < count; i++) {
		out[i] = base62[x % 62];
		x /= 62;
	}
	out[count] = '\0';
}

void jic_cachefile_stem(struct jic_uuid uuid, struct jic_view runtime_id, const struct jic_digest *sysimage,
                        const struct jic_digest *key, char stem[JIC_CACHEFILE_STEM_BYTES])
{
	char text[JIC_RUNTIME_ID_BYTES_MAX + 2 * (JIC_DIGEST_HEX + 1)];
	char sysimage_hex[JIC_DIGEST_HEX + 1], key_hex[JIC_DIGEST_HEX + 1];
	jic_digest_hex(sysimage, sysimage_hex);
	jic_digest_hex(key, key_hex);
	JIC_ASSERT(runtime_id.len < JIC_RUNTIME_ID_BYTES_MAX);
	int len = snprintf(text, sizeof text, JIC_PRIv "/%s/%s", JIC_ARGv(runtime_id), sysimage_hex, key_hex);
	struct jic_digest digest;
	jic_sha256_of((struct jic_view){.ptr = text, .len = (size_t)len}, &digest);
	uint64_t x = 0;
	for (size_t i = 0; i < sizeof x; i++)
		x = x << 8 | digest.bytes[i];
	char slug[JIC_SLUG_CHARS_MAX + 1];
	jic_package_slug(uuid, slug);
	memcpy(stem, slug, JIC_CACHEFILE_SLUG);
	stem[JIC_CACHEFILE_SLUG] = '_';
	stem[JIC_CACHEFILE_SLUG + 1] = '0';
	append_base62(x, JIC_CACHEFILE_OURS - 1, stem + JIC_CACHEFILE_SLUG + 2);
}

bool jic_cachefile_is_candidate(struct jic_view file_name, const char slug[JIC_CACHEFILE_SLUG + 1],
                                struct jic_julia_version v)
{
	struct jic_view prefix = {.ptr = slug, .len = JIC_CACHEFILE_SLUG};
	if (file_name.len <= JIC_CACHEFILE_SLUG || !jic_view_starts(file_name, prefix) ||
	    file_name.ptr[JIC_CACHEFILE_SLUG] != '_')
		return false;
	return !jic_julia_at_least(v, 1, 9, 0) || jic_view_ends(file_name, JIC_VIEW(".ji"));
}

bool jic_cachefile_is_ours(struct jic_view file_name)
{
	const size_t len = JIC_CACHEFILE_STEM_BYTES - 1;
	if (file_name.len != len + 3 || !jic_view_ends(file_name, JIC_VIEW(".ji")) ||
	    file_name.ptr[JIC_CACHEFILE_SLUG] != '_' || file_name.ptr[JIC_CACHEFILE_SLUG + 1] != '0')
		return false;
	for (size_t i = 0; i < len; i++)
		if (i != JIC_CACHEFILE_SLUG && !memchr(base62, file_name.ptr[i], sizeof base62 - 1))
			return false;
	return true;
}

struct jic_view jic_cachefile_image_path(struct jic_view ji_path, struct jic_view uname, struct jic_arena *arena)
{
	const char *suffix = jic_view_is(uname, "Darwin") ? "dylib" : jic_view_is(uname, "NT") ? "dll" : "so";
	struct jic_view stem = ji_path;
	if (jic_view_ends(stem, JIC_VIEW(".ji")))
		stem.len -= 3;
	return jic_arena_printf(arena, JIC_PRIv ".%s", JIC_ARGv(stem), suffix);
}
