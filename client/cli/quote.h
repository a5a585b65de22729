/**
 * Words for jic_session_options.julia_args.
 */
#ifndef JIC_CLIENT_QUOTE_H
#define JIC_CLIENT_QUOTE_H

#include "common/buf.h"

/** Append a word so that a shell would read it back as it is, with a space before it unless it is the first. */
void jic_put_quoted(struct jic_buf *b, const char *text);

#endif
