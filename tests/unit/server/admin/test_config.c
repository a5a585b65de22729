/* Configuration: which source wins, what is refused, and that every default is valid. */
#include "server/admin/config.h"
#include "common/file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

static const struct jic_option options[] = {
    {.name = "config", .value = "FILE", .help = ""}, {.name = "listen", .value = "HOST:PORT", .help = ""},
    {.name = "require-token", .help = ""},           {.name = "anonymous-read", .help = ""},
    {.name = "threads", .value = "N", .help = ""},   {.name = "blob-bytes-max", .value = "BYTES", .help = ""},
};
static const struct jic_command command = {
    .name = "serve", .summary = "", .options = options, .options_count = JIC_COUNT(options)};

static char *no_environment(const char *name)
{
	(void)name;
	return NULL;
}

static char *some_environment(const char *name)
{
	static char listen[] = "127.0.0.1:2", threads[] = "3";
	if (strcmp(name, "JICACHED_LISTEN") == 0)
		return listen;
	return strcmp(name, "JICACHED_LIMITS_THREADS") == 0 ? threads : NULL;
}

struct loaded {
	struct jic_arena arena;
	struct jic_config config;
	struct jic_error err;
	char path[64];
	bool ok;
};

static void loaded_clear(struct loaded *l)
{
	jic_arena_clear(&l->arena);
	if (l->path[0])
		unlink(l->path);
}

/* `toml` NULL: no file. `flag` NULL: none. */
static void load(struct loaded *l, const char *toml, const char *flag, char *(*environment)(const char *))
{
	const char *argv[3];
	size_t argc = 0;
	struct jic_options o;
	if (toml) {
		snprintf(l->path, sizeof l->path, "/tmp/jicached-config-XXXXXX");
		int fd = mkstemp(l->path);
		cr_assert(fd >= 0);
		cr_assert(jic_write_all(fd, toml, strlen(toml), NULL));
		close(fd);
		argv[argc++] = "--config";
		argv[argc++] = l->path;
	}
	if (flag)
		argv[argc++] = flag;
	cr_assert(jic_options_parse(&command, argv, argc, &l->arena, &o, &l->err), "%s", l->err.text);
	l->ok = jic_config_load(&o, environment, &l->arena, &l->config, &l->err);
}

static const char *source(const struct loaded *l, enum jic_config_name name, struct jic_buf *out)
{
	jic_buf_reset(out);
	jic_config_source(&l->config, name, out);
	return jic_buf_str(out);
}

Test(config, every_default_is_valid)
{
	JIC_CLEAR(loaded) struct loaded l = {0};
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	load(&l, NULL, NULL, no_environment);
	cr_assert(l.ok, "%s", l.err.text);
	cr_assert_str_eq(jic_config_text(&l.config, JIC_CONFIG_LISTEN), "127.0.0.1:8787");
	cr_assert_eq(jic_config_number(&l.config, JIC_CONFIG_BLOB_BYTES_MAX), 1ull << 30);
	cr_assert_not(jic_config_is(&l.config, JIC_CONFIG_REQUIRE_TOKEN));
	cr_assert_str_eq(source(&l, JIC_CONFIG_LISTEN, &text), "default");
}

Test(config, flag_beats_environment_beats_file_beats_default)
{
	JIC_CLEAR(loaded) struct loaded l = {0};
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	load(&l, "listen = \"127.0.0.1:1\"\nrequire_token = true\n[limits]\nthreads = 2\nidle_timeout = \"2m\"\n",
	     "--listen=127.0.0.1:3", some_environment);
	cr_assert(l.ok, "%s", l.err.text);
	cr_assert_str_eq(jic_config_text(&l.config, JIC_CONFIG_LISTEN), "127.0.0.1:3");
	cr_assert_str_eq(source(&l, JIC_CONFIG_LISTEN, &text), "flag --listen");
	cr_assert_eq(jic_config_number(&l.config, JIC_CONFIG_THREADS), 3);
	cr_assert_str_eq(source(&l, JIC_CONFIG_THREADS, &text), "environment JICACHED_LIMITS_THREADS");
	cr_assert_eq(jic_config_number(&l.config, JIC_CONFIG_IDLE_TIMEOUT), 120);
	cr_assert(strstr(source(&l, JIC_CONFIG_IDLE_TIMEOUT, &text), ":5"), "%s", jic_buf_str(&text));
	cr_assert(jic_config_is(&l.config, JIC_CONFIG_REQUIRE_TOKEN));
}

static void refuse(const char *toml, const char *flag, const char *text)
{
	JIC_CLEAR(loaded) struct loaded l = {0};
	load(&l, toml, flag, no_environment);
	cr_assert_not(l.ok, "accepted %s", toml ? toml : flag);
	cr_assert(strstr(l.err.text, text), "\"%s\" does not contain \"%s\"", l.err.text, text);
}

Test(config, unknown_keys_are_errors_with_their_line)
{
	refuse("\nlisten = \"127.0.0.1:1\"\nlisten_on = 1\n", NULL, ":3: unknown key \"listen_on\"");
	refuse("[limits]\nthreds = 1\n", NULL, ":2: unknown key \"limits.threds\"");
	refuse("threads = 1\n", NULL, ":1: unknown key \"threads\"");
	refuse("[limits.more]\nx = 1\n", NULL, "unknown key \"limits.more\"");
}

Test(config, values_of_the_wrong_type_or_size_are_named)
{
	refuse("listen = 1\n", NULL, ":1: listen has the wrong type");
	refuse("require_token = 1\n", NULL, ":1: require_token has the wrong type");
	refuse("[limits]\nthreads = \"2\"\n", NULL, ":2: limits.threads has the wrong type");
	refuse("[limits]\nthreads = 1000\n", NULL, ":2: limits.threads: must be from 0 to 256, not \"1000\"");
	refuse("[limits]\nthreads = -1\n", NULL, "not \"-1\"");
	refuse("[limits]\nblob_bytes_max = \"1X\"\n", NULL, "bytes (k, M, G, T), not \"1X\"");
	refuse("listen = \"a\\u0000b\"\n", NULL, "contains a NUL");
	refuse(NULL, "--threads=x", "flag --threads: limits.threads: must be from 0 to 256, not \"x\"");
	refuse(NULL, "--listen=", "must not be empty");
}

Test(config, settings_that_contradict_each_other_are_refused)
{
	refuse("require_token = true\nanonymous_read = true\n", NULL, "contradict");
}

Test(config, broken_toml_and_missing_files_are_errors)
{
	refuse("listen = \n", NULL, "1");
	refuse(NULL, "--config=/nonexistent/jicached.toml", "/nonexistent/jicached.toml");
}

Test(config, what_is_printed_can_be_read_again)
{
	JIC_CLEAR(loaded) struct loaded l = {0};
	JIC_CLEAR(loaded) struct loaded again = {0};
	JIC_CLEAR(jic_buf) struct jic_buf first = {0};
	load(&l, "[limits]\nblob_bytes_max = \"3M\"\n", "--require-token", no_environment);
	cr_assert(l.ok);
	jic_config_print(&l.config, &first);
	load(&again, jic_buf_str(&first), NULL, no_environment);
	cr_assert(again.ok, "%s", again.err.text);
	for (unsigned i = 0; i < JIC_CONFIG_COUNT; i++) {
		cr_assert_eq(again.config.values[i].number, l.config.values[i].number);
		cr_assert_eq(again.config.values[i].source, JIC_SOURCE_FILE);
	}
}
