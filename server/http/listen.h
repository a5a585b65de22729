/**
 * Listening sockets from text: "127.0.0.1:8787", "[::1]:8787", "localhost:8787", "0.0.0.0:0". Without a host (":8787")
 * it is 127.0.0.1: being reachable from elsewhere should be asked for. Port 0 is any free one.
 */
#ifndef JIC_SERVER_HTTP_LISTEN_H
#define JIC_SERVER_HTTP_LISTEN_H

#include "common/attr.h"
#include "common/view.h"

#include <jicache/error.h>

enum { JIC_LISTEN_TEXT = 80, JIC_LISTEN_HOST_BYTES_MAX = 253 };

/** Split into host (without brackets, NUL-terminated) and port. @return false with JIC_EUSAGE */
jic_must_check bool jic_listen_parse(struct jic_view text, char host[JIC_LISTEN_HOST_BYTES_MAX + 1], uint16_t *port,
                                     struct jic_error *err);
/**
 * Open, bind and listen; not blocking.
 * @param[out] bound  the address in the same form, with the port that it got
 * @return the descriptor, the caller's to close; −1 with JIC_EUSAGE or JIC_EIO
 */
int jic_listen_open(const char *text, char bound[JIC_LISTEN_TEXT], struct jic_error *err);

/** The same form for a socket that is bound already. @return false with JIC_EIO */
jic_must_check bool jic_listen_describe(int fd, char bound[JIC_LISTEN_TEXT], struct jic_error *err);

#endif
