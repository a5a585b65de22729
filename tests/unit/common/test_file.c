/* Files: whole reads, maps, trees, and writing that never shows half a file. */
#include "common/file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

/** A directory of the test's own, removed at its end. */
struct dir {
	char path[64];
};

static struct dir dir_new(void)
{
	struct dir d = {"/tmp/jicache-test-XXXXXX"};
	cr_assert_not_null(mkdtemp(d.path));
	return d;
}

static void dir_clear(struct dir *d)
{
	struct jic_error err;
	cr_expect(jic_remove_tree(d->path, &err), "%s", err.text);
	cr_expect_not(jic_is_dir(d->path));
}

static char *in(const struct dir *d, const char *name)
{
	char *path = jic_path_join(d->path, name);
	cr_assert_not_null(path);
	return path;
}

static void write_or_die(const char *path, const char *text)
{
	struct jic_error err;
	struct jic_writer_options options = {.no_sync = true};
	cr_assert(jic_file_write(path, jic_view_of(text), options, &err), "%s", err.text);
}

static bool count_entry(void *context, int dirfd, const char *name, struct jic_error *err)
{
	(void)dirfd, (void)name, (void)err;
	++*(size_t *)context;
	return true;
}

static size_t entries_of(const char *path)
{
	size_t count = 0;
	struct jic_error err;
	cr_assert(jic_dir_each(path, count_entry, &count, &err), "%s", err.text);
	return count;
}

static void expect_content(const char *path, const char *expected)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	struct jic_error err;
	cr_expect(jic_file_read(path, 1000, &text, &err), "%s", err.text);
	cr_expect_str_eq(jic_buf_str(&text), expected);
}

/* ---- reading ---- */

Test(file, reading_appends_and_the_limit_is_exact)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	JIC_CLEAR(jic_buf) struct jic_buf out = {0};
	struct jic_error err;
	jic_autofree char *path = in(&d, "five");
	write_or_die(path, "12345");
	jic_buf_puts(&out, "kept ");
	cr_assert(jic_file_read(path, 5, &out, &err), "%s", err.text);
	cr_expect_str_eq(jic_buf_str(&out), "kept 12345");
	cr_expect_not(jic_file_read(path, 4, &out, &err));
	cr_expect_eq(err.code, JIC_ELIMIT);
	cr_expect(strstr(err.text, path), "%s", err.text);
	cr_expect_str_eq(jic_buf_str(&out), "kept 12345");
}

Test(file, a_file_without_a_known_size_is_read_to_its_end_and_limited_too)
{
	JIC_CLEAR(jic_buf) struct jic_buf out = {0};
	struct jic_error err;
	cr_assert(jic_file_read("/proc/self/status", 1 << 20, &out, &err), "%s", err.text);
	cr_expect_gt(out.len, 100);
	size_t before = out.len;
	cr_expect_not(jic_file_read("/dev/zero", 100000, &out, &err));
	cr_expect_eq(err.code, JIC_ELIMIT);
	cr_expect_eq(out.len, before);
}

Test(file, reading_what_is_not_there_or_no_file_names_the_path)
{
	JIC_CLEAR(jic_buf) struct jic_buf out = {0};
	struct jic_error err;
	cr_expect_not(jic_file_read("/nonexistent/x", 10, &out, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND);
	cr_expect_str_eq(err.text, "open /nonexistent/x: No such file or directory");
	cr_expect_not(jic_file_read("/tmp", 10000, &out, &err));
	cr_expect_eq(err.code, JIC_EIO);
	cr_expect_eq(err.sys, EISDIR);
	cr_expect_eq(out.len, 0);
}

Test(file, identity_follows_links_and_tells_a_changed_file)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	struct jic_file_identity first, linked, changed;
	struct jic_error err;
	jic_autofree char *path = in(&d, "file");
	jic_autofree char *link = in(&d, "link");
	write_or_die(path, "one");
	cr_assert_eq(symlink("file", link), 0);
	cr_assert(jic_file_identify(path, &first, &err));
	cr_assert(jic_file_identify(link, &linked, &err));
	cr_expect(jic_file_identity_eq(&first, &linked));
	cr_expect_eq(first.size, 3);
	write_or_die(path, "two");
	cr_assert(jic_file_identify(path, &changed, &err));
	cr_expect_not(jic_file_identity_eq(&first, &changed));
	cr_expect_not(jic_file_identify("/nonexistent", &first, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND);
}

Test(file, a_time_in_nanoseconds_is_exact)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	struct jic_file_identity id;
	struct jic_error err;
	jic_autofree char *path = in(&d, "file");
	write_or_die(path, "x");
	const struct timespec times[2] = {{.tv_sec = 1700000000, .tv_nsec = 123456789},
	                                  {.tv_sec = 1700000000, .tv_nsec = 123456789}};
	cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
	cr_assert(jic_file_identify(path, &id, &err));
	cr_expect_eq(id.mtime_ns, 1700000000123456789);
}

Test(file, a_map_shows_the_whole_file)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	JIC_CLEAR(jic_map) struct jic_map map = {0};
	struct jic_error err;
	jic_autofree char *path = in(&d, "file");
	write_or_die(path, "mapped");
	cr_assert(jic_map_open(path, 6, &map, &err), "%s", err.text);
	cr_expect(jic_view_is(map.view, "mapped"));
	jic_map_clear(&map);
	cr_expect_eq(map.view.len, 0);
	cr_expect_not(jic_map_open(path, 5, &map, &err));
	cr_expect_eq(err.code, JIC_ELIMIT);
}

Test(file, an_empty_file_maps_to_nothing)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	JIC_CLEAR(jic_map) struct jic_map map = {.view = JIC_VIEW("stale")};
	struct jic_error err;
	jic_autofree char *path = in(&d, "empty");
	write_or_die(path, "");
	cr_assert(jic_map_open(path, 0, &map, &err), "%s", err.text);
	cr_expect_eq(map.view.len, 0);
}

Test(file, only_regular_files_are_mapped_and_a_pipe_does_not_block)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	struct jic_map map = {0};
	struct jic_error err;
	jic_autofree char *pipe_path = in(&d, "pipe");
	cr_assert_eq(mkfifo(pipe_path, 0600), 0);
	cr_expect_not(jic_map_open(pipe_path, 100, &map, &err));
	cr_expect_eq(err.code, JIC_EIO);
	cr_expect_not(jic_map_open(d.path, 100, &map, &err));
	cr_expect_not(jic_map_open("/nonexistent", 100, &map, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND);
	cr_expect_not(jic_map_fd(-1, 100, &map, &err));
	cr_expect_str_eq(err.text, "stat file descriptor -1: Bad file descriptor");
}

/* ---- directories ---- */

Test(file, mkdirs_makes_what_is_missing_and_accepts_what_is_there)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	struct jic_error err;
	jic_autofree char *path = in(&d, "a/b//c/");
	cr_assert(jic_mkdirs(path, &err), "%s", err.text);
	cr_expect(jic_is_dir(path));
	cr_expect(jic_mkdirs(path, &err), "%s", err.text);
	cr_expect(jic_mkdirs("/", &err));
}

Test(file, mkdirs_durable_makes_what_is_missing_and_accepts_what_is_there)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	struct jic_error err;
	jic_autofree char *path = in(&d, "a/./b/c/");
	jic_autofree char *file = in(&d, "file");
	jic_autofree char *below = in(&d, "file/below");
	cr_assert(jic_mkdirs_durable(path, &err), "%s", err.text);
	cr_expect(jic_is_dir(path));
	cr_expect(jic_mkdirs_durable(path, &err), "%s", err.text);
	cr_expect(jic_mkdirs_durable("/", &err), "%s", err.text);
	write_or_die(file, "x");
	cr_expect_not(jic_mkdirs_durable(file, &err));
	cr_expect_not(jic_mkdirs_durable(below, &err));
}

Test(file, mkdirs_stops_at_a_file_in_the_way)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	struct jic_error err;
	jic_autofree char *file = in(&d, "file");
	jic_autofree char *below = in(&d, "file/below");
	write_or_die(file, "x");
	cr_expect_not(jic_mkdirs(file, &err));
	cr_expect_eq(err.sys, ENOTDIR);
	cr_expect_not(jic_mkdirs(below, &err));
	cr_expect(strstr(err.text, file), "%s", err.text);
}

struct seen {
	struct jic_buf names;
	size_t stop_after;
};

static bool note_name(void *context, int dirfd, const char *name, struct jic_error *err)
{
	struct seen *seen = context;
	struct stat st;
	cr_expect_eq(fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	jic_buf_printf(&seen->names, "%s;", name);
	if (seen->stop_after && --seen->stop_after == 0)
		return jic_fail(err, JIC_EBUSY, "enough");
	return true;
}

Test(file, entries_come_in_bytewise_order)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	struct seen seen = {0};
	struct jic_error err;
	static const char *const names[] = {"b", "B", "a", "\xc3\xa9", ".hidden", "a.b", "Z"};
	for (size_t i = 0; i < JIC_COUNT(names); i++) {
		jic_autofree char *path = in(&d, names[i]);
		write_or_die(path, "");
	}
	cr_assert(jic_dir_each(d.path, note_name, &seen, &err), "%s", err.text);
	cr_expect_str_eq(jic_buf_str(&seen.names), ".hidden;B;Z;a;a.b;b;\xc3\xa9;");
	jic_buf_clear(&seen.names);
}

Test(file, a_callback_that_says_no_ends_the_walk)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	struct seen seen = {.stop_after = 2};
	struct jic_error err;
	for (char name[] = "a"; name[0] < 'f'; name[0]++) {
		jic_autofree char *path = in(&d, name);
		write_or_die(path, "");
	}
	cr_expect_not(jic_dir_each(d.path, note_name, &seen, &err));
	cr_expect_eq(err.code, JIC_EBUSY);
	cr_expect_str_eq(jic_buf_str(&seen.names), "a;b;");
	jic_buf_clear(&seen.names);
}

Test(file, walking_what_is_not_there_or_no_directory_is_an_error)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	struct seen seen = {0};
	struct jic_error err;
	jic_autofree char *file = in(&d, "file");
	write_or_die(file, "");
	cr_expect_not(jic_dir_each("/nonexistent", note_name, &seen, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND);
	cr_expect_not(jic_dir_each(file, note_name, &seen, &err));
	cr_expect_eq(err.sys, ENOTDIR);
}

Test(file, a_tree_is_removed_without_following_links)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	struct jic_error err;
	jic_autofree char *deep = in(&d, "tree/one/two/three");
	jic_autofree char *file = in(&d, "tree/one/file");
	jic_autofree char *link = in(&d, "tree/link");
	jic_autofree char *outside = in(&d, "outside");
	jic_autofree char *kept = in(&d, "outside/kept");
	jic_autofree char *tree = in(&d, "tree");
	cr_assert(jic_mkdirs(deep, &err) && jic_mkdirs(outside, &err), "%s", err.text);
	write_or_die(file, "x");
	write_or_die(kept, "x");
	cr_assert_eq(symlink(outside, link), 0);
	cr_assert(jic_remove_tree(tree, &err), "%s", err.text);
	cr_expect_not(jic_is_dir(tree));
	cr_expect(jic_is_file(kept));
	cr_assert_eq(symlink(outside, tree), 0);
	cr_assert(jic_remove_tree(tree, &err), "%s", err.text);
	cr_expect(jic_is_file(kept));
}

Test(file, removing_a_file_or_nothing_is_fine_and_errors_name_the_path)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	struct jic_error err;
	jic_autofree char *file = in(&d, "file");
	jic_autofree char *below = in(&d, "file/below");
	write_or_die(file, "x");
	cr_expect_not(jic_remove_tree(below, &err));
	cr_expect(strstr(err.text, below), "%s", err.text);
	cr_expect_eq(err.sys, ENOTDIR);
	cr_expect(jic_remove_tree(file, &err));
	cr_expect_not(jic_is_file(file));
	cr_expect(jic_remove_tree(file, &err), "%s", err.text);
}

Test(file, a_tree_deeper_than_the_limit_is_refused_and_left)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	JIC_CLEAR(jic_buf) struct jic_buf path = {0};
	struct jic_error err;
	jic_buf_printf(&path, "%s/top", d.path);
	for (int i = 0; i < 250; i++)
		jic_buf_puts(&path, "/d");
	cr_assert(jic_mkdirs(jic_buf_str(&path), &err), "%s", err.text);
	cr_expect_not(jic_remove_tree(d.path, &err));
	cr_expect_eq(err.code, JIC_ELIMIT);
	cr_expect(jic_is_dir(jic_buf_str(&path)));
	/* In two steps it goes: first the lower half. */
	path.ptr[strlen(d.path) + strlen("/top") + 2 * 125] = '\0';
	cr_expect(jic_remove_tree(path.ptr, &err), "%s", err.text);
}

Test(file, a_directory_is_synced_and_nothing_else)
{
	struct jic_error err;
	cr_expect(jic_dir_sync("/tmp", &err), "%s", err.text);
	cr_expect_not(jic_dir_sync("/nonexistent", &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND);
	cr_expect_not(jic_dir_sync("/proc/self/status", &err));
	cr_expect_eq(err.sys, ENOTDIR);
}

/* ---- writing ---- */

Test(file, a_name_appears_with_commit_and_not_before)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	struct jic_error err;
	jic_autofree char *path = in(&d, "file");
	JIC_AUTO(jic_writer) struct jic_writer *w = jic_writer_new(path, (struct jic_writer_options){0}, &err);
	cr_assert(w, "%s", err.text);
	cr_assert(jic_writer_put(w, JIC_VIEW("new "), &err));
	cr_assert(jic_writer_put(w, JIC_VIEW("text"), &err));
	cr_expect_not(jic_is_file(path));
	cr_expect_eq(entries_of(d.path), 1);
	cr_assert(jic_writer_sync(w, &err), "%s", err.text);
	cr_assert(jic_writer_commit(w, &err), "%s", err.text);
	expect_content(path, "new text");
	cr_expect_eq(entries_of(d.path), 1);
}

Test(file, without_commit_the_old_file_stays_and_no_temporary_one)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	struct jic_error err;
	jic_autofree char *path = in(&d, "file");
	write_or_die(path, "old");
	struct jic_writer *w = jic_writer_new(path, (struct jic_writer_options){0}, &err);
	cr_assert(w && jic_writer_put(w, JIC_VIEW("new"), &err));
	jic_writer_free(w);
	expect_content(path, "old");
	cr_expect_eq(entries_of(d.path), 1);
	jic_writer_free(NULL);
}

static bool is_temporary(void *context, int dirfd, const char *name, struct jic_error *err)
{
	(void)context, (void)dirfd;
	return strncmp(name, ".jicache-tmp-", 13) == 0 || jic_fail(err, JIC_EIO, "%s", name);
}

Test(file, a_temporary_name_is_ours_and_each_writer_has_another)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	struct jic_error err;
	jic_autofree char *path = in(&d, "file");
	JIC_AUTO(jic_writer) struct jic_writer *a = jic_writer_new(path, (struct jic_writer_options){0}, &err);
	JIC_AUTO(jic_writer) struct jic_writer *b = jic_writer_new(path, (struct jic_writer_options){0}, &err);
	cr_assert(a && b);
	cr_expect_eq(entries_of(d.path), 2);
	cr_expect(jic_dir_each(d.path, is_temporary, NULL, &err), "%s", err.text);
	cr_assert(jic_writer_put(a, JIC_VIEW("a"), &err) && jic_writer_put(b, JIC_VIEW("b"), &err));
	cr_assert(jic_writer_commit(b, &err) && jic_writer_commit(a, &err), "%s", err.text);
	expect_content(path, "a");
}

Test(file, permission_bits_are_as_asked_less_the_umask)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	struct jic_error err;
	struct stat st;
	jic_autofree char *path = in(&d, "file");
	mode_t before = umask(027);
	cr_assert(jic_file_write(path, JIC_VIEW("x"), (struct jic_writer_options){.no_sync = true}, &err));
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0640);
	cr_assert(jic_file_write(path, JIC_VIEW("x"), (struct jic_writer_options){.mode = 0600}, &err));
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
	umask(before);
}

Test(file, what_goes_around_the_writer_into_its_descriptor_is_committed_too)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	struct jic_error err;
	jic_autofree char *path = in(&d, "file");
	JIC_AUTO(jic_writer) struct jic_writer *w = jic_writer_new(path, (struct jic_writer_options){0}, &err);
	cr_assert(w);
	cr_assert(jic_write_all(jic_writer_fd(w), "direct", 6, &err), "%s", err.text);
	cr_assert(jic_writer_commit(w, &err), "%s", err.text);
	expect_content(path, "direct");
}

Test(file, a_missing_directory_and_a_directory_in_the_way_are_errors)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	struct jic_error err;
	jic_autofree char *missing = in(&d, "missing/file");
	jic_autofree char *taken = in(&d, "taken");
	jic_autofree char *inside = in(&d, "taken/inside");
	cr_expect_null(jic_writer_new(missing, (struct jic_writer_options){0}, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND);
	cr_expect(strstr(err.text, d.path), "%s", err.text);
	cr_assert(jic_mkdirs(inside, &err));
	cr_expect_not(jic_file_write(taken, JIC_VIEW("x"), (struct jic_writer_options){0}, &err));
	cr_expect(strstr(err.text, taken), "%s", err.text);
	cr_expect_eq(entries_of(d.path), 1);
}

Test(file, a_full_disk_is_no_space)
{
	struct jic_error err;
	jic_autoclose int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	cr_assert_geq(full, 0);
	cr_expect_not(jic_write_all(full, "x", 1, &err));
	cr_expect_eq(err.code, JIC_ENOSPACE);
}

Test(file, a_write_that_stops_half_way_is_an_error_and_leaves_nothing)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	struct jic_error err;
	char bytes[8192] = {0};
	jic_autofree char *path = in(&d, "file");
	signal(SIGXFSZ, SIG_IGN);
	const struct rlimit small = {.rlim_cur = 5000, .rlim_max = RLIM_INFINITY};
	struct rlimit before;
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	bool written = jic_file_write(path, jic_view_bytes(bytes, sizeof bytes), (struct jic_writer_options){0}, &err);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	cr_expect_not(written);
	cr_expect_eq(err.sys, EFBIG);
	cr_expect(strstr(err.text, path), "%s", err.text);
	cr_expect_eq(entries_of(d.path), 0);
}

Test(file, a_file_without_a_slash_goes_into_the_current_directory)
{
	JIC_CLEAR(dir) struct dir d = dir_new();
	struct jic_error err;
	jic_autofree char *here = getcwd(NULL, 0);
	jic_autofree char *path = in(&d, "plain");
	cr_assert_eq(chdir(d.path), 0);
	cr_expect(jic_file_write("plain", JIC_VIEW("x"), (struct jic_writer_options){0}, &err), "%s", err.text);
	cr_assert_eq(chdir(here), 0);
	cr_expect(jic_is_file(path));
}

/* ---- paths ---- */

Test(file, normalise_gives_what_julia_s_normpath_gives)
{
	static const struct {
		const char *path, *expected; /**< as printed by Julia 1.5.3 */
	} cases[] = {
	    {"", "."},
	    {".", "."},
	    {"..", ".."},
	    {"/", "/"},
	    {"//", "/"},
	    {"/..", "/"},
	    {"/../..", "/"},
	    {"a", "a"},
	    {"a/", "a/"},
	    {"a//b", "a/b"},
	    {"a/./b", "a/b"},
	    {"a/b/..", "a/"},
	    {"a/..", "."},
	    {"a/../..", ".."},
	    {"../a", "../a"},
	    {"../../a/..", "../.."},
	    {"/a/b/../c/", "/a/c/"},
	    {"/a/../..", "/"},
	    {"/a/./", "/a/"},
	    {"./a", "a"},
	    {"a/b/.", "a/b/"},
	    {"...", "..."},
	    {"/a/...", "/a/..."},
	    {"a/b/../../..", ".."},
	    {"//a//b//", "/a/b/"},
	    {"/a/b/..", "/a/"},
	    {"./..", ".."},
	    {"../.", ".."},
	    {"a/../b", "b"},
	    {".a/..b", ".a/..b"},
	};
	for (size_t i = 0; i < JIC_COUNT(cases); i++) {
		jic_autofree char *path = jic_path_normalise(cases[i].path);
		cr_assert_not_null(path);
		cr_expect_str_eq(path, cases[i].expected, "%s gives %s", cases[i].path, path);
	}
}

Test(file, absolute_paths_begin_at_the_current_directory)
{
	jic_autofree char *here = getcwd(NULL, 0);
	cr_assert_eq(chdir("/tmp"), 0);
	jic_autofree char *relative = jic_path_absolute("a/../b");
	jic_autofree char *up = jic_path_absolute("..");
	jic_autofree char *absolute = jic_path_absolute("/x//y");
	cr_expect_str_eq(relative, "/tmp/b");
	cr_expect_str_eq(up, "/");
	cr_expect_str_eq(absolute, "/x/y");
	cr_assert_eq(chdir(here), 0);
}

Test(file, joining_puts_one_slash_between)
{
	jic_autofree char *plain = jic_path_join("a", "b");
	jic_autofree char *slash = jic_path_join("/a/", "b");
	jic_autofree char *empty = jic_path_join("", "b");
	cr_expect_str_eq(plain, "a/b");
	cr_expect_str_eq(slash, "/a/b");
	cr_expect_str_eq(empty, "b");
}

Test(file, a_writer_that_may_not_replace_leaves_what_is_there_and_nothing_else)
{
	__attribute__((cleanup(dir_clear))) struct dir d = dir_new();
	jic_autofree char *path = in(&d, "name");
	JIC_CLEAR(jic_buf) struct jic_buf got = {0};
	struct jic_error err = {0};
	const struct jic_writer_options options = {.no_replace = true};
	cr_assert(jic_file_write(path, JIC_VIEW("first"), options, &err), "%s", err.text);
	cr_expect_not(jic_file_write(path, JIC_VIEW("second"), options, &err));
	cr_expect_eq(err.code, JIC_ECONFLICT, "%s", err.text);
	cr_assert(jic_file_read(path, 100, &got, &err), "%s", err.text);
	cr_expect(jic_view_is(jic_buf_view(&got), "first"));
	cr_expect_eq(unlink(path), 0);
	cr_expect_eq(rmdir(d.path), 0, "a temporary file was left");
	cr_assert_eq(mkdir(d.path, 0700), 0);
}
