#include "client/lib/depot/lock.h"
#include "tests/support/temp.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct jic_facts facts_of_test_vector(const struct jic_view *depot)
{
	return (struct jic_facts){.version = {1, 11, 1},
	                          .flags = 0xa3,
	                          .cpu_target = JIC_VIEW("native"),
	                          .image_file = JIC_VIEW("/home/mkitti/src/julia/usr/lib/julia/sys.so"),
	                          .julia_bin = JIC_VIEW("/home/mkitti/src/julia/usr/bin/julia"),
	                          .depot_path = depot,
	                          .depot_path_count = 1};
}

Test(lock, the_pidfile_has_the_name_that_julia_gives_it)
{
	struct jic_arena arena = {0};
	const struct jic_view depot = JIC_VIEW("/d");
	const struct jic_facts f = facts_of_test_vector(&depot);
	const struct jic_uuid pkg = {.hi = 0x8dfed614e22c5e08, .lo = 0x85e165c5234f0b40};
	struct jic_view path = jic_lock_package_path(&f, JIC_VIEW("Test"), pkg, &arena);
	/* A real Julia's file for no project and no preferences: slug z9MXU. */
	cr_expect(jic_view_is(path, "/d/compiled/v1.11/Test/JfdTE_z9MXU.ji.pidfile"), JIC_PRIv, JIC_ARGv(path));
	jic_arena_clear(&arena);
}

Test(lock, older_julia_has_no_pidfile)
{
	struct jic_arena arena = {0};
	const struct jic_view depot = JIC_VIEW("/d");
	struct jic_facts f = facts_of_test_vector(&depot);
	f.version = (struct jic_julia_version){1, 9, 4};
	cr_expect_eq(jic_lock_package_path(&f, JIC_VIEW("Test"), (struct jic_uuid){.lo = 1}, &arena).len, 0);
	jic_arena_clear(&arena);
}

Test(lock, a_package_lock_is_taken_named_and_released)
{
	struct temp t = temp_make();
	const char *path = at(t.path, "x.pidfile");
	struct jic_buf text = {0};
	char expected[32];
	cr_assert_eq(jic_lock_package(path, 0), JIC_LOCK_HELD_BY_US);
	cr_assert(jic_file_read(path, 1000, &text, NULL));
	snprintf(expected, sizeof expected, "%ld ", (long)getpid());
	cr_expect(jic_view_starts(jic_buf_view(&text), jic_view_of(expected)), "%s", jic_buf_str(&text));
	cr_expect_eq(jic_lock_package(path, 0), JIC_LOCK_BUSY, "we ourselves are alive");
	jic_lock_package_release(path);
	cr_expect_not(jic_is_file(path));
	jic_buf_clear(&text);
	temp_remove(&t);
}

Test(lock, anothers_package_lock_is_waited_for_and_not_released)
{
	struct temp t = temp_make();
	const char *path = at(t.path, "x.pidfile");
	put_file(path, "1 some-other-host");
	cr_expect_eq(jic_lock_package(path, 50), JIC_LOCK_BUSY);
	jic_lock_package_release(path);
	cr_expect(jic_is_file(path));
	temp_remove(&t);
}

Test(lock, a_package_lock_that_can_not_be_read_any_more_is_released)
{
	struct temp t = temp_make();
	const char *path = at(t.path, "x.pidfile");
	cr_assert_eq(jic_lock_package(path, 0), JIC_LOCK_HELD_BY_US);
	cr_assert_eq(truncate(path, 0), 0);
	jic_lock_package_release(path);
	cr_expect_not(jic_is_file(path));
	temp_remove(&t);
}

Test(lock, a_dead_holders_lock_is_taken_over_once_it_is_old)
{
	struct temp t = temp_make();
	const char *path = at(t.path, "x.pidfile");
	char host[200] = "", text[300];
	cr_assert_eq(gethostname(host, sizeof host - 1), 0);
	pid_t dead = fork();
	if (dead == 0)
		_exit(0);
	waitpid(dead, NULL, 0);
	snprintf(text, sizeof text, "%ld %s", (long)dead, host);
	put_file(path, text);
	cr_expect_eq(jic_lock_package(path, 0), JIC_LOCK_BUSY, "Julia lets ten seconds pass, too");
	set_mtime(path, time(NULL) - 11, 0);
	cr_expect_eq(jic_lock_package(path, 0), JIC_LOCK_HELD_BY_US);
	temp_remove(&t);
}

Test(lock, another_hosts_lock_is_stale_after_fifty_seconds)
{
	struct temp t = temp_make();
	const char *path = at(t.path, "x.pidfile");
	put_file(path, "1 some-other-host");
	set_mtime(path, time(NULL) - 40, 0);
	cr_expect_eq(jic_lock_package(path, 0), JIC_LOCK_BUSY);
	set_mtime(path, time(NULL) - 52, 0);
	cr_expect_eq(jic_lock_package(path, 0), JIC_LOCK_HELD_BY_US);
	temp_remove(&t);
}

Test(lock, where_julia_has_no_directory_there_is_nothing_to_lock)
{
	cr_expect_eq(jic_lock_package("/nonexistent/dir/x.pidfile", 1000), JIC_LOCK_NONE);
}

Test(lock, only_one_process_holds_the_depot_lock)
{
	struct temp t = temp_make();
	int first = jic_lock_depot(t.path, 0);
	cr_assert_geq(first, 0);
	cr_expect_lt(jic_lock_depot(t.path, 60), 0);
	close(first);
	int second = jic_lock_depot(t.path, 0);
	cr_expect_geq(second, 0);
	close(second);
	cr_expect_lt(jic_lock_depot("/nonexistent/dir", 0), 0);
	temp_remove(&t);
}
