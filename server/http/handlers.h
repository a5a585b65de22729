/**
 * One handler file for each resource; route.c has the table. Each function answers the request.
 */
#ifndef JIC_SERVER_HTTP_HANDLERS_H
#define JIC_SERVER_HTTP_HANDLERS_H

#include "server/http/request.h"

void jic_handle_info(struct jic_request *r);           /* info.c: GET /v1/info */
void jic_handle_resolve(struct jic_request *r);        /* resolve.c: POST /v1/resolve */
void jic_handle_explain(struct jic_request *r);        /* explain.c: POST /v1/explain */
void jic_handle_artefact(struct jic_request *r);       /* artefact.c: GET /v1/artefacts/… */
void jic_handle_artefact_ji(struct jic_request *r);    /* artefact.c: GET …/ji */
void jic_handle_artefact_image(struct jic_request *r); /* artefact.c: GET …/image */
void jic_handle_blob_begin(struct jic_request *r);     /* blob.c: GET /v1/blobs/{digest}, when it is in the cache */
void jic_handle_blob(struct jic_request *r);           /* blob.c: GET /v1/blobs/{digest} */
void jic_handle_missing(struct jic_request *r);        /* missing.c: POST /v1/blobs/missing */
void jic_handle_publish(struct jic_request *r);        /* publish.c: POST /v1/publish */
void jic_handle_lease(struct jic_request *r);          /* leases.c: POST /v1/leases */
void jic_handle_lease_end(struct jic_request *r);      /* leases.c: DELETE /v1/leases/{digest} */
void jic_handle_about(struct jic_request *r);          /* about.c: GET /v1/artefacts/…/about */
void jic_handle_artefacts(struct jic_request *r);      /* lists.c: GET /v1/artefacts */
void jic_handle_packages(struct jic_request *r);       /* lists.c: GET /v1/packages */
void jic_handle_misses(struct jic_request *r);         /* lists.c: GET /v1/misses */
void jic_handle_lanes(struct jic_request *r);          /* overview.c: GET /v1/lanes */
void jic_handle_stats(struct jic_request *r);          /* overview.c: GET /v1/stats */
void jic_handle_history(struct jic_request *r);        /* overview.c: GET /v1/stats/history */
void jic_handle_environments(struct jic_request *r);   /* environments.c: GET /v1/environments */
void jic_handle_environment(struct jic_request *r);    /* environments.c: GET /v1/environments/{digest} */
void jic_handle_tokens(struct jic_request *r);         /* tokens.c: GET /v1/tokens */
void jic_handle_token_revoke(struct jic_request *r);   /* tokens.c: DELETE /v1/tokens/{token} */
void jic_handle_metrics(struct jic_request *r);        /* metrics_page.c: GET /metrics */
void jic_handle_dashboard(struct jic_request *r);      /* dashboard.c: GET / */
void jic_handle_asset(struct jic_request *r);          /* dashboard.c: GET /assets/{file} */
void jic_handle_healthz(struct jic_request *r);        /* health.c: GET /healthz */
void jic_handle_readyz(struct jic_request *r);         /* health.c: GET /readyz */

/* upload.c: PUT /v1/blobs/{digest} */
void jic_handle_upload_begin(struct jic_request *r);
void jic_handle_upload_piece(struct jic_request *r, struct jic_view bytes);
void jic_handle_upload(struct jic_request *r);

/** blob.c: answer with one blob's bytes, in the encoding and range that the request asks for. */
void jic_respond_blob(struct jic_request *r, const struct jic_digest *digest, const char *cache_control);

/** admit.c: find out who is asking, and answer 401 or 403 when the route is not for them. */
void jic_request_admit(struct jic_request *r, uint64_t now_s);

/** May the caller use this lane? Answers 401 or 403 when not. */
jic_must_check bool jic_request_lane_allowed(struct jic_request *r, enum jic_scope scope, struct jic_view lane);
/** viewer.c: the caller's eyes, for the request's life. */
struct jic_viewer jic_request_viewer(const struct jic_request *r);
/** viewer.c: whether a blob is there for the caller. Answers when the store fails. */
jic_must_check bool jic_request_blob_there(struct jic_request *r, const struct jic_digest *digest, bool *there);
/** request.c: are these not too many for one question? Answers 413 when they are. */
jic_must_check bool jic_request_keys_allowed(struct jic_request *r, size_t count);
/** A digest parameter of the path; the route has checked its form. */
struct jic_digest jic_request_digest(const struct jic_request *r, size_t parameter);

#endif
