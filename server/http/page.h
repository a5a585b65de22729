/**
 * What the handlers of lists share: parameters of the query, and the way from a writer to the answer.
 */
#ifndef JIC_SERVER_HTTP_PAGE_H
#define JIC_SERVER_HTTP_PAGE_H

#include "common/json.h"
#include "server/http/request.h"
#include "server/http/visible.h"

enum { JIC_PAGE_LIMIT = 100, JIC_PAGE_LIMIT_MAX = 1000 };

/** A number of the query. @return false: the request is answered */
jic_must_check bool jic_page_number(struct jic_request *r, enum jic_query which, uint64_t fallback, uint64_t max,
                                    uint64_t *out);
/** The whole answer of a list: {"name": [{…}, …]}. */
struct jic_page_list {
	const char *name;
	const void *items; /**< `count` of `size` bytes each */
	size_t count, size;
	/** Writes the fields of one item. */
	void (*put)(struct jic_json_writer *w, const void *context, const void *item);
	const void *context;  /**< for `put` */
	uint64_t next_before; /**< what leads to the next page; 0: nothing does */
};
/** @param ok  as of jic_page_respond(): without it nothing of the list is looked at */
void jic_page_respond_list(struct jic_request *r, const struct jic_page_list *list, bool ok,
                           const struct jic_error *err);

/** The object that was written, or what was wrong. @param ok  what came before went well, else `err` says what did not;
 *  an answer that is there already stays */
void jic_page_respond(struct jic_request *r, struct jic_json_writer *w, bool ok, const struct jic_error *err);

void jic_page_put_lane(struct jic_json_writer *w, const struct jic_visible *v, uint64_t lane_id);
void jic_page_put_provenance(struct jic_json_writer *w, const struct jic_msg_provenance *p);
/** A field that is left out when it is empty. */
void jic_page_put_text(struct jic_json_writer *w, const char *name, struct jic_view text);

#endif
