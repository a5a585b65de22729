/**
 * What the commands share: the option tables, opening a session from them, and saying what a report says.
 * The command-line tool knows the public API of libjicache and nothing of its insides.
 */
#ifndef JIC_CLIENT_CLI_H
#define JIC_CLIENT_CLI_H

#include "client/cli/progress.h"
#include "common/options.h"

#include <jicache/jicache.h>

/** Exit statuses; `run` passes its command's own through. */
enum jic_exit {
	JIC_EXIT_DONE = 0,
	JIC_EXIT_FAILED = 1,
	JIC_EXIT_USAGE = 2,
	JIC_EXIT_MISSING = 3, /**< something asked for with --require is missing */
};

/** One command: parsed options and what was opened for them. */
struct jic_cli {
	const struct jic_options *options;
	struct jic_progress_bar bar;
	bool json, quiet, require;
};

/** The commands; each returns an exit status. */
int jic_cmd_pull(struct jic_cli *cli);
int jic_cmd_push(struct jic_cli *cli);
int jic_cmd_run(struct jic_cli *cli);
int jic_cmd_precompile(struct jic_cli *cli);
int jic_cmd_key(struct jic_cli *cli);
int jic_cmd_status(struct jic_cli *cli);
int jic_cmd_why(struct jic_cli *cli);
int jic_cmd_inspect(struct jic_cli *cli);
int jic_cmd_ls(struct jic_cli *cli);
int jic_cmd_verify(struct jic_cli *cli);
int jic_cmd_gc(struct jic_cli *cli);
int jic_cmd_where(struct jic_cli *cli);
int jic_cmd_doctor(struct jic_cli *cli);
int jic_cmd_keygen(struct jic_cli *cli);

/** JICACHE_DISABLE is set, and not to 0: be as if we were not there. */
bool jic_cli_is_disabled(void);

/** Session options as the command line gives them; `o` borrows from it. */
void jic_cli_session_options(struct jic_cli *cli, struct jic_session_options *o);

/** "jicache: text" on stderr. @return JIC_EXIT_FAILED; JIC_EXIT_USAGE for JIC_EUSAGE */
int jic_cli_fail(const struct jic_error *err);
void jic_cli_warn(const struct jic_cli *cli, const char *text);

/** Warnings and the summary line to stderr, JSON to stdout with --json. */
void jic_cli_tell(struct jic_cli *cli, const struct jic_report *report);

/** Open a session, run one operation on it, tell its report; for the commands that do just that. */
typedef struct jic_report *jic_operation_fn(struct jic_session *s, struct jic_error *err);
/** @param show prints the report for people when --json was not given; NULL: the summary says it all */
int jic_cli_operate(struct jic_cli *cli, jic_operation_fn *operation, void (*show)(const struct jic_report *report));

#endif
