/**
 * The protocol's JSON messages, both directions in one place: what the client writes the server reads and the other way
 * round. The contract is schema/openapi.yaml; docs/protocol.md tells the story.
 *
 * Reading: unknown fields are ignored; a missing or wrongly typed field is JIC_EFORMAT and names the field as a path
 * ("artefacts[3].ji.digest"). Everything read lives in the arena. Writing: compact JSON, appended.
 */
#ifndef JIC_COMMON_MESSAGE_H
#define JIC_COMMON_MESSAGE_H

#include "common/address.h"
#include "common/arena.h"
#include "common/buf.h"
#include "common/digest.h"

enum {
	JIC_PROTOCOL_VERSION = 1,
	JIC_MESSAGE_KEYS_MAX = 8192, /**< keys in a resolve, digests in a missing, artefacts in a publish */
	JIC_MESSAGE_RUNTIMES_MAX = 32,
	JIC_MESSAGE_STORED_MAX = 2 * JIC_MESSAGE_KEYS_MAX, /**< artefacts in the answer to an explain */
	JIC_MESSAGE_BYTES_MAX = 16 * 1024 * 1024,          /**< a JSON body, either direction */
	JIC_LANE_NAME_BYTES_MAX = 128,
	JIC_MESSAGE_SIGNERS_MAX = 64, /**< public keys in a resolve */
};

/** Lane names: [A-Za-z0-9._-] in segments joined by "/", no segment "." or "..", at most JIC_LANE_NAME_BYTES_MAX. */
bool jic_lane_name_valid(struct jic_view name);

struct jic_msg_blob {
	struct jic_digest digest; /**< SHA-256 of the bytes as Julia sees them (not compressed) */
	uint64_t size;            /**< of these bytes */
};

/**
 * A file that the compilation read and whose content the `.ji` header can't prove to another machine:
 * include_dependency() up to Julia 1.10, track_content=false and directories after. Checked by the reader before
 * placing.
 */
struct jic_msg_input {
	enum jic_input_type { JIC_INPUT_FILE, JIC_INPUT_DIRECTORY, JIC_INPUT_ABSENT } type;
	struct jic_view path; /**< canonical, as in the published header: "@depot/…" or "@jicache/UUID/…" */
	struct jic_digest
	    sha256; /**< of the content; of the sorted entry names, each ended by "\n", for a directory; zero: absent */
};

/**
 * An Ed25519 signature of a record: schema/signature.md, common/statement.h. The key is the whole public key, so that
 * the server can check the signature without knowing whose it is.
 */
struct jic_msg_signature {
	struct jic_digest key;       /**< 32 bytes */
	struct jic_digest requires_; /**< jic_statement_requires() of what it requires */
	uint8_t bytes[64];
};

/** Who made it: shown to people, covered by the signature, never trusted by the server. */
struct jic_msg_provenance {
	struct jic_view host, user, run; /**< run: a CI job's URL or id; each may be empty */
	struct jic_view client;          /**< "jicache 0.1.0" */
	uint64_t created_s;              /**< Unix time */
};

/** One artefact as the server tells it. */
struct jic_msg_record {
	struct jic_digest key;
	struct jic_view name;
	struct jic_view version; /**< of the package, as its publisher's manifest says, for people; may be empty */
	struct jic_uuid uuid;
	struct jic_build_id build_id;
	struct jic_msg_blob ji;
	bool has_image;
	struct jic_msg_blob image;
	const struct jic_msg_input *inputs;
	size_t inputs_count;
	/** positions, in the same set's `records`, of the artefacts that this one requires (all but those of the
	 * runtime) */
	const uint32_t *requires_;
	size_t requires_count;
	uint64_t compile_ms;  /**< what making it took, 0: unknown */
	struct jic_view lane; /**< the lane that holds it */
	struct jic_msg_provenance provenance;
	bool has_signature;
	struct jic_msg_signature signature;
	struct jic_view writer; /**< name of the token that published it; empty: not told */
};

/** A package that a resolve asks for, for people who look at the server's pages: nothing is decided by it. */
struct jic_msg_want {
	struct jic_view name, version; /**< version: may be empty */
	struct jic_uuid uuid;
	bool optional;        /**< nobody misses it */
	const uint32_t *deps; /**< positions, in the same request's `keys`, of its direct dependencies */
	size_t deps_count;
};

/* POST /v1/resolve */
struct jic_msg_resolve {
	struct jic_view purpose; /**< what the asker is about to do, "pull" when empty: only pulls are counted */
	const struct jic_msg_want *nodes; /**< what each of `keys` is; or none */
	size_t nodes_count;               /**< 0 or keys_count */
	struct jic_view lane;             /**< empty: the server's default */
	struct jic_digest sysimage;
	const struct jic_view *runtimes; /**< acceptable, best first */
	size_t runtimes_count;
	const struct jic_digest *keys;
	size_t keys_count;
	const struct jic_digest *signers; /**< public keys: only what one of them signed; none: everything */
	size_t signers_count;
	const struct jic_build_id *have; /**< builds that are local: which of them were recalled? */
	size_t have_count;
};
/** An artefact that none of the request's `signers` signed, and that hides nothing that one of them did. */
struct jic_msg_untrusted {
	struct jic_digest key;
	bool is_signed;
	struct jic_digest signer; /**< when it is signed */
};
struct jic_msg_set {
	struct jic_view runtime;
	const struct jic_msg_record *records; /**< coherent: all that a record requires is in the set or the runtime */
	size_t records_count;
};
struct jic_msg_resolved {
	const struct jic_msg_set *sets; /**< those with any record, in the order of the request's runtimes */
	size_t sets_count;
	const struct jic_msg_untrusted *untrusted; /**< each key once */
	size_t untrusted_count;
	const struct jic_build_id *recalled; /**< of the request's `have` */
	size_t recalled_count;
};
jic_must_check bool jic_msg_resolve_write(const struct jic_msg_resolve *m, struct jic_buf *out, struct jic_error *err);
jic_must_check bool jic_msg_resolve_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_resolve *out,
                                         struct jic_error *err);
jic_must_check bool jic_msg_resolved_write(const struct jic_msg_resolved *m, struct jic_buf *out,
                                           struct jic_error *err);
jic_must_check bool jic_msg_resolved_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_resolved *out,
                                          struct jic_error *err);
/** GET /v1/artefacts/…: one record; its `requires` are build ids there, written as "requires_ids". */
jic_must_check bool jic_msg_record_write(const struct jic_msg_record *m, const struct jic_build_id *requires_ids,
                                         struct jic_buf *out, struct jic_error *err);

/* POST /v1/blobs/missing: {"digests":[…]} → {"missing":[…]} */
jic_must_check bool jic_msg_digests_write(const char *field, const struct jic_digest *digests, size_t count,
                                          struct jic_buf *out, struct jic_error *err);
jic_must_check bool jic_msg_digests_read(struct jic_view json, const char *field, struct jic_arena *arena,
                                         const struct jic_digest **out, size_t *count, struct jic_error *err);

/** Where an artefact comes from that one server takes from another: of its own first publish. */
struct jic_msg_origin {
	struct jic_msg_provenance provenance;
	struct jic_view writer; /**< name of the token that published it; may be empty */
};

/* POST /v1/publish */
struct jic_msg_artefact {
	struct jic_digest key;       /**< must be what `inputs` give */
	struct jic_node_inputs node; /**< `deps` and `extensions` included: the server recomputes the key */
	struct jic_view version;     /**< of the package, for people: no part of the key; may be empty */
	struct jic_digest ji;        /**< uploaded before */
	bool has_image;
	struct jic_digest image;
	const struct jic_msg_input *inputs;
	size_t inputs_count;
	uint64_t compile_ms;
	bool has_signature;
	struct jic_msg_signature signature;
	/** No part of the request, where what the request says of all holds: NULL. See jic_msg_export_set_write(). */
	const struct jic_msg_origin *origin;
};
struct jic_msg_publish {
	struct jic_view lane;
	struct jic_runtime runtime; /**< whole, so that the server can recompute its id */
	struct jic_digest sysimage;
	const struct jic_ji_module *sysimage_modules; /**< what the system image provides */
	size_t sysimage_modules_count;
	const struct jic_msg_artefact *artefacts;
	size_t artefacts_count;
	struct jic_msg_provenance provenance;
};
struct jic_msg_published {
	const struct jic_digest *published; /**< new with this request */
	size_t published_count;
	const struct jic_digest *existing; /**< were there, the same bytes */
	size_t existing_count;
};
jic_must_check bool jic_msg_publish_write(const struct jic_msg_publish *m, struct jic_buf *out, struct jic_error *err);
jic_must_check bool jic_msg_publish_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_publish *out,
                                         struct jic_error *err);
jic_must_check bool jic_msg_published_write(const struct jic_msg_published *m, struct jic_buf *out,
                                            struct jic_error *err);
jic_must_check bool jic_msg_published_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_published *out,
                                           struct jic_error *err);

/* A set of an export (schema/export.md): a publish, and in "origins" the origin of each artefact. */
jic_must_check bool jic_msg_export_set_write(const struct jic_msg_publish *m, struct jic_buf *out,
                                             struct jic_error *err);
/** Every artefact has an origin then. */
jic_must_check bool jic_msg_export_set_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_publish *out,
                                            struct jic_error *err);

/* POST /v1/explain: why a resolve missed. The server tells the nearest that it has; the first difference, in words, is
 * the client's to find. */

/** A node that missed, as the asker has it. */
struct jic_msg_explain_node {
	struct jic_digest key;
	struct jic_node_inputs inputs;
};
struct jic_msg_explain {
	struct jic_view lane; /**< empty: the server's default */
	struct jic_digest sysimage;
	struct jic_runtime runtime;      /**< what the asker compiles for, whole */
	const struct jic_view *runtimes; /**< ids of those that it accepts, best first, as in its resolve */
	size_t runtimes_count;
	const struct jic_msg_explain_node *nodes; /**< those to explain */
	size_t nodes_count;
	const struct jic_digest *known; /**< keys of the asker's other nodes: what is equal needs no telling */
	size_t known_count;
};
/** A runtime; in a message without the list of its bundled caches. */
struct jic_msg_runtime {
	struct jic_view id;
	struct jic_runtime parts;  /**< `bundled` is empty in a message */
	struct jic_digest bundled; /**< jic_runtime_bundled_digest() */
};
/** A stored artefact and what it was made of. */
struct jic_msg_stored {
	struct jic_digest key;
	struct jic_node_inputs inputs;
	struct jic_view version;
	uint32_t runtime; /**< position in the answer's `runtimes` */
	struct jic_digest sysimage;
	struct jic_view lane;
	uint64_t published_s;
	struct jic_msg_provenance provenance;
};
struct jic_msg_nearest {
	struct jic_digest key; /**< of a node of the request */
	uint32_t artefact;     /**< position in the answer's `artefacts` */
};
struct jic_msg_explained {
	const struct jic_msg_runtime *runtimes;
	size_t runtimes_count;
	/** the nearest ones and, below those of an accepted runtime and the same system image, every dependency that
	 * the asker does not have under the same key */
	const struct jic_msg_stored *artefacts;
	size_t artefacts_count;
	const struct jic_msg_nearest *nearest; /**< nodes of which nothing is stored have none */
	size_t nearest_count;
	bool truncated; /**< a limit was reached: what is absent may be stored all the same */
};
jic_must_check bool jic_msg_explain_write(const struct jic_msg_explain *m, struct jic_buf *out, struct jic_error *err);
jic_must_check bool jic_msg_explain_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_explain *out,
                                         struct jic_error *err);
jic_must_check bool jic_msg_explained_write(const struct jic_msg_explained *m, struct jic_buf *out,
                                            struct jic_error *err);
jic_must_check bool jic_msg_explained_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_explained *out,
                                           struct jic_error *err);

/* GET /v1/info */
struct jic_msg_info {
	struct jic_view server; /**< "jicached 0.1.0" */
	unsigned protocol;
	uint64_t keys_max, blob_bytes_max, body_bytes_max;
	const struct jic_view *lanes; /**< visible to the caller */
	size_t lanes_count;
	bool can_write; /**< the caller's token may write to the default lane */
};
jic_must_check bool jic_msg_info_write(const struct jic_msg_info *m, struct jic_buf *out, struct jic_error *err);
jic_must_check bool jic_msg_info_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_info *out,
                                      struct jic_error *err);

/**
 * application/problem+json (RFC 9457). The codes are part of the protocol and never change meaning:
 *
 *     bad-request  unauthenticated  forbidden  not-found  method-not-allowed  conflict  superseded  too-large
 *     unprocessable  unsupported-media-type  range-not-satisfiable  digest-mismatch  incoherent  bad-artefact
 *     bad-signature  recalled
 *     no-space  overloaded  unsupported-version  internal
 *
 * "conflict" (409) comes from publish: `keys[0]` has a blob that was not uploaded. Upload it and publish again.
 *
 * "superseded" (409) comes from publish: `keys` are addresses that hold another artefact already, and, after them,
 * those artefacts of the request that were compiled against what is superseded. Nothing was published.
 */
struct jic_msg_problem {
	unsigned status;
	struct jic_view code, detail, request_id;
	const struct jic_digest *keys; /**< the artefacts at fault, may be empty */
	size_t keys_count;
};
jic_must_check bool jic_msg_problem_write(const struct jic_msg_problem *m, struct jic_buf *out, struct jic_error *err);
jic_must_check bool jic_msg_problem_read(struct jic_view json, struct jic_arena *arena, struct jic_msg_problem *out,
                                         struct jic_error *err);

#endif
