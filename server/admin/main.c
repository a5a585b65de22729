/* jicached: the table of commands, and the way from argv to one of them. Only here something is printed on failure. */
#include "server/admin/commands.h"

#include "common/manual.h"

#include <stdio.h>

#define JIC_CONFIG(setting, kind, key, flag, fallback, min, max, value_name, text)                                     \
	{.name = flag, .value = value_name, .help = text " (default " fallback ")"},
#define TAGLINE "A shared cache server for Julia's precompile files"

static const struct jic_option serve_options[] = {
    {.name = "config", .letter = 'c', .value = "FILE", .help = "settings in TOML"},
#include "server/tables/config.def"
    {.name = "print-config", .help = "print all settings and where each comes from, and end"},
};
static const struct jic_option config_options[] = {
    {.name = "config", .letter = 'c', .value = "FILE", .help = "settings in TOML"},
#include "server/tables/config.def"
    {.name = "json", .help = "machine-readable output"},
};
#undef JIC_CONFIG

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
    {.name = "lane-parent",
     .value = "NAME",
     .help = "make lanes that it may write and that don't exist, below this one"},
    JSON_OPTION,
};
static const struct jic_option token_rotate_options[] = {
    DATA_OPTIONS,
    {.name = "name", .value = "NAME", .help = "of the token; required"},
    {.name = "grace", .value = "TIME", .help = "for which the old secret stays valid, at most 90d (default 0s)"},
    JSON_OPTION,
};
static const struct jic_option token_revoke_options[] = {
    DATA_OPTIONS,
    {.name = "name", .value = "NAME", .help = "of the token; required"},
};
#define LANE_LIMITS                                                                                                    \
	{.name = "quota", .value = "BYTES", .help = "that its artefacts may take on disk, as 20G; 0: no quota"},       \
	{                                                                                                              \
		.name = "max-age", .value = "TIME",                                                                    \
		.help = "after which artefacts that nobody uses are evicted, as 14d; 0s: as in other lanes"            \
	}
static const struct jic_option lane_limit_options[] = {
    DATA_OPTIONS,
    {.name = "name", .value = "NAME", .help = "of the lane; required"},
    LANE_LIMITS,
};
static const struct jic_option lane_create_options[] = {
    DATA_OPTIONS,
    {.name = "name", .value = "NAME", .help = "segments of letters, digits, . _ - joined by slashes; required"},
    {.name = "parent", .value = "NAME", .help = "the lane that its readers see beneath it (default none)"},
    LANE_LIMITS,
};
static const struct jic_option lane_change_options[] = {
    DATA_OPTIONS,
    {.name = "name", .value = "NAME", .help = "of the lane; required"},
    JSON_OPTION,
};
static const struct jic_option fsck_options[] = {
    DATA_OPTIONS,
    {.name = "repair", .help = "take out what is damaged; the server must not run"},
    JSON_OPTION,
};
static const struct jic_option gc_options[] = {
    DATA_OPTIONS,
    {.name = "older-than", .value = "AGE", .help = "12h, 30d, 26w (default limits.unused_artefact_age)"},
    {.name = "yes", .help = "do it; without only say what would go"},
    JSON_OPTION,
};
static const struct jic_option purge_options[] = {
    DATA_OPTIONS,
    {.name = "yes", .help = "do it; without only say what would go"},
    JSON_OPTION,
};
static const struct jic_option recall_options[] = {
    DATA_OPTIONS,
    {.name = "by", .value = "WHO", .help = "a signing key (its id), a token's name, or a CI run; required"},
    {.name = "yes", .help = "do it; without only say what would go"},
    {.name = "undo", .help = "let it be published again"},
    JSON_OPTION,
};
static const struct jic_option backup_options[] = {
    DATA_OPTIONS,
    {.name = "output", .letter = 'o', .value = "FILE", .help = "one new file instead of a directory"},
    JSON_OPTION,
};
static const struct jic_option export_options[] = {
    DATA_OPTIONS,
    {.name = "output", .letter = 'o', .value = "FILE", .help = "the archive, a new file; - (default): standard output"},
    JSON_OPTION,
};
static const struct jic_option import_options[] = {
    DATA_OPTIONS,
    {.name = "lane", .value = "NAME", .help = "to take it into (default: as the archive says)"},
    JSON_OPTION,
};
static const struct jic_option data_options[] = {DATA_OPTIONS};
static const struct jic_option list_options[] = {DATA_OPTIONS, JSON_OPTION};

static const struct jic_option manual_options[] = {
    {.name = "list", .help = "the names of all commands instead"},
    {.name = "settings", .help = "the page of the settings file instead"},
};

enum {
	SERVE,
	TOKEN_CREATE,
	TOKEN_LIST,
	TOKEN_ROTATE,
	TOKEN_REVOKE,
	LANE_LIST,
	LANE_CREATE,
	LANE_LIMIT,
	LANE_PROMOTE,
	LANE_DROP,
	STATUS,
	STATS,
	FSCK,
	BACKUP,
	RESTORE,
	EXPORT,
	IMPORT,
	PIN,
	UNPIN,
	PINS,
	GC,
	PURGE,
	RECALL,
	RECALLS,
	CONFIG_SHOW,
	CONFIG_CHECK,
	CONFIG_REFERENCE,
	COMPLETION,
	MANUAL,
	VERSION
};

static jic_admin_fn *const functions[] = {[SERVE] = jic_cmd_serve,
                                          [TOKEN_CREATE] = jic_cmd_token_create,
                                          [TOKEN_LIST] = jic_cmd_token_list,
                                          [TOKEN_ROTATE] = jic_cmd_token_rotate,
                                          [TOKEN_REVOKE] = jic_cmd_token_revoke,
                                          [LANE_LIST] = jic_cmd_lane_list,
                                          [LANE_CREATE] = jic_cmd_lane_create,
                                          [LANE_LIMIT] = jic_cmd_lane_limit,
                                          [LANE_PROMOTE] = jic_cmd_lane_promote,
                                          [LANE_DROP] = jic_cmd_lane_drop,
                                          [STATUS] = jic_cmd_status,
                                          [STATS] = jic_cmd_stats,
                                          [FSCK] = jic_cmd_fsck,
                                          [BACKUP] = jic_cmd_backup,
                                          [RESTORE] = jic_cmd_restore,
                                          [EXPORT] = jic_cmd_export,
                                          [IMPORT] = jic_cmd_import,
                                          [PIN] = jic_cmd_pin,
                                          [UNPIN] = jic_cmd_unpin,
                                          [PINS] = jic_cmd_pins,
                                          [GC] = jic_cmd_gc,
                                          [PURGE] = jic_cmd_purge,
                                          [RECALL] = jic_cmd_recall,
                                          [RECALLS] = jic_cmd_recalls,
                                          [CONFIG_SHOW] = jic_cmd_config_show,
                                          [CONFIG_CHECK] = jic_cmd_config_check,
                                          [CONFIG_REFERENCE] = jic_cmd_config_reference,
                                          [COMPLETION] = jic_cmd_completion,
                                          [MANUAL] = jic_cmd_manual,
                                          [VERSION] = jic_cmd_version};

#define OPTIONS(table) .options = (table), .options_count = JIC_COUNT(table)
static const struct jic_command commands[] = {
    {.name = "serve",
     .summary = "Serve a data directory over HTTP",
     .details = "A setting comes from its flag, else from the environment (JICACHED_ and its key in upper\n"
                "case: JICACHED_LIMITS_THREADS), else from the file, else it is the default.\n"
                "SIGTERM and SIGINT end the server after the requests that are under way; SIGHUP reads\n"
                "the settings, the certificate and what belongs to it again; the log says what changed and what needs\n"
                "a restart. A certificate's file that changes is noticed without being asked.",
     .id = SERVE,
     OPTIONS(serve_options)},
    {.name = "token create",
     .summary = "Create a token and print its secret, which is kept nowhere",
     .id = TOKEN_CREATE,
     OPTIONS(token_create_options)},
    {.name = "token list", .summary = "List tokens", .id = TOKEN_LIST, OPTIONS(list_options)},
    {.name = "token rotate",
     .summary = "Give a token a new secret and print it, at once for a running server too",
     .id = TOKEN_ROTATE,
     OPTIONS(token_rotate_options)},
    {.name = "token revoke",
     .summary = "Revoke a token, at once for a running server too",
     .id = TOKEN_REVOKE,
     OPTIONS(token_revoke_options)},
    {.name = "lane list", .summary = "List lanes", .id = LANE_LIST, OPTIONS(list_options)},
    {.name = "lane create", .summary = "Create a lane", .id = LANE_CREATE, OPTIONS(lane_create_options)},
    {.name = "lane limit",
     .summary = "Change what a lane may keep, and for how long",
     .details = "What isn't given stays as it is. Works beside a running server.",
     .id = LANE_LIMIT,
     OPTIONS(lane_limit_options)},
    {.name = "lane promote",
     .summary = "Move what a lane has into its parent",
     .details = "WHAT is a package's name, a Merkle key, or an address: runtime/sysimage/key; with all that it\n"
                "requires. Without it everything goes. What the parent has at an address stays. Works beside a\n"
                "running server.",
     .positional = "[WHAT]…",
     .positional_max = 64,
     .id = LANE_PROMOTE,
     OPTIONS(lane_change_options)},
    {.name = "lane drop",
     .summary = "Withdraw a lane with all that only it has",
     .details = "Not main, and not a lane that has lanes below it. Works beside a running server, which removes\n"
                "the bytes when it sweeps.",
     .id = LANE_DROP,
     OPTIONS(lane_change_options)},
    {.name = "status", .summary = "Show what a data directory holds", .id = STATUS, OPTIONS(list_options)},
    {.name = "stats",
     .summary = "Show what a store has done: hits, misses, seconds saved, what each lane holds",
     .details = "What GET /v1/stats tells and the dashboard shows, for all lanes. Works beside a running server.",
     .id = STATS,
     OPTIONS(list_options)},
    {.name = "fsck",
     .summary = "Check a data directory, byte by byte",
     .details = "Every blob is read and compared with its digest, every artefact with its record, its address and\n"
                "what it requires. Works beside a running server. Exit status 0: clean, 1: there are findings.\n"
                "--repair withdraws artefacts with a finding and all that require them, and moves damaged blobs\n"
                "to quarantine/ in the data directory. Clients compile and publish them anew.",
     .id = FSCK,
     OPTIONS(fsck_options)},
    {.name = "backup",
     .summary = "Copy a data directory, as another or as one file, beside a server that goes on",
     .details = "DIR is made when absent. A copy that is there already is brought up to date: only what changed is\n"
                "written. On the same disk blobs become second names of the same files. Exit status 1 also when blobs\n"
                "had no bytes to copy.\n"
                "A place that ends in .tar becomes one new file, - is standard output.",
     .positional = "[DIR|FILE.tar|-]",
     .positional_max = 1,
     .id = BACKUP,
     OPTIONS(backup_options)},
    {.name = "restore",
     .summary = "Make a data directory of a backup, and check it byte by byte",
     .details =
         "DIR or FILE is what jicached backup has made, - standard input; it stays as it is. The data directory may\n"
         "not have a store yet.",
     .positional = "DIR|FILE|-",
     .positional_min = 1,
     .positional_max = 1,
     .id = RESTORE,
     OPTIONS(list_options)},
    {.name = "export",
     .summary = "Write a lane as a tar file, for a server that can't be reached",
     .details =
         "With all that it requires of the lanes above it, so that the file stands alone. What was stored at one\n"
         "moment, while the server goes on. Says what it wrote; to standard error when the archive goes to\n"
         "standard output. Exit status 1 also when artefacts had to be left out.",
     .positional = "LANE",
     .positional_min = 1,
     .positional_max = 1,
     .id = EXPORT,
     OPTIONS(export_options)},
    {.name = "import",
     .summary = "Take in what jicached export has written",
     .details = "FILE is - for standard input. Everything is checked as when a client publishes, signatures by the\n"
                "settings of --config; an address that has an artefact keeps it. Works beside a running server. Cut\n"
                "off, it leaves whole sets; doing it again goes on. Exit status 1 also when a set was refused.",
     .positional = "FILE",
     .positional_min = 1,
     .positional_max = 1,
     .id = IMPORT,
     OPTIONS(import_options)},
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
    {.name = "gc",
     .summary = "Take out what nobody used for a long time",
     .details = "Without --yes it only says how much that is. What is pinned stays, and what something younger\n"
                "requires. Works beside a running server, which removes the bytes later.",
     .id = GC,
     OPTIONS(gc_options)},
    {.name = "purge",
     .summary = "Take out a package, with all that was built on it",
     .details = "WHAT is PACKAGE or PACKAGE@VERSION, in all lanes and for all Julias. Without --yes it only says how\n"
                "much that is. Works beside a running server. Who compiles it publishes it anew: to prevent that,\n"
                "see recall.",
     .positional = "WHAT",
     .positional_min = 1,
     .positional_max = 1,
     .id = PURGE,
     OPTIONS(purge_options)},
    {.name = "recall",
     .summary = "Withdraw all that one key signed, one token published or one CI run made, for good",
     .details = "With all that was built on it. Without --yes it only says how much that is. Works beside a running\n"
                "server. What was recalled can't be published again, by nobody, and a recalled key signs nothing any\n"
                "more, until --undo. WHO is ambiguous? key:ID, token:NAME, run:URL.",
     .id = RECALL,
     OPTIONS(recall_options)},
    {.name = "recalls", .summary = "List recalls", .id = RECALLS, OPTIONS(list_options)},
    {.name = "config show",
     .summary = "Show every setting and where it comes from",
     .details = "Takes the options of serve. Origins are: default, the file and its line, environment, option.",
     .id = CONFIG_SHOW,
     OPTIONS(config_options)},
    {.name = "config check",
     .summary = "Find mistakes in the settings without starting a server",
     .details = "Takes the options of serve. Reads the file, and what its settings name: certificates and keys.",
     .id = CONFIG_CHECK,
     OPTIONS(config_options)},
    {.name = "config reference", .summary = "Print the table of all settings, in Markdown", .id = CONFIG_REFERENCE},
    {.name = "completion",
     .summary = "Print what makes a shell complete command lines of jicached",
     .details = "SHELL is bash, zsh or fish. Try: source <(jicached completion bash)",
     .positional = "SHELL",
     .positional_min = 1,
     .positional_max = 1,
     .id = COMPLETION},
    {.name = "manual",
     .summary = "Print the manual page of jicached or of a command, in mdoc",
     .details = "To read one that is not installed: jicached manual serve | man -l -",
     .positional = "[COMMAND]",
     .positional_max = 2,
     .id = MANUAL,
     OPTIONS(manual_options)},
    {.name = "version", .summary = "Print the version", .id = VERSION},
};

bool jic_cmd_version(const struct jic_admin *a, struct jic_error *err)
{
	jic_buf_puts(a->out, "jicached " JIC_VERSION "\n");
	return jic_buf_ok(a->out, err);
}

static const struct jic_program program = {
    .name = "jicached", .tagline = TAGLINE, .section = 8, .commands = commands, .count = JIC_COUNT(commands)};

bool jic_cmd_completion(const struct jic_admin *a, struct jic_error *err)
{
	return jic_completion(&program, jic_view_of(a->options->positional[0]), a->out, err);
}

bool jic_cmd_manual(const struct jic_admin *a, struct jic_error *err)
{
	if (jic_options_has(a->options, "settings"))
		return jic_config_manual(a->out, err);
	return jic_manual_command(&program, a->options->positional, a->options->positional_count,
	                          jic_options_has(a->options, "list"), a->out, err);
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
	jic_commands_help(commands, JIC_COUNT(commands), "jicached", TAGLINE, &out);
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
