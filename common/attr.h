/**
 * Attributes and the two macros that carry ownership: JIC_AUTO releases at the end of the scope, JIC_TAKE gives away.
 */
#ifndef JIC_COMMON_ATTR_H
#define JIC_COMMON_ATTR_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define jic_must_check __attribute__((warn_unused_result))
#define jic_printf(format_index, first_arg) __attribute__((format(printf, format_index, first_arg)))

/** Define the helper that JIC_AUTO(name) needs for `struct name *`, released by `free_fn`. Put it below the prototypes.
 */
#define JIC_DEFINE_AUTO(name, free_fn)                                                                                 \
	static inline void name##_autop(struct name **p)                                                               \
	{                                                                                                              \
		free_fn(*p);                                                                                           \
	}

/** `JIC_AUTO(jic_map) struct jic_map *m = …;` calls the free function when m leaves its scope. */
#define JIC_AUTO(name) __attribute__((cleanup(name##_autop)))

/** `JIC_CLEAR(jic_buf) struct jic_buf b = {0};` calls jic_buf_clear(&b) at the end of the scope. */
#define JIC_CLEAR(name) __attribute__((cleanup(name##_clear)))

/** Hand a pointer over: yields its value and leaves NULL behind. */
#define JIC_TAKE(p)                                                                                                    \
	__extension__({                                                                                                \
		__typeof__(p) taken_ = (p);                                                                            \
		(p) = NULL;                                                                                            \
		taken_;                                                                                                \
	})

static inline void jic_autofree_(void *p)
{
	free(*(void **)p);
}
/** For plain malloc'ed pointers: `jic_autofree char *s = …;` */
#define jic_autofree __attribute__((cleanup(jic_autofree_)))

void jic_autoclose_(int *fd);
/** For file descriptors; −1 is nothing. */
#define jic_autoclose __attribute__((cleanup(jic_autoclose_)))

#define JIC_COUNT(array) (sizeof(array) / sizeof *(array))

/** Stop on a bug of ours, in release too: what must hold is `cond`. Never for input, disk, network or memory. */
#define JIC_ASSERT(cond)                                                                                               \
	do {                                                                                                           \
		if (!(cond)) {                                                                                         \
			fprintf(stderr, "%s:%d: bug: %s does not hold\n", __FILE__, __LINE__, #cond);                  \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

#endif
