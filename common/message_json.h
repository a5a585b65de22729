/**
 * Private to common/message*.c: the parts that several messages share, and their limits.
 */
#ifndef JIC_COMMON_MESSAGE_JSON_H
#define JIC_COMMON_MESSAGE_JSON_H

#include "common/json.h"
#include "common/message.h"

/** What a reader accepts of one value; the sizes are documented in schema/openapi.yaml too. */
enum {
	JIC_MSG_NAME_BYTES_MAX = 256,
	JIC_MSG_PATH_BYTES_MAX = 4096,
	JIC_MSG_NOTE_BYTES_MAX = 1024,     /**< each text of a provenance */
	JIC_MSG_CPU_BYTES_MAX = 64 * 1024, /**< a CPU's name and features */
	JIC_MSG_PREFERENCES_BYTES_MAX = 1024 * 1024,
	JIC_MSG_INPUTS_MAX = 65536,    /**< of one artefact */
	JIC_MSG_EXTENSIONS_MAX = 4096, /**< of one node */
	JIC_MSG_MODULES_MAX = 65536,   /**< of a system image */
	JIC_MSG_BUNDLED_MAX = 4096,    /**< caches that come with a Julia installation */
	JIC_MSG_LANES_MAX = 4096,
};

/** A lane's name, "" when the field is absent. */
jic_must_check bool jic_msg_get_lane(const struct jic_json *at, const char *field, struct jic_view *out);
jic_must_check bool jic_msg_runtime_id(const struct jic_json *at, struct jic_view *out);
/** A list of texts, in the arena. */
jic_must_check bool jic_msg_get_texts(const struct jic_json *at, const char *field, size_t count_max, size_t bytes_max,
                                      const struct jic_view **out, size_t *count);
jic_must_check bool jic_msg_get_inputs(const struct jic_json *at, const char *field, const struct jic_msg_input **out,
                                       size_t *count);
void jic_msg_put_inputs(struct jic_json_writer *w, const char *name, const struct jic_msg_input *inputs, size_t count);
jic_must_check bool jic_msg_get_provenance(const struct jic_json *at, const char *field,
                                           struct jic_msg_provenance *out);
void jic_msg_put_provenance(struct jic_json_writer *w, const char *name, const struct jic_msg_provenance *p);

/** Absent or null: `has` is false. */
jic_must_check bool jic_msg_get_signature(const struct jic_json *at, const char *field, bool *has,
                                          struct jic_msg_signature *out);
void jic_msg_put_signature(struct jic_json_writer *w, const char *name, const struct jic_msg_signature *s);
/** A list of build ids; an absent one is empty. */
jic_must_check bool jic_msg_get_build_ids(const struct jic_json *at, const char *field, size_t count_max,
                                          const struct jic_build_id **out, size_t *count);
void jic_msg_put_build_ids(struct jic_json_writer *w, const char *name, const struct jic_build_id *ids, size_t count);

/** A list of runtime ids, at most JIC_MESSAGE_RUNTIMES_MAX. */
jic_must_check bool jic_msg_get_runtime_ids(const struct jic_json *at, const char *field, const struct jic_view **out,
                                            size_t *count);

/* message_descriptor.c: what artefacts are made of */
void jic_msg_put_module(struct jic_json_writer *w, struct jic_view name, struct jic_uuid uuid, struct jic_build_id id);
/** The fields of a runtime but its bundled caches, into the open object. */
void jic_msg_put_runtime_parts(struct jic_json_writer *w, const struct jic_runtime *r);
jic_must_check bool jic_msg_get_runtime_parts(const struct jic_json *at, struct jic_runtime *out);
void jic_msg_put_runtime(struct jic_json_writer *w, const char *name, const struct jic_runtime *r);
jic_must_check bool jic_msg_get_runtime(const struct jic_json *at, const char *field, struct jic_runtime *out);
void jic_msg_put_node(struct jic_json_writer *w, const char *name, const struct jic_node_inputs *n);
jic_must_check bool jic_msg_get_node(const struct jic_json *at, const char *field, struct jic_node_inputs *out);

/** An array for a list's elements; NULL with the document's error when out of memory. */
void *jic_msg_array(const struct jic_json *list, size_t size);

#endif
