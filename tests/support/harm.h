/** Harm to the bytes of forged packages in a data directory, as a failing disk does it. */
#ifndef JIC_TESTS_HARM_H
#define JIC_TESTS_HARM_H

#include "tests/support/forge.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static inline struct jic_digest blob_of(const struct forged *f)
{
	JIC_CLEAR(jic_buf) struct jic_buf bytes = {0};
	struct jic_digest digest;
	forge_ji(f, &bytes);
	jic_sha256_of(jic_buf_view(&bytes), &digest);
	return digest;
}

/** In at()'s buffers. */
static inline const char *blob_path(const struct temp *dir, const struct forged *f)
{
	char hex[JIC_DIGEST_HEX + 1], name[128];
	struct jic_digest digest = blob_of(f);
	jic_digest_hex(&digest, hex);
	snprintf(name, sizeof name, "blobs/%.2s/%s.zst", hex, hex + 2);
	return at(dir->path, name);
}

static inline void flip_a_bit(const char *path)
{
	jic_autoclose int fd = open(path, O_RDWR);
	struct stat st;
	char byte;
	cr_assert(fd >= 0 && fstat(fd, &st) == 0 && pread(fd, &byte, 1, st.st_size / 2) == 1, "%s", path);
	byte = (char)(byte ^ 4);
	cr_assert_eq(pwrite(fd, &byte, 1, st.st_size / 2), 1);
}

#endif
