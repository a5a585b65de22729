/* Error values: set at the origin, prefixed on the way up, printed at the top. */
#include <jicache/error.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 0))) static void error_set(struct jic_error *err, enum jic_code code, int sys,
                                                            const char *format, va_list args)
{
	err->code = code;
	err->sys = sys;
	vsnprintf(err->text, sizeof err->text, format, args);
}

bool jic_fail(struct jic_error *err, enum jic_code code, const char *format, ...)
{
	if (!err)
		return false;
	va_list args;
	va_start(args, format);
	error_set(err, code, 0, format, args);
	va_end(args);
	return false;
}

static enum jic_code code_of_errno(int sys, enum jic_code fallback)
{
	switch (sys) {
	case ENOSPC:
	case EDQUOT:
		return JIC_ENOSPACE;
	case EACCES:
	case EPERM:
	case EROFS:
		return JIC_EDENIED;
	case ENOENT:
		return JIC_ENOTFOUND;
	case ENOMEM:
		return JIC_EMEMORY;
	default:
		return fallback;
	}
}

bool jic_fail_errno(struct jic_error *err, enum jic_code code, const char *format, ...)
{
	int sys = errno;
	if (!err)
		return false;
	va_list args;
	va_start(args, format);
	error_set(err, code_of_errno(sys, code), sys, format, args);
	va_end(args);
	char reason[128];
	size_t used = strlen(err->text);
	/* The GNU variant may return a static string instead of filling the buffer. */
	snprintf(err->text + used, sizeof err->text - used, ": %s", strerror_r(sys, reason, sizeof reason));
	return false;
}

bool jic_wrap(struct jic_error *err, const char *format, ...)
{
	if (!err)
		return false;
	char inner[JIC_ERROR_TEXT_BYTES];
	memcpy(inner, err->text, sizeof inner);
	va_list args;
	va_start(args, format);
	vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	size_t used = strlen(err->text);
	snprintf(err->text + used, sizeof err->text - used, ": %s", inner);
	return false;
}

const char *jic_code_name(enum jic_code code)
{
	static const char *const names[] = {
	    [JIC_OK] = "ok",
	    [JIC_ENOTFOUND] = "not-found",
	    [JIC_EFORMAT] = "bad-format",
	    [JIC_ECORRUPT] = "corrupt",
	    [JIC_ELIMIT] = "over-limit",
	    [JIC_EDENIED] = "denied",
	    [JIC_EUSAGE] = "usage",
	    [JIC_EIO] = "input-output",
	    [JIC_ENOSPACE] = "no-space",
	    [JIC_ENETWORK] = "network",
	    [JIC_EPROTOCOL] = "protocol",
	    [JIC_ECONFLICT] = "conflict",
	    [JIC_EMEMORY] = "out-of-memory",
	    [JIC_EUNSUPPORTED] = "unsupported",
	    [JIC_EBUSY] = "busy",
	};
	return (unsigned)code < sizeof names / sizeof *names ? names[code] : "unknown";
}
