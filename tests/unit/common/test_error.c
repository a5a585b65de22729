/* Error values: code, text, and the chain "outer: inner". */
#include "common/attr.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <jicache/error.h>
#include <string.h>

Test(error, fail_sets_code_and_text_and_is_false)
{
	struct jic_error err = {.sys = 5};
	cr_expect_not(jic_fail(&err, JIC_ELIMIT, "%d bytes", 7));
	cr_expect_eq(err.code, JIC_ELIMIT);
	cr_expect_eq(err.sys, 0);
	cr_expect_str_eq(err.text, "7 bytes");
}

Test(error, an_errno_decides_the_code_and_ends_the_text)
{
	static const struct {
		int sys;
		enum jic_code code;
	} cases[] = {
	    {ENOSPC, JIC_ENOSPACE}, {EDQUOT, JIC_ENOSPACE},  {EACCES, JIC_EDENIED}, {EPERM, JIC_EDENIED},
	    {EROFS, JIC_EDENIED},   {ENOENT, JIC_ENOTFOUND}, {ENOMEM, JIC_EMEMORY}, {EIO, JIC_EUSAGE},
	};
	for (size_t i = 0; i < JIC_COUNT(cases); i++) {
		struct jic_error err;
		errno = cases[i].sys;
		cr_expect_not(jic_fail_errno(&err, JIC_EUSAGE, "open %s", "x"));
		cr_expect_eq(err.code, cases[i].code, "errno %d", cases[i].sys);
		cr_expect_eq(err.sys, cases[i].sys);
		cr_expect(strncmp(err.text, "open x: ", 8) == 0 && err.text[8], "%s", err.text);
	}
}

Test(error, wrapping_puts_the_outer_text_first_and_keeps_the_code)
{
	struct jic_error err;
	errno = EACCES;
	jic_fail_errno(&err, JIC_EIO, "open %s", "index");
	cr_expect_not(jic_wrap(&err, "get %d", 1));
	cr_expect_str_eq(err.text, "get 1: open index: Permission denied");
	cr_expect_eq(err.code, JIC_EDENIED);
	cr_expect_eq(err.sys, EACCES);
}

Test(error, long_texts_are_cut_and_stay_terminated)
{
	struct jic_error err;
	char text[2000];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	errno = ENOENT;
	jic_fail_errno(&err, JIC_EIO, "%s", text);
	cr_expect_eq(strlen(err.text), sizeof err.text - 1);
	jic_wrap(&err, "%s", text);
	cr_expect_eq(strlen(err.text), sizeof err.text - 1);
	jic_fail(&err, JIC_EIO, "short");
	jic_wrap(&err, "outer");
	cr_expect_str_eq(err.text, "outer: short");
}

Test(error, a_caller_who_does_not_care_gives_null)
{
	cr_expect_not(jic_fail(NULL, JIC_EIO, "x"));
	cr_expect_not(jic_fail_errno(NULL, JIC_EIO, "x"));
	cr_expect_not(jic_wrap(NULL, "x"));
}

Test(error, every_code_has_a_name_of_its_own)
{
	for (int a = JIC_OK; a <= JIC_EBUSY; a++) {
		cr_expect_str_neq(jic_code_name((enum jic_code)a), "unknown", "%d", a);
		for (int b = JIC_OK; b < a; b++)
			cr_expect_str_neq(jic_code_name((enum jic_code)a), jic_code_name((enum jic_code)b));
	}
	cr_expect_str_eq(jic_code_name((enum jic_code)999), "unknown");
}
