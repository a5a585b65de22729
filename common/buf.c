/* The growing buffer: doubles, never shrinks, remembers that it ran out of memory. */
#include "common/buf.h"

#include <stdarg.h>
#include <unistd.h>

void jic_buf_clear(struct jic_buf *b)
{
	free(b->ptr);
	*b = (struct jic_buf){0};
}

void jic_buf_reset(struct jic_buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->ptr)
		b->ptr[0] = '\0';
}

bool jic_buf_reserve(struct jic_buf *b, size_t more)
{
	size_t need;
	if (b->failed)
		return false;
	if (__builtin_add_overflow(b->len, more, &need) || need > SIZE_MAX / 2 - 1) {
		b->failed = true;
		return false;
	}
	if (need <= b->cap && b->ptr)
		return true;
	size_t cap = b->cap ? b->cap : 64;
	while (cap < need)
		cap *= 2;
	char *grown = realloc(b->ptr, cap + 1);
	if (!grown) {
		b->failed = true;
		return false;
	}
	b->ptr = grown;
	b->cap = cap;
	b->ptr[b->len] = '\0';
	return true;
}

void jic_buf_put(struct jic_buf *b, const void *bytes, size_t len)
{
	if (!jic_buf_reserve(b, len))
		return;
	if (len)
		memcpy(b->ptr + b->len, bytes, len);
	b->len += len;
	b->ptr[b->len] = '\0';
}

void jic_buf_puts(struct jic_buf *b, const char *text)
{
	jic_buf_put(b, text, strlen(text));
}

void jic_buf_putv(struct jic_buf *b, struct jic_view v)
{
	jic_buf_put(b, v.ptr, v.len);
}

void jic_buf_putc(struct jic_buf *b, char c)
{
	jic_buf_put(b, &c, 1);
}

__attribute__((format(printf, 2, 0))) static int print_into(struct jic_buf *b, const char *format, va_list args)
{
	size_t room = b->cap - b->len + 1;
	return vsnprintf(b->ptr + b->len, room, format, args);
}

void jic_buf_printf(struct jic_buf *b, const char *format, ...)
{
	if (!jic_buf_reserve(b, 64))
		return;
	va_list args;
	va_start(args, format);
	int need = print_into(b, format, args);
	va_end(args);
	if (need < 0) {
		b->failed = true;
		return;
	}
	if ((size_t)need > b->cap - b->len) {
		if (!jic_buf_reserve(b, (size_t)need))
			return;
		va_start(args, format);
		need = print_into(b, format, args);
		va_end(args);
	}
	b->len += (size_t)need;
}

void jic_buf_u8(struct jic_buf *b, uint8_t v)
{
	jic_buf_put(b, &v, 1);
}

void jic_buf_u32le(struct jic_buf *b, uint32_t v)
{
	uint8_t bytes[4];
	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(v >> (8 * i));
	jic_buf_put(b, bytes, sizeof bytes);
}

void jic_buf_u64le(struct jic_buf *b, uint64_t v)
{
	uint8_t bytes[8];
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(v >> (8 * i));
	jic_buf_put(b, bytes, sizeof bytes);
}

void jic_buf_f64le(struct jic_buf *b, double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof bits);
	jic_buf_u64le(b, bits);
}

bool jic_buf_ok(const struct jic_buf *b, struct jic_error *err)
{
	return b->failed ? jic_fail(err, JIC_EMEMORY, "out of memory") : true;
}

const char *jic_buf_str(const struct jic_buf *b)
{
	return b->ptr ? b->ptr : "";
}

char *jic_buf_take(struct jic_buf *b)
{
	if (!b->ptr)
		(void)jic_buf_reserve(b, 0);
	char *text = b->failed ? NULL : b->ptr;
	if (b->failed)
		free(b->ptr);
	*b = (struct jic_buf){0};
	return text;
}

char *jic_strdup_view(struct jic_view v)
{
	char *copy = malloc(v.len + 1);
	if (!copy)
		return NULL;
	if (v.len)
		memcpy(copy, v.ptr, v.len);
	copy[v.len] = '\0';
	return copy;
}

char *jic_asprintf(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	return len < 0 ? NULL : text;
}

void jic_autoclose_(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
