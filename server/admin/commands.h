/**
 * The commands of jicached: one function each, called by main.c from the table there. Results go to stdout, the rest to
 * stderr.
 */
#ifndef JIC_SERVER_ADMIN_COMMANDS_H
#define JIC_SERVER_ADMIN_COMMANDS_H

#include "server/admin/config.h"
#include "server/store/store.h"

/** A certificate that expires within this is worth a word. */
enum { JIC_CERTIFICATE_WARN_S = 21 * 86400 };

/** Exit statuses. */
enum { JIC_EXIT_OK = 0, JIC_EXIT_FAILED = 1, JIC_EXIT_USAGE = 2 };

/** What a command gets: its options, and the settings that they, the environment and the file give. */
struct jic_admin {
	const struct jic_options *options;
	const struct jic_config *config;
	struct jic_arena *arena;
	struct jic_buf *out; /**< written to stdout when the command succeeds */
	int *status;         /**< what a command that succeeds ends with, for those whose answer can be no */
};

/** @return false with err: JIC_EUSAGE gives exit status 2, everything else 1 */
typedef bool jic_admin_fn(const struct jic_admin *a, struct jic_error *err);

/* cmd_serve.c */
bool jic_cmd_serve(const struct jic_admin *a, struct jic_error *err);
/** What serve looks at before it touches the data: also what `config check` checks. */
jic_must_check bool jic_serve_check(const struct jic_admin *a, struct jic_error *err);
/* cmd_config.c */
bool jic_cmd_config_show(const struct jic_admin *a, struct jic_error *err);
bool jic_cmd_config_check(const struct jic_admin *a, struct jic_error *err);
bool jic_cmd_config_reference(const struct jic_admin *a, struct jic_error *err);
/** The beginning of jicached.toml(5), from the table of settings. */
jic_must_check bool jic_config_manual(struct jic_buf *out, struct jic_error *err);
/* cmd_token.c */
bool jic_cmd_token_create(const struct jic_admin *a, struct jic_error *err);
bool jic_cmd_token_list(const struct jic_admin *a, struct jic_error *err);
bool jic_cmd_token_rotate(const struct jic_admin *a, struct jic_error *err);
bool jic_cmd_token_revoke(const struct jic_admin *a, struct jic_error *err);
/* cmd_lane.c */
bool jic_cmd_lane_list(const struct jic_admin *a, struct jic_error *err);
bool jic_cmd_lane_create(const struct jic_admin *a, struct jic_error *err);
bool jic_cmd_lane_limit(const struct jic_admin *a, struct jic_error *err);
bool jic_cmd_lane_promote(const struct jic_admin *a, struct jic_error *err);
bool jic_cmd_lane_drop(const struct jic_admin *a, struct jic_error *err);
/* cmd_status.c */
bool jic_cmd_status(const struct jic_admin *a, struct jic_error *err);
/* cmd_stats.c */
bool jic_cmd_stats(const struct jic_admin *a, struct jic_error *err);
/* cmd_fsck.c */
bool jic_cmd_fsck(const struct jic_admin *a, struct jic_error *err);
/* cmd_backup.c */
bool jic_cmd_backup(const struct jic_admin *a, struct jic_error *err);
bool jic_cmd_restore(const struct jic_admin *a, struct jic_error *err);
/* cmd_export.c */
bool jic_cmd_export(const struct jic_admin *a, struct jic_error *err);
bool jic_cmd_import(const struct jic_admin *a, struct jic_error *err);
/* cmd_pin.c */
bool jic_cmd_pin(const struct jic_admin *a, struct jic_error *err);
bool jic_cmd_unpin(const struct jic_admin *a, struct jic_error *err);
bool jic_cmd_pins(const struct jic_admin *a, struct jic_error *err);
/* cmd_gc.c */
bool jic_cmd_gc(const struct jic_admin *a, struct jic_error *err);
bool jic_cmd_purge(const struct jic_admin *a, struct jic_error *err);
/* cmd_recall.c */
bool jic_cmd_recall(const struct jic_admin *a, struct jic_error *err);
bool jic_cmd_recalls(const struct jic_admin *a, struct jic_error *err);
/* main.c */
bool jic_cmd_completion(const struct jic_admin *a, struct jic_error *err);
bool jic_cmd_manual(const struct jic_admin *a, struct jic_error *err);
bool jic_cmd_version(const struct jic_admin *a, struct jic_error *err);

/** Open the data directory beside a server that may be running. @param create make it when absent, else JIC_ENOTFOUND
 */
struct jic_store *jic_admin_open(const struct jic_admin *a, bool create, struct jic_error *err);

/** What the settings say of signatures. */
enum { JIC_SIGNERS_MAX = 256 };
struct jic_admin_signatures {
	struct jic_view lanes;                      /**< patterns of those that take only what is signed */
	struct jic_digest signers[JIC_SIGNERS_MAX]; /**< public keys */
	size_t signers_count;
};
jic_must_check bool jic_admin_signatures(const struct jic_config *c, struct jic_admin_signatures *out,
                                         struct jic_error *err);

/** As jic_admin_open() without making it, for who publishes: these signatures are taken. Borrowed for the store's life.
 */
struct jic_store *jic_admin_open_for(const struct jic_admin *a, const struct jic_admin_signatures *signatures,
                                     struct jic_error *err);

/** A required option's value. NULL with JIC_EUSAGE. */
const char *jic_admin_required(const struct jic_admin *a, const char *option, struct jic_error *err);

uint64_t jic_admin_now_s(void); /**< Unix time */

/** "2026-01-31 09:15" in UTC, or `never` for 0. */
void jic_admin_time(uint64_t time_s, const char *never, struct jic_buf *out);

#endif
