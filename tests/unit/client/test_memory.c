#include "client/lib/memory/memory.h"
#include "tests/support/temp.h"

Test(memory, what_was_put_is_found_again_after_saving)
{
	struct temp t = temp_make();
	struct jic_error err = {0};
	const char *dir = at(t.path, "m");
	for (uint32_t round = 0; round < 3; round++) {
		struct jic_memory *m = jic_memory_open(dir);
		cr_assert(m);
		for (uint32_t i = round * 1000; i < (round + 1) * 1000; i++)
			jic_memory_put(m, JIC_MEMORY_CRC, &i, sizeof i, i * 7);
		cr_assert(jic_memory_save(m, &err), "%s", err.text);
		jic_memory_free(m);
	}
	struct jic_memory *m = jic_memory_open(dir);
	for (uint32_t i = 0; i < 3000; i++) {
		uint32_t value = 0;
		cr_assert(jic_memory_get(m, JIC_MEMORY_CRC, &i, sizeof i, &value), "%u", i);
		cr_assert_eq(value, i * 7);
	}
	jic_memory_free(m);
	temp_remove(&t);
}

Test(memory, a_kind_is_part_of_the_key)
{
	struct temp t = temp_make();
	struct jic_memory *m = jic_memory_open(t.path);
	uint32_t value;
	jic_memory_put(m, JIC_MEMORY_CRC, "key", 3, 1);
	cr_expect(jic_memory_get(m, JIC_MEMORY_CRC, "key", 3, &value));
	cr_expect_not(jic_memory_get(m, JIC_MEMORY_FRESH, "key", 3, &value));
	cr_expect_not(jic_memory_get(m, JIC_MEMORY_CRC, "ke", 2, &value));
	jic_memory_free(m);
	temp_remove(&t);
}

Test(memory, a_later_value_replaces_an_earlier_one)
{
	struct temp t = temp_make();
	uint32_t value = 0;
	for (uint32_t i = 1; i <= 3; i++) {
		struct jic_memory *m = jic_memory_open(t.path);
		jic_memory_put(m, JIC_MEMORY_CRC, "key", 3, 100 + i);
		jic_memory_put(m, JIC_MEMORY_CRC, "key", 3, i);
		cr_assert(jic_memory_save(m, NULL));
		jic_memory_free(m);
	}
	struct jic_memory *m = jic_memory_open(t.path);
	cr_expect(jic_memory_get(m, JIC_MEMORY_CRC, "key", 3, &value));
	cr_expect_eq(value, 3);
	jic_memory_free(m);
	temp_remove(&t);
}

Test(memory, a_damaged_table_is_empty_and_is_written_anew)
{
	struct temp t = temp_make();
	uint32_t value;
	const char *damaged[] = {"", "jicmem1", "jicmem1\nshort", "jicmem2\n01234567890123456789",
	                         "jicmem1\nBBBBBBBBBBBBBBBBBBBBAAAAAAAAAAAAAAAAAAAA"};
	for (size_t i = 0; i < JIC_COUNT(damaged); i++) {
		put_file(at(t.path, "depot-files"), damaged[i]);
		struct jic_memory *m = jic_memory_open(t.path);
		cr_assert(m);
		cr_expect_not(jic_memory_get(m, JIC_MEMORY_CRC, "key", 3, &value));
		jic_memory_put(m, JIC_MEMORY_CRC, "key", 3, 5);
		cr_expect(jic_memory_save(m, NULL));
		jic_memory_free(m);
		m = jic_memory_open(t.path);
		cr_expect(jic_memory_get(m, JIC_MEMORY_CRC, "key", 3, &value) && value == 5);
		jic_memory_free(m);
	}
	temp_remove(&t);
}

Test(memory, a_directory_that_cannot_be_made_is_said)
{
	struct temp t = temp_make();
	struct jic_error err = {0};
	put_file(at(t.path, "file"), "");
	struct jic_memory *m = jic_memory_open(at(t.path, "file/below"));
	jic_memory_put(m, JIC_MEMORY_CRC, "key", 3, 5);
	cr_expect_not(jic_memory_save(m, &err));
	cr_expect_neq(err.code, JIC_OK);
	jic_memory_free(m);
	temp_remove(&t);
}

Test(memory, the_directory_is_asked_for_before_the_environment)
{
	setenv("XDG_CACHE_HOME", "/cache", 1);
	char *given = jic_memory_dir("/given"), *xdg = jic_memory_dir(NULL);
	cr_expect_str_eq(given, "/given");
	cr_expect_str_eq(xdg, "/cache/jicache");
	unsetenv("XDG_CACHE_HOME");
	setenv("HOME", "/home/u", 1);
	char *home = jic_memory_dir(NULL);
	cr_expect_str_eq(home, "/home/u/.cache/jicache");
	unsetenv("HOME");
	cr_expect_null(jic_memory_dir(NULL));
	free(given);
	free(xdg);
	free(home);
}
