/* jicached: the table of commands, and the way from argv to one of them. Only here something is printed on failure. */
#include "server/admin/commands.h"

#include <stdio.h>

static const struct jic_option serve_options[] = {
    {.name = "config", .letter = 'c', .value = "FILE", .help = "settings in TOML"},
#define JIC_CONFIG(setting, kind, key, flag, fallback, min, max, value_name, text)                                     \
	{.name = flag, .value = value_name, .help = text " (default " fallback ")"},
#include "server/tables/config.def"
#undef JIC_CONFIG
    {.name = "print-config", .help = "print all settings and where each comes from, and end"},
};

#define DATA_OPTIONS                                                                                                   \
	{.name = "config", .letter = 'c', .value = "FILE", .help = "settings in TOML"},                                \
	{                                                                                                              \
		.name = "data", .value = "DIR", .help = "the data directory (default ./jicache-data)"                  \
	}
#define JSON_OPTION                                                                                                    \
	{                                                                                                              \
		.name = "json", .help = "machine-readable output"                                                      \
	}

static const struct jic_option token_create_options[] = {
    DATA_OPTIONS,
    {.name = "name", .value = "NAME", .help = "shown in logs and as who published; required, unique"},
    {.name = "can", .value = "LIST", .help = "read, write, admin, joined by commas (default read)"},
    {.name = "lanes", .value = "LIST", .help = "lanes or patterns, joined by commas: main,pr/* (default main)"},
    {.name = "expires", .value = "TIME", .help = "90d, 12h, … or never (default never)"},
    JSON_OPTION,
};
static const struct jic_option token_revoke_options[] = {
    DATA_OPTIONS,
    {.name = "name", .value = "NAME", .help = "of the token; required"},
};
static const struct jic_option lane_create_options[] = {
    DATA_OPTIONS,
    {.name = "name", .value = "NAME", .help = "segments of letters, digits, . _ - joined by slashes; required"},
    {.name = "parent", .value = "NAME", .help = "the lane that its readers see beneath it (default none)"},
};
static const struct jic_option fsck_options[] = {
    DATA_OPTIONS,
    {.name = "repair", .help = "take out what is damaged; the server must not run"},
    JSON_OPTION,
};
static const struct jic_option data_options[] = {DATA_OPTIONS};
static const struct jic_option list_options[] = {DATA_OPTIONS, JSON_OPTION};

enum { SERVE, TOKEN_CREATE, TOKEN_LIST, TOKEN_REVOKE, LANE_LIST, LANE_CREATE, STATUS, FSCK, PIN, UNPIN, PINS, VERSION };

static jic_admin_fn *const functions[] = {[SERVE] = jic_cmd_serve,
                                          [TOKEN_CREATE] = jic_cmd_token_create,
                                          [TOKEN_LIST] = jic_cmd_token_list,
                                          [TOKEN_REVOKE] = jic_cmd_token_revoke,
                                          [LANE_LIST] = jic_cmd_lane_list,
                                          [LANE_CREATE] = jic_cmd_lane_create,
                                          [STATUS] = jic_cmd_status,
                                          [FSCK] = jic_cmd_fsck,
                                          [PIN] = jic_cmd_pin,
                                          [UNPIN] = jic_cmd_unpin,
                                          [PINS] = jic_cmd_pins,
                                          [VERSION] = jic_cmd_version};

#define OPTIONS(table) .options = (table), .options_count = JIC_COUNT(table)
static const struct jic_command commands[] = {
    {.name = "serve",
     .summary = "Serve a data directory over HTTP",
     .details = "A setting comes from its flag, else from the environment (JICACHED_ and its key in upper\n"
                "case: JICACHED_LIMITS_THREADS), else from the file, else it is the default.\n"
                "SIGTERM and SIGINT end the server after the requests that are under way; SIGHUP reads the\n"
                "certificate and what belongs to it again, which also happens when a file changes.",
     .id = SERVE,
     OPTIONS(serve_options)},
    {.name = "token create",
     .summary = "Create a token and print its secret, which is kept nowhere",
     .id = TOKEN_CREATE,
     OPTIONS(token_create_options)},
    {.name = "token list", .summary = "List tokens", .id = TOKEN_LIST, OPTIONS(list_options)},
    {.name = "token revoke",
     .summary = "Revoke a token, at once for a running server too",
     .id = TOKEN_REVOKE,
     OPTIONS(token_revoke_options)},
    {.name = "lane list", .summary = "List lanes", .id = LANE_LIST, OPTIONS(list_options)},
    {.name = "lane create", .summary = "Create a lane", .id = LANE_CREATE, OPTIONS(lane_create_options)},
    {.name = "status", .summary = "Show what a data directory holds", .id = STATUS, OPTIONS(list_options)},
    {.name = "fsck",
     .summary = "Check a data directory, byte by byte",
     .details = "Every blob is read and compared with its digest, every artefact with its record, its address and\n"
                "what it requires. Works beside a running server. Exit status 0: clean, 1: there are findings.\n"
                "--repair withdraws artefacts with a finding and all that require them, and moves damaged blobs\n"
                "to quarantine/ in the data directory. Clients compile and publish them anew.",
     .id = FSCK,
     OPTIONS(fsck_options)},
    {.name = "pin",
     .summary = "Keep artefacts from being evicted, with all that they require",
     .details = "WHAT is a package's name, a Merkle key, or an address: runtime/sysimage/key.",
     .positional = "WHAT",
     .positional_min = 1,
     .positional_max = 1,
     .id = PIN,
     OPTIONS(data_options)},
    {.name = "unpin",
     .summary = "Undo a pin",
     .positional = "WHAT",
     .positional_min = 1,
     .positional_max = 1,
     .id = UNPIN,
     OPTIONS(data_options)},
    {.name = "pins", .summary = "List pins", .id = PINS, OPTIONS(list_options)},
    {.name = "version", .summary = "Print the version", .id = VERSION},
};

bool jic_cmd_version(const struct jic_admin *a, struct jic_error *err)
{
	jic_buf_puts(a->out, "jicached " JIC_VERSION "\n");
	return jic_buf_ok(a->out, err);
}

static int print(const struct jic_buf *out)
{
	bool written = !out->failed && fwrite(jic_buf_str(out), 1, out->len, stdout) == out->len && fflush(stdout) == 0;
	if (!written)
		fputs("jicached: can't write the output\n", stderr);
	return written ? JIC_EXIT_OK : JIC_EXIT_FAILED;
}

static int report(const struct jic_command *command, const struct jic_error *err)
{
	fprintf(stderr, "jicached: %s\n", err->text);
	if (err->code != JIC_EUSAGE)
		return JIC_EXIT_FAILED;
	fprintf(stderr, "jicached %s --help tells more\n", command->name);
	return JIC_EXIT_USAGE;
}

static int run_command(const struct jic_command *command, const char *const *argv, size_t argc)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	JIC_CLEAR(jic_buf) struct jic_buf out = {0};
	struct jic_error err = {0};
	struct jic_options options;
	struct jic_config config;
	if (!jic_options_parse(command, argv, argc, &arena, &options, &err))
		return report(command, &err);
	if (options.help) {
		jic_command_help(command, "jicached", &out);
		return print(&out);
	}
	int status = JIC_EXIT_OK;
	const struct jic_admin a = {
	    .options = &options, .config = &config, .arena = &arena, .out = &out, .status = &status};
	if (!jic_config_load(&options, getenv, &arena, &config, &err) || !functions[command->id](&a, &err))
		return report(command, &err);
	int printed = print(&out);
	return printed == JIC_EXIT_OK ? status : printed;
}

static int print_commands(FILE *to)
{
	JIC_CLEAR(jic_buf) struct jic_buf out = {0};
	jic_commands_help(commands, JIC_COUNT(commands), "jicached",
	                  "A shared cache server for Julia's precompile files.", &out);
	fputs(jic_buf_str(&out), to);
	return to == stdout ? JIC_EXIT_OK : JIC_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const char *const *arguments = (const char *const *)(argv + (argc > 0));
	size_t count = argc > 0 ? (size_t)argc - 1 : 0, used;
	if (count == 0)
		return print_commands(stderr);
	if (strcmp(arguments[0], "--help") == 0 || strcmp(arguments[0], "-h") == 0 || strcmp(arguments[0], "help") == 0)
		return print_commands(stdout);
	if (strcmp(arguments[0], "--version") == 0)
		return run_command(&commands[VERSION], NULL, 0);
	const struct jic_command *command = jic_command_find(commands, JIC_COUNT(commands), arguments, count, &used);
	if (command)
		return run_command(command, arguments + used, count - used);
	fprintf(stderr, "jicached: unknown command \"%s\"\n\n", arguments[0]);
	return print_commands(stderr);
}
