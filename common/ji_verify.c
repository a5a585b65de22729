/* What the bytes prove: trailing checksums, the data's checksum, and that an image and its `.ji` are of one
 * compilation. */
#include "common/ji.h"

#include "common/crc32c.h"
#include "common/elf.h"
#include "common/ji_layout.h"

static bool check_mark(const struct jic_ji *ji, struct jic_error *err)
{
	uint32_t mark = (uint32_t)(ji->checksum >> 32);
	return mark == JIC_JI_CHECKSUM_MARK_PACKAGE ||
	       jic_fail(err, JIC_ECORRUPT, "cache file: checksum is marked %08x instead of %08x", mark,
	                JIC_JI_CHECKSUM_MARK_PACKAGE);
}

static bool check_data_crc(const struct jic_ji *ji, struct jic_view data, struct jic_error *err)
{
	uint32_t crc = jic_crc32c(0, data.ptr, data.len);
	return crc == (uint32_t)ji->checksum ||
	       jic_fail(err, JIC_ECORRUPT, "data has checksum %08x instead of %08x", crc, (uint32_t)ji->checksum);
}

bool jic_ji_verify(const struct jic_ji *ji, struct jic_error *err)
{
	JIC_ASSERT(ji->at.trailer);
	uint32_t crc = jic_crc32c(0, ji->bytes.ptr, ji->bytes.len - 4);
	if (crc != ji->file_crc32c)
		return jic_fail(err, JIC_ECORRUPT, "cache file: checksum is %08x instead of %08x", crc,
		                ji->file_crc32c);
	if (!ji->has_image_fields)
		return true;
	if (!check_mark(ji, err))
		return false;
	if (ji->clone_targets.len)
		return true;
	if (ji->image_crc32c)
		return jic_fail(err, JIC_ECORRUPT, "cache file: has no image, but an image's checksum");
	struct jic_view data = jic_view_bytes(ji->bytes.ptr + ji->data_start, (size_t)(ji->data_end - ji->data_start));
	return check_data_crc(ji, data, err) || jic_wrap(err, "cache file");
}

/* The blob is prefix, image fields, flags, required modules, padding and data; all but the last are those of the `.ji`.
 */
static bool read_blob(const struct jic_ji *ji, struct jic_view blob, struct jic_ji *inner, struct jic_error *err)
{
	struct jic_cursor c = jic_cursor_over(blob);
	struct jic_view required, expected;
	expected = jic_view_bytes(ji->bytes.ptr + ji->at.required, ji->at.clone_targets - ji->at.required);
	if (!jic_view_starts(blob, jic_view_head(ji->bytes, ji->at.image_fields)) ||
	    !jic_cursor_seek(&c, ji->at.image_fields))
		return jic_fail(err, JIC_ECORRUPT, "made by another build of Julia than the cache file");
	*inner = (struct jic_ji){.version = ji->version};
	if (!jic_ji_read_image_fields(&c, inner, err))
		return false;
	if (inner->pkgimage != 1 || inner->checksum != ji->checksum || inner->flags != ji->flags)
		return jic_fail(err, JIC_ECORRUPT, "marker, checksum or flags are not those of the cache file");
	if (!jic_cursor_bytes(&c, expected.len, &required) || !jic_view_eq(required, expected))
		return jic_fail(err, JIC_ECORRUPT, "required modules are not those of the cache file");
	if (inner->data_start < c.pos || inner->data_end < inner->data_start || inner->data_end > blob.len)
		return jic_ji_bad(&c, "offsets of the data are out of place; header ends", err);
	return true;
}

static bool find_blob(struct jic_view image, struct jic_view *blob, struct jic_error *err)
{
	struct jic_elf elf;
	struct jic_view size;
	uint64_t bytes;
	if (!jic_elf_open(image, &elf, err) || !jic_elf_symbol(&elf, "jl_system_image_data", blob, err) ||
	    !jic_elf_symbol(&elf, "jl_system_image_size", &size, err))
		return false;
	struct jic_cursor c = jic_cursor_over(size);
	if (!jic_cursor_u64le(&c, &bytes) || bytes > blob->len)
		return jic_fail(err, JIC_EFORMAT, "jl_system_image_size is larger than the data");
	*blob = jic_view_head(*blob, (size_t)bytes);
	return true;
}

static bool check_blob(const struct jic_ji *ji, struct jic_view image, struct jic_error *err)
{
	struct jic_ji inner = {0};
	struct jic_view blob;
	if (!find_blob(image, &blob, err)) {
		if (err)
			err->code = JIC_EFORMAT; /* not the caller's JIC_ENOTFOUND or JIC_EUNSUPPORTED: the image is
			                            what it is */
		return false;
	}
	if (!read_blob(ji, blob, &inner, err))
		return false;
	size_t bytes = (size_t)(inner.data_end - inner.data_start);
	return check_data_crc(ji, jic_view_bytes(blob.ptr + inner.data_start, bytes), err);
}

/* Mach-O and PE have no reader here, nor has 32-bit ELF. */
static bool has_readable_image(const struct jic_ji *ji)
{
	return ji->pointer_bytes == 8 && !jic_view_is(ji->uname, "Darwin") && !jic_view_is(ji->uname, "NT");
}

bool jic_ji_verify_image(const struct jic_ji *ji, struct jic_view image, const uint32_t *crc32c_known,
                         struct jic_error *err)
{
	JIC_ASSERT(ji->at.trailer);
	if (!ji->clone_targets.len)
		return jic_fail(err, JIC_ECORRUPT, "image: the cache file was made without one");
	uint32_t crc = crc32c_known ? *crc32c_known : jic_crc32c(0, image.ptr, image.len);
	if (crc != ji->image_crc32c)
		return jic_fail(err, JIC_ECORRUPT, "image: checksum is %08x instead of %08x", crc, ji->image_crc32c);
	if (!check_mark(ji, err))
		return false;
	return !has_readable_image(ji) || check_blob(ji, image, err) || jic_wrap(err, "image");
}
