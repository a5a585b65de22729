/**
 * The route table: which resource a path names, and which methods it knows. Paths are decoded once and matched
 * strictly: what a route does not spell out exactly (case of digits, "..", an empty segment, a slash at the end) is no
 * resource.
 */
#ifndef JIC_SERVER_HTTP_ROUTE_H
#define JIC_SERVER_HTTP_ROUTE_H

#include "server/http/request.h"

typedef void jic_handler_fn(struct jic_request *r);
/** The next piece of a body. Sets the response when it fails; later pieces are then dropped. */
typedef void jic_piece_fn(struct jic_request *r, struct jic_view bytes);

enum jic_body {
	JIC_REQUEST_EMPTY, /**< a body is read and dropped */
	JIC_REQUEST_JSON,  /**< collected into `body`, up to the limit */
	JIC_REQUEST_BLOB,  /**< given to `piece` as it comes */
};

struct jic_route {
	enum jic_method method; /**< GET answers HEAD too */
	const char *pattern;    /**< segments; those in braces become parameters */
	unsigned scope;         /**< enum jic_scope that the caller needs; 0: none */
	enum jic_body body;
	bool deferred;         /**< `run` may block: a worker calls it */
	jic_handler_fn *begin; /**< before the body, may be NULL; an answer here refuses the body */
	jic_piece_fn *piece;   /**< for JIC_REQUEST_BLOB */
	jic_handler_fn *run;   /**< with the whole body: must answer */
	bool writes;           /**< readers may call it too, but it waits for the index's writer */
};

/**
 * Find the route for r->path and r->method, and fill r->route and r->parameters. Without one, answers 404 (with the
 * versions spoken, for another /vN) or 405 with Allow.
 */
void jic_route_find(struct jic_request *r);

enum jic_method jic_method_parse(struct jic_view text);

/** A number for each route, 0 for none, and its names: both "none" for 0, "" for numbers that no route has. */
size_t jic_route_index(const struct jic_route *route);
struct jic_route_name {
	const char *pattern, *method;
};
struct jic_route_name jic_route_name(size_t index);

#endif
