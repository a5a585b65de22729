/**
 * What the index keeps of a blob's content, measured as the content goes by: its size, CRCs and last bytes (see
 * jic_index_blob), and its digest. One thread.
 */
#ifndef JIC_SERVER_STORE_METER_H
#define JIC_SERVER_STORE_METER_H

#include "server/store/index.h"

struct jic_meter {
	struct jic_index_blob blob; /**< so far; `digest`, `stored_size`, `created_s` and `used` are not the meter's */
	struct jic_sha256 *sha;
};

/** `JIC_CLEAR(jic_meter) struct jic_meter m = {0};` */
jic_must_check bool jic_meter_begin(struct jic_meter *m, struct jic_error *err);
void jic_meter_clear(struct jic_meter *m);
void jic_meter_put(struct jic_meter *m, struct jic_view content);
/** The end of the content: `m->blob` is complete. @param[out] digest of the content */
void jic_meter_end(struct jic_meter *m, struct jic_digest *digest);

#endif
