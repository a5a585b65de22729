/**
 * SIGHUP: read the settings again, as the start did, from options, environment and file. What can change in a running
 * server changes (server/tables/reload.def); what can't is named in the log; with a mistake anywhere, nothing changes.
 */
#ifndef JIC_SERVER_ADMIN_RELOAD_H
#define JIC_SERVER_ADMIN_RELOAD_H

#include "server/admin/config.h"
#include "server/auth/gate.h"
#include "server/http/load.h"
#include "server/store/keeper.h"
#include "server/store/scrub.h"

/** The parts of a running server that settings reach, all borrowed. */
struct jic_reload {
	const struct jic_options *options;
	const struct jic_config *started; /**< what the server was started with: still true for all that can't change */
	struct jic_log *log;
	struct jic_store *store;
	struct jic_gate *gate;
	struct jic_load *load;
	struct jic_scrub *scrub;
	struct jic_keeper *keeper;

	/* Its own: zero at the start. */
	struct jic_config config; /**< as last read; meaningless before the first time */
	struct jic_arena arena;
	bool read;
};

/** What is in effect. */
const struct jic_config *jic_reload_current(const struct jic_reload *r);
/** @return false with what jic_config_load() says; the settings that were there are kept then */
jic_must_check bool jic_reload_config(struct jic_reload *r, struct jic_error *err);
void jic_reload_clear(struct jic_reload *r);

/** "error", "warn", "info" or "debug". @return false with JIC_EUSAGE */
jic_must_check bool jic_config_log_level(const struct jic_config *c, enum jic_log_level *out, struct jic_error *err);

#endif
