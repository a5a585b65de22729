/**
 * libjicache: fetch and publish Julia's precompile caches. This is all that programs need; the command-line tool and
 * the Julia package JICache use nothing else.
 *
 * A session is one environment seen by one Julia: opening it reads the settings, asks Julia about itself (once,
 * remembered), resolves the project's environment stack and computes every address. Operations run on it and give a
 * report.
 *
 * Threads: a session and its reports belong to one thread at a time; different sessions are independent.
 * Ownership: what a function returns is released by the free function of its type; strings of a report live as long as
 * it.
 */
#ifndef JICACHE_JICACHE_H
#define JICACHE_JICACHE_H

#include <jicache/error.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct jic_session;
struct jic_report;

/** How far a transfer is, for a progress bar. */
struct jic_progress {
	uint32_t done, total;             /**< artefacts */
	uint64_t bytes_done, bytes_total; /**< of their content */
};
/** Called from one thread at a time, at most some twenty times a second. */
typedef void jic_progress_fn(void *context, const struct jic_progress *progress);

/** Everything may be NULL or 0: then the environment variable, the configuration file, and the default apply. */
struct jic_session_options {
	const char *url;        /**< JICACHE_URL, `url`, "http://127.0.0.1:8787"; also https:// and unix:///path */
	const char *token;      /**< JICACHE_TOKEN, `token`, none */
	const char *lane;       /**< JICACHE_LANE, `lane`, the server's default */
	const char *project;    /**< as Julia's --project=; JULIA_PROJECT */
	const char *julia;      /**< executable; JULIA, `julia` on PATH */
	const char *julia_args; /**< options of the Julia that will load, as a shell would split them:
	                           "--check-bounds=yes -O3" */
	const char *depot;      /**< depot to fill; the first of Julia's DEPOT_PATH */
	jic_progress_fn *progress;
	void *progress_context;
	const char *target; /**< "test": the environment that Pkg.test makes for the project's package, and its flags */
	const char *script; /**< the program file: what "@script" stands for in LOAD_PATH and `project` (Julia 1.11+) */
	const char *ca_file;            /**< PEM; JICACHE_CA_FILE, `ca_file`, the system's list */
	const char *client_certificate; /**< PEM; JICACHE_CLIENT_CERTIFICATE, `client_certificate`, none */
	const char *client_key;         /**< PEM; JICACHE_CLIENT_KEY, `client_key`, in the certificate's file */
};
#define JIC_SESSION_OPTIONS_INIT                                                                                       \
	{                                                                                                              \
		NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL                     \
	}

/**
 * @return NULL with JIC_ENOTFOUND (no Julia, no such project), JIC_EFORMAT (malformed project, manifest or
 * configuration), JIC_EUNSUPPORTED (a Julia before 1.5), JIC_EUSAGE (unknown target, or no package to test)
 */
struct jic_session *jic_session_open(const struct jic_session_options *options, struct jic_error *err);
void jic_session_free(struct jic_session *session);

/** What happened to the environment's packages; a package, an extension or a stdlib with a cache of its own counts as
 * one. */
struct jic_counts {
	uint32_t packages;  /**< that have an address */
	uint32_t local;     /**< were there already */
	uint32_t fetched;   /**< pull */
	uint32_t missing;   /**< pull, status: neither local nor fetched: Julia will compile them */
	uint32_t published; /**< push: new on the server */
	uint32_t existing;  /**< push: the server has the same; status: the server has one */
	uint32_t
	    superseded; /**< push: the server has another build of the same address, or of something it was built on */
	uint32_t refused; /**< push: can't be shared; the report says why */
	uint32_t skipped; /**< have no address: not installed, or not shareable */
	uint64_t bytes;   /**< content fetched or sent */
	double seconds;
};

/** How the server took part. */
enum jic_server_state {
	JIC_SERVER_UNUSED, /**< there was nothing to ask */
	JIC_SERVER_REACHED,
	JIC_SERVER_AWAY, /**< unreachable, too slow, refusing, or not speaking the protocol: see the warnings */
};

/**
 * Fetch what is missing locally and put it where Julia takes it. A server that is away is no failure: the report says
 * so.
 * @return NULL only when something on this machine fails (depot not writable, disk full), with what was done until then
 * kept
 */
struct jic_report *jic_session_pull(struct jic_session *session, struct jic_error *err);

/** What this machine compiles, and others wait for: kept by a thread of its own until it is freed. */
struct jic_lease;

/** Another machine compiles what is missing here. */
struct jic_waiting {
	uint32_t packages; /**< that others compile */
	uint32_t wait_s;   /**< how long they are waited for at the most */
	const char *who;   /**< name of the writer that will be the last; for the call */
};
/** Zeroed: a pull and nothing else. */
struct jic_turn_options {
	uint32_t wait_s; /**< for others, in all; 0: no leases, no waiting */
	/** When waiting begins, once. May be NULL. */
	void (*waiting)(void *context, const struct jic_waiting *waiting);
	/** After each pull but the last, whose report is returned. May be NULL. */
	void (*pulled)(void *context, const struct jic_report *report);
	void *context;
};

/**
 * Pull, and where something is left that Pkg.precompile() would compile, agree with the other machines about who does:
 * a lease on it is taken, so that they wait, or they are waited for and pulled from. Blocks for up to wait_s. Whatever
 * is wrong with leases (a server without them, no right to write, too long) is no failure: compile.
 * @param[out] lease  to be freed after the push, and before the session; NULL: compile without one, or nothing is left
 * @return as jic_session_pull(), the last one's report
 */
struct jic_report *jic_session_turn(struct jic_session *session, const struct jic_turn_options *options,
                                    struct jic_lease **lease, struct jic_error *err);
/** Give it back. Takes NULL. */
void jic_lease_free(struct jic_lease *lease);

/**
 * Julia has just compiled what it could of the project (Pkg.precompile): what has no cache then fails to compile. For
 * an hour, unless it changes, no pull asks a server for it alone; reports have it in `failed_packages`.
 * @return false when a depot can't be read
 */
bool jic_session_note_failed(struct jic_session *session, struct jic_error *err);

/** Publish what Julia compiled and the server lacks, as one set. @return NULL when nothing could be done; JIC_EDENIED:
 * token */
struct jic_report *jic_session_push(struct jic_session *session, struct jic_error *err);

/**
 * One word for what is local: equal for two sessions, of other processes too, that see the same environment with the
 * same caches. Taken before and after a command, it tells whether that compiled or installed anything.
 * @return NULL when a depot can't be read; lives as long as the session
 */
const char *jic_session_state(struct jic_session *session, struct jic_error *err);

/** As push, but without a word when there is no token or the state is still `state`. Opened after the command, so that
 * the session sees what it installed. */
struct jic_report *jic_session_push_changed(struct jic_session *session, const char *state, struct jic_error *err);

/** Runtime, system image and every node with its inputs and Merkle key. Asks no server. */
struct jic_report *jic_session_key(struct jic_session *session, struct jic_error *err);

/** What of this environment is local, on the server, nowhere. */
struct jic_report *jic_session_status(struct jic_session *session, struct jic_error *err);

/**
 * Why nodes of this environment missed: for each that the server does not have, the first input in which it differs
 * from the nearest that the server has, and what would make it a hit. `counts.missing`: those that are not here either.
 * @param package name, or "Parent/Name" of an extension; NULL: all
 * @return NULL with JIC_ENOTFOUND when the environment has no such package
 */
struct jic_report *jic_session_why(struct jic_session *session, const char *package, struct jic_error *err);

/**
 * The cache files in the depots, in words, and which of the remembered environments they are for.
 * @param all of every Julia, not only of this version
 */
struct jic_report *jic_session_list(struct jic_session *session, bool all, struct jic_error *err);

/**
 * Judge every local cache file of this environment as Julia would, with all checksums. counts.refused is how many are
 * damaged (not only out of date).
 */
struct jic_report *jic_session_verify(struct jic_session *session, struct jic_error *err);

/** Which cache files jic_session_gc() may remove. Zeroed: what jicache placed and no known environment can use. */
struct jic_gc_options {
	uint64_t older_than_s; /**< only what was not used for so many seconds */
	uint64_t bytes_max; /**< usable ones too, least recently used first, until no more than this is left; 0: no */
	bool julia;         /**< also what Julia compiled */
	bool dry_run;       /**< only say */
};

/**
 * Remove local caches of every Julia in the depots, for which see the options. Never one that a running process of this
 * user holds, that anything which stays was compiled against, or that another user owns.
 */
struct jic_report *jic_session_gc(struct jic_session *session, const struct jic_gc_options *options,
                                  struct jic_error *err);

/** Every place on this machine that jicache keeps anything in. Needs no session; of the options `julia` and `depot`
 * count. */
struct jic_report *jic_where(const struct jic_session_options *options, struct jic_error *err);

/**
 * Look at everything that has to be right: Julia, project, depot, server, token, clock. Needs no session, since that
 * may be what is wrong. counts.refused is how many things are wrong.
 */
struct jic_report *jic_doctor(const struct jic_session_options *options, struct jic_error *err);

/** All that the header of a `.ji` file says, and whether its checksums hold. Needs no session. */
struct jic_report *jic_inspect(const char *path, struct jic_error *err);

/**
 * Make an Ed25519 key to sign with: PKCS #8 in PEM, mode 0600, never over a file that exists. The report has `file`,
 * `public_key` (one word for trusted_keys) and `key_id`. Needs no session.
 * @param out  NULL: signing-key.pem beside config.toml
 * @param name of the public key, for people; NULL: user@host
 * @return NULL with JIC_ECONFLICT (the file exists), JIC_EUSAGE (no such name), JIC_EIO or JIC_EDENIED
 */
struct jic_report *jic_keygen(const char *out, const char *name, struct jic_error *err);

void jic_report_free(struct jic_report *report);
/** The whole report as one JSON object; the fields are in docs/cli.md. */
const char *jic_report_json(const struct jic_report *report);
/** One line for people: what was local, fetched, missing, how many bytes, how long. */
const char *jic_report_summary(const struct jic_report *report);
const struct jic_counts *jic_report_counts(const struct jic_report *report);
enum jic_server_state jic_report_server(const struct jic_report *report);
/** Sentences that the user should see; NULL behind the last. */
const char *jic_report_warning(const struct jic_report *report, size_t index);

/**
 * The environment variable JULIA_DEPOT_PATH that lets Julia see the session's extra depot (options.depot) behind its
 * own; NULL when there is no extra depot. Lives as long as the session.
 */
const char *jic_session_depot_path(const struct jic_session *session);

/** The Julia executable that was asked, an absolute path. Lives as long as the session. */
const char *jic_session_julia(const struct jic_session *session);

/** options.julia_args split into words, NULL at the end. Lives as long as the session. */
const char *const *jic_session_julia_args(const struct jic_session *session);

/** Is there a token to publish with? Whether the server accepts it is seen when publishing. */
bool jic_session_can_publish(const struct jic_session *session);

/** "0.1.0" */
const char *jic_version(void);

#ifdef __cplusplus
}
#endif

#endif
