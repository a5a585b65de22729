/* '…' keeps every byte but ' itself, which is written outside as \'. */
#include "client/cli/quote.h"

void jic_put_quoted(struct jic_buf *b, const char *text)
{
	jic_buf_puts(b, b->len ? " '" : "'");
	for (; *text; text++)
		jic_buf_puts(b, *text == '\'' ? "'\\''" : (char[]){*text, '\0'});
	jic_buf_putc(b, '\'');
}
