/* How long Julia took, by the traces that it leaves. */
#include "client/lib/depot/compile_time.h"

#include "tests/support/temp.h"

#include <criterion/criterion.h>
#include <time.h>

static const struct timespec while_it_compiles = {.tv_nsec = 60000000};

static uint64_t clock_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Of a cache file of that Julia with a module of that build id. */
static uint64_t taken_ms(const char *path, unsigned minor, uint64_t build_id)
{
	struct jic_ji_module module = {.build_id = {.lo = build_id}};
	struct jic_ji ji = {.version = {.major = 1, .minor = minor}, .modules = &module, .modules_count = 1};
	return jic_compile_ms(path, &ji);
}

Test(compile_time, up_to_1_11_a_build_id_is_when_the_module_was_made)
{
	struct temp t = temp_make();
	const char *path = at(t.path, "A/slug_Other.ji"), *second = at(t.path, "A/slug_Other2.ji");
	put_file(path, "");
	nanosleep(&while_it_compiles, NULL);
	put_file(second, "");
	const uint64_t begin = clock_ns() - UINT64_C(90000000000);
	const uint64_t took = taken_ms(second, 11, begin);
	cr_expect(took >= 80000 && took < 600000, "%lu", (unsigned long)took);
	cr_expect_eq(taken_ms(second, 11, clock_ns() + 1000000000), 0,
	             "of another machine, or before it was started anew");
	cr_expect_eq(taken_ms(second, 12, begin), 0, "1.12 has no time in it");
	temp_remove(&t);
}

Test(compile_time, the_directory_of_a_first_file_tells_when_julia_began)
{
	struct temp t = temp_make();
	struct jic_error err;
	cr_assert(jic_mkdirs(at(t.path, "A"), &err));
	nanosleep(&while_it_compiles, NULL);
	const char *first = at(t.path, "A/slug_First.ji"), *second = at(t.path, "A/slug_Secnd.ji");
	put_file(first, "");
	nanosleep(&while_it_compiles, NULL);
	put_file(second, "");
	cr_expect_geq(taken_ms(first, 12, 1), 40);
	cr_expect_eq(taken_ms(second, 12, 1), 0);
	cr_expect_eq(taken_ms(at(t.path, "A/absent.ji"), 12, 1), 0);
	temp_remove(&t);
}
