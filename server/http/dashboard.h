/**
 * The dashboard's files as the build made them: compiled in, so that jicached needs no file beside it. A build without
 * Node.js has none.
 */
#ifndef JIC_SERVER_HTTP_DASHBOARD_H
#define JIC_SERVER_HTTP_DASHBOARD_H

#include <stddef.h>

struct jic_asset {
	const char *name; /**< below /assets/; of the page itself "index.html" */
	const char *type; /**< Content-Type */
	const unsigned char *bytes;
	size_t len;
};
extern const struct jic_asset jic_assets[];
extern const size_t jic_assets_count;

#endif
