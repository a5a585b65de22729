/* jicache: the command table, and nothing else. One file a command family; each sees the public API only. */
#include "client/cli/cli.h"
#include "client/cli/masquerade.h"
#include "common/manual.h"

#include <stdio.h>
#include <string.h>

#define TAGLINE "share Julia's precompile caches between machines"

enum {
	CMD_PULL,
	CMD_PUSH,
	CMD_RUN,
	CMD_PRECOMPILE,
	CMD_KEY,
	CMD_STATUS,
	CMD_WHY,
	CMD_INSPECT,
	CMD_LS,
	CMD_GC,
	CMD_WHERE,
	CMD_VERIFY,
	CMD_DOCTOR,
	CMD_KEYGEN,
	CMD_COMPLETION,
	CMD_MANUAL
};

#define OPTIONS_ENVIRONMENT                                                                                            \
	{"project", 0, "DIR", "the environment, as Julia's --project takes it (JULIA_PROJECT)"},                       \
	    {"julia", 0, "PATH", "the Julia that will load (JULIA, else `julia` on PATH)"},                            \
	    {"julia-args", 0, "OPTIONS", "its options as far as caches depend on them, \"--check-bounds=yes -O3\""},   \
	    {"script", 0, "FILE", "the program that will run, for @script in LOAD_PATH (Julia 1.11+)"},                \
	    {"depot", 0, "DIR", "depot to fill and look into, besides Julia's own"},                                   \
	{                                                                                                              \
		"quiet", 'q', NULL, "no summary, no warnings"                                                          \
	}
#define OPTIONS_SERVER                                                                                                 \
	{"url", 0, "URL", "the server, also unix:///PATH (JICACHE_URL, else http://127.0.0.1:8787)"},                  \
	    {"token", 0, "TOKEN", "who we are there (JICACHE_TOKEN)"},                                                 \
	    {"ca-file", 0, "FILE", "who signs the server's certificate (JICACHE_CA_FILE, else the system's list)"},    \
	    {"client-certificate", 0, "FILE", "our own, instead of a token (JICACHE_CLIENT_CERTIFICATE)"},             \
	    {"client-key", 0, "FILE", "its key (JICACHE_CLIENT_KEY, else in the same file)"},                          \
	{                                                                                                              \
		"lane", 0, "LANE", "the trust lane to read and write (JICACHE_LANE)"                                   \
	}
#define OPTION_TARGET                                                                                                  \
	{                                                                                                              \
		"target", 0, "test", "what Pkg.test would use for this package: its environment and flags"             \
	}
#define OPTION_JSON                                                                                                    \
	{                                                                                                              \
		"json", 0, NULL, "the report as JSON on stdout"                                                        \
	}
#define OPTION_REQUIRE                                                                                                 \
	{                                                                                                              \
		"require", 0, NULL, "exit with 3 when something is missing or the server is away"                      \
	}

static const struct jic_option status_options[] = {OPTIONS_ENVIRONMENT, OPTION_TARGET, OPTIONS_SERVER, OPTION_JSON,
                                                   OPTION_REQUIRE};
static const struct jic_option pull_options[] = {
    OPTIONS_ENVIRONMENT,
    OPTION_TARGET,
    OPTIONS_SERVER,
    OPTION_JSON,
    OPTION_REQUIRE,
    {"compiled", 0, NULL, "Julia has just compiled what it could: remember as failed what has no cache"},
};
static const struct jic_option push_options[] = {
    OPTIONS_ENVIRONMENT,
    OPTION_TARGET,
    OPTIONS_SERVER,
    OPTION_JSON,
    OPTION_REQUIRE,
    {"if-changed", 0, "STATE", "only when what is local differs from STATE (what a link named julia passes on)"},
};
static const struct jic_option run_options[] = {OPTIONS_ENVIRONMENT, OPTION_TARGET, OPTIONS_SERVER, OPTION_REQUIRE};
static const struct jic_option precompile_options[] = {
    OPTIONS_ENVIRONMENT,
    OPTION_TARGET,
    OPTIONS_SERVER,
    OPTION_REQUIRE,
    {"wait", 0, "TIME",
     "for machines that compile the same, in all (default 10m); 0: neither wait nor make others wait"},
    {"hold", 0, NULL, "compile nothing; let others wait until standard input ends (what JICache.precompile() does)"},
};
static const struct jic_option key_options[] = {OPTIONS_ENVIRONMENT, OPTION_TARGET, OPTION_JSON};
static const struct jic_option local_options[] = {OPTIONS_ENVIRONMENT, OPTION_JSON};
static const struct jic_option why_options[] = {OPTIONS_ENVIRONMENT, OPTION_TARGET, OPTIONS_SERVER, OPTION_JSON};
static const struct jic_option list_options[] = {
    OPTIONS_ENVIRONMENT, OPTION_JSON, {"all", 0, NULL, "of every Julia version, not only of this one"}};
static const struct jic_option doctor_options[] = {OPTIONS_ENVIRONMENT, OPTIONS_SERVER, OPTION_JSON};
static const struct jic_option gc_options[] = {
    OPTIONS_ENVIRONMENT,
    OPTION_JSON,
    {"older-than", 0, "AGE", "only what was not used for so long: 12h, 30d, 8w"},
    {"max-size", 0, "SIZE", "usable ones too, least recently used first, until no more is left: 500M, 10G"},
    {"julia-own", 0, NULL, "also what Julia compiled by itself"},
    {"dry-run", 0, NULL, "remove nothing, only say what would go and why"},
};
static const struct jic_option keygen_options[] = {
    OPTION_JSON,
    {"quiet", 'q', NULL, "no summary"},
    {"out", 0, "FILE", "the private key (default: signing-key.pem beside config.toml)"},
    {"name", 0, "NAME", "of the public key, for people (default: user@host)"},
};
static const struct jic_option inspect_options[] = {OPTION_JSON, {"quiet", 'q', NULL, "no summary"}};

static const struct jic_option manual_options[] = {{"list", 0, NULL, "the names of all commands instead"}};

#define OPTIONS(table) .options = table, .options_count = JIC_COUNT(table)

static const struct jic_command commands[] = {
    {.name = "pull",
     .id = CMD_PULL,
     .summary = "fetch what is missing locally, so that Julia loads without compiling",
     OPTIONS(pull_options)},
    {.name = "push",
     .id = CMD_PUSH,
     .summary = "publish what Julia compiled and the server lacks",
     OPTIONS(push_options)},
    {.name = "run",
     .id = CMD_RUN,
     .summary = "pull, run a command, push what it compiled",
     .details =
         "The exit status is the command's. When the command is `julia …`, its project and options are taken from\n"
         "it; when it is `python …` (ipython, jupyter), those that juliacall or PyJulia would use.\n"
         "JICACHE_DISABLE=1 runs the command and does nothing else.",
     .positional = "-- COMMAND…",
     .positional_min = 1,
     .positional_max = SIZE_MAX,
     .verbatim_tail = true,
     OPTIONS(run_options)},
    {.name = "precompile",
     .id = CMD_PRECOMPILE,
     .summary = "pull, let Julia compile what is missing, push: what CI calls",
     .details =
         "Packages that can't be precompiled are named and do not fail the command, unless --require is given.\n"
         "Of machines that start together on the same packages each is compiled by one: the others wait for it and\n"
         "fetch what it published. One that dies is no longer waited for after a minute.",
     OPTIONS(precompile_options)},
    {.name = "status",
     .id = CMD_STATUS,
     .summary = "what of this environment is local, on the server, nowhere",
     OPTIONS(status_options)},
    {.name = "why",
     .id = CMD_WHY,
     .summary = "why packages are not on the server: the first input that differs, and what would help",
     .details = "Without PACKAGE all that missed, grouped by cause. An extension is called Parent/Name.",
     .positional = "[PACKAGE]",
     .positional_max = 1,
     OPTIONS(why_options)},
    {.name = "key",
     .id = CMD_KEY,
     .summary = "runtime, system image and every package with its inputs and key",
     OPTIONS(key_options)},
    {.name = "inspect",
     .id = CMD_INSPECT,
     .summary = "all that the header of a cache file says",
     .positional = "FILE.ji",
     .positional_min = 1,
     .positional_max = 1,
     OPTIONS(inspect_options)},
    {.name = "ls",
     .id = CMD_LS,
     .summary = "the local caches in words, and which environments they are for",
     OPTIONS(list_options)},
    {.name = "gc",
     .id = CMD_GC,
     .summary = "remove local caches that no known environment can use",
     .details = "Known are environments that jicache has seen and whose project file still exists. What a running\n"
                "process has open stays, and what it was compiled against. Of what Julia compiled nothing goes\n"
                "without --julia-own.",
     OPTIONS(gc_options)},
    {.name = "where", .id = CMD_WHERE, .summary = "every place that jicache keeps anything in", OPTIONS(local_options)},
    {.name = "doctor",
     .id = CMD_DOCTOR,
     .summary = "whether Julia, project, depot and server are as they should be, and what to do if not",
     .details = "The exit status is 1 when something is wrong.",
     OPTIONS(doctor_options)},
    {.name = "keygen",
     .id = CMD_KEYGEN,
     .summary = "make a key to sign with, and print its public half for trusted_keys",
     .details = "The private key is Ed25519 in PEM, mode 0600; a file that exists is never overwritten. Sign with\n"
                "it by signing_key in config.toml or JICACHE_SIGNING_KEY (its path, or the PEM text itself).",
     OPTIONS(keygen_options)},
    {.name = "verify",
     .id = CMD_VERIFY,
     .summary = "which local caches of this environment Julia would refuse, and why",
     .details = "Reads every file and checks every checksum. The exit status is 1 when a file is damaged or\n"
                "was recalled by the server's administrator.",
     OPTIONS(doctor_options)},
    {.name = "completion",
     .id = CMD_COMPLETION,
     .summary = "print what makes a shell complete command lines of jicache",
     .details = "SHELL is bash, zsh or fish. Try: source <(jicache completion bash)",
     .positional = "SHELL",
     .positional_min = 1,
     .positional_max = 1},
    {.name = "manual",
     .id = CMD_MANUAL,
     .summary = "print the manual page of jicache or of a command, in mdoc",
     .details = "To read one that is not installed: jicache manual pull | man -l -",
     .positional = "[COMMAND]",
     .positional_max = 2,
     OPTIONS(manual_options)},
};

static const struct jic_program program = {
    .name = "jicache", .tagline = TAGLINE, .section = 1, .commands = commands, .count = JIC_COUNT(commands)};

/* What is said from the tables alone. */
static int tell_tables(const struct jic_options *o, int id)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	struct jic_error err = {0};
	const bool told = id == CMD_COMPLETION ? jic_completion(&program, jic_view_of(o->positional[0]), &text, &err)
	                                       : jic_manual_command(&program, o->positional, o->positional_count,
	                                                            jic_options_has(o, "list"), &text, &err);
	if (!told)
		return jic_cli_fail(&err);
	fputs(jic_buf_str(&text), stdout);
	return fflush(stdout) == 0 ? JIC_EXIT_DONE : JIC_EXIT_FAILED;
}

static int dispatch(struct jic_cli *cli, int id)
{
	switch (id) {
	case CMD_PULL:
		return jic_cmd_pull(cli);
	case CMD_PUSH:
		return jic_cmd_push(cli);
	case CMD_RUN:
		return jic_cmd_run(cli);
	case CMD_PRECOMPILE:
		return jic_cmd_precompile(cli);
	case CMD_KEY:
		return jic_cmd_key(cli);
	case CMD_STATUS:
		return jic_cmd_status(cli);
	case CMD_WHY:
		return jic_cmd_why(cli);
	case CMD_LS:
		return jic_cmd_ls(cli);
	case CMD_GC:
		return jic_cmd_gc(cli);
	case CMD_WHERE:
		return jic_cmd_where(cli);
	case CMD_VERIFY:
		return jic_cmd_verify(cli);
	case CMD_DOCTOR:
		return jic_cmd_doctor(cli);
	case CMD_KEYGEN:
		return jic_cmd_keygen(cli);
	case CMD_COMPLETION:
	case CMD_MANUAL:
		return tell_tables(cli->options, id);
	default:
		return jic_cmd_inspect(cli);
	}
}

static int print_help(const struct jic_command *command, FILE *to)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	if (command)
		jic_command_help(command, "jicache", &text);
	else
		jic_commands_help(commands, JIC_COUNT(commands), "jicache", TAGLINE, &text);
	fputs(jic_buf_str(&text), to);
	return to == stdout ? JIC_EXIT_DONE : JIC_EXIT_USAGE;
}

static int run(const struct jic_command *command, const char *const *argv, size_t argc, struct jic_arena *arena)
{
	struct jic_error err = {0};
	struct jic_options options;
	if (!jic_options_parse(command, argv, argc, arena, &options, &err)) {
		fprintf(stderr, "jicache %s: %s (see jicache %s --help)\n", command->name, err.text, command->name);
		return JIC_EXIT_USAGE;
	}
	if (options.help)
		return print_help(command, stdout);
	struct jic_cli cli = {
	    .options = &options,
	    .json = jic_options_has(&options, "json"),
	    .quiet = jic_options_has(&options, "quiet"),
	    .require = jic_options_has(&options, "require"),
	};
	return dispatch(&cli, command->id);
}

int main(int argc, char **argv)
{
	const char *const *arguments = (const char *const *)(uintptr_t)(argv + 1);
	size_t count = argc > 0 ? (size_t)argc - 1 : 0, used;
	if (jic_masquerade_is((const char *const *)(uintptr_t)argv))
		return jic_masquerade_run((const char *const *)(uintptr_t)argv);
	if (count == 0)
		return print_help(NULL, stderr);
	if (strcmp(arguments[0], "--help") == 0 || strcmp(arguments[0], "-h") == 0 || strcmp(arguments[0], "help") == 0)
		return print_help(NULL, stdout);
	if (strcmp(arguments[0], "--version") == 0 || strcmp(arguments[0], "version") == 0) {
		printf("jicache %s\n", jic_version());
		return JIC_EXIT_DONE;
	}
	const struct jic_command *command = jic_command_find(commands, JIC_COUNT(commands), arguments, count, &used);
	if (!command) {
		fprintf(stderr, "jicache: there is no command \"%s\" (see jicache --help)\n", arguments[0]);
		return JIC_EXIT_USAGE;
	}
	struct jic_arena arena = {0};
	int status = run(command, arguments + used, count - used, &arena);
	jic_arena_clear(&arena);
	return status;
}
