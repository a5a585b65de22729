/**
 * Borrowed bytes: a pointer and a length, passed by value. Not NUL-terminated, may contain any byte, never owned.
 */
#ifndef JIC_COMMON_VIEW_H
#define JIC_COMMON_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct jic_view {
	const char *ptr; /**< may be NULL when len is 0 */
	size_t len;
};

/** printf a view: `printf("key " JIC_PRIv "\n", JIC_ARGv(key))` */
#define JIC_PRIv "%.*s"
#define JIC_ARGv(v) (int)((v).len > 4096 ? 4096 : (v).len), (v).ptr ? (v).ptr : ""

/** A view of a string literal. */
#define JIC_VIEW(literal) ((struct jic_view){.ptr = "" literal, .len = sizeof(literal) - 1})

static inline struct jic_view jic_view_of(const char *text)
{
	return (struct jic_view){.ptr = text, .len = text ? strlen(text) : 0};
}

static inline struct jic_view jic_view_bytes(const void *ptr, size_t len)
{
	return (struct jic_view){.ptr = ptr, .len = len};
}

static inline bool jic_view_eq(struct jic_view a, struct jic_view b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool jic_view_is(struct jic_view a, const char *text)
{
	return jic_view_eq(a, jic_view_of(text));
}

static inline bool jic_view_starts(struct jic_view a, struct jic_view prefix)
{
	return a.len >= prefix.len && (prefix.len == 0 || memcmp(a.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool jic_view_ends(struct jic_view a, struct jic_view suffix)
{
	return a.len >= suffix.len &&
	       (suffix.len == 0 || memcmp(a.ptr + a.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

/** The rest after `count` bytes (all of it dropped when shorter). */
static inline struct jic_view jic_view_skip(struct jic_view a, size_t count)
{
	if (count >= a.len)
		return (struct jic_view){.ptr = a.ptr ? a.ptr + a.len : NULL, .len = 0};
	return (struct jic_view){.ptr = a.ptr + count, .len = a.len - count};
}

/** The first `count` bytes. */
static inline struct jic_view jic_view_head(struct jic_view a, size_t count)
{
	return (struct jic_view){.ptr = a.ptr, .len = count < a.len ? count : a.len};
}

/**
 * Take the first item off a list: `while (jic_view_split(&list, ',', &item))`. "" has one item, which is empty; only a
 * list whose `ptr` is NULL has none.
 * @return false when nothing is left
 */
static inline bool jic_view_split(struct jic_view *list, char separator, struct jic_view *item)
{
	if (!list->ptr)
		return false;
	const char *end = list->len ? (const char *)memchr(list->ptr, separator, list->len) : NULL;
	*item = jic_view_head(*list, end ? (size_t)(end - list->ptr) : list->len);
	*list = end ? jic_view_skip(*list, item->len + 1) : (struct jic_view){.ptr = NULL, .len = 0};
	return true;
}

/** Bytewise order, shorter first when one is a prefix of the other. */
static inline int jic_view_cmp(struct jic_view a, struct jic_view b)
{
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common ? memcmp(a.ptr, b.ptr, common) : 0;
	return order ? order : (a.len > b.len) - (a.len < b.len);
}

#endif
