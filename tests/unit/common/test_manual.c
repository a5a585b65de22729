/* Manual pages and completions: what could break a page, and what each shell is told. */
#include "common/manual.h"

#include <criterion/criterion.h>

static const struct jic_option options[] = {
    {.name = "data", .letter = 'd', .value = "DIR", .help = "the data. Not 'yours': [it's ours]"},
    {.name = "json", .help = "machine-readable"},
};
static const struct jic_command commands[] = {
    {.name = "pin", .summary = "Keep", .options = options, .options_count = JIC_COUNT(options)},
    {.name = "token create",
     .summary = "Make",
     .positional = "-- WHAT\342\200\246",
     .options = options,
     .options_count = JIC_COUNT(options)},
    {.name = "token list", .summary = "List"},
};
static const struct jic_program program = {
    .name = "tool", .tagline = "does it", .section = 8, .commands = commands, .count = JIC_COUNT(commands)};

static void expect_text(const char *text, const char *expected)
{
	JIC_CLEAR(jic_buf) struct jic_buf out = {0};
	jic_manual_text(text, &out);
	cr_assert_str_eq(jic_buf_str(&out), expected);
}

Test(manual, text_has_a_line_for_each_sentence)
{
	expect_text("One. Two? Three", "One.\nTwo?\nThree\n");
	expect_text("one\ntwo", "one two\n");
	expect_text("one\n\ntwo", "one\n.Pp\ntwo\n");
	expect_text("", "");
}

Test(manual, nothing_in_a_text_is_taken_for_a_request)
{
	expect_text(".Sh x", "\\&.Sh x\n");
	expect_text("a. .b", "a.\n\\&.b\n");
	expect_text("'x", "\\&'x\n");
	expect_text("a\\fB", "a\\efB\n");
	expect_text("\342\200\246", "\\[u2026]\n");
	expect_text("\360\237\230\200", "\\[u1F600]\n");
}

Test(manual, no_line_is_longer_than_a_terminal)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	JIC_CLEAR(jic_buf) struct jic_buf out = {0};
	for (int i = 0; i < 100; i++)
		jic_buf_puts(&text, "word ");
	jic_manual_text(jic_buf_str(&text), &out);
	struct jic_view rest = jic_buf_view(&out), line;
	while (jic_view_split(&rest, '\n', &line))
		cr_assert_leq(line.len, 80);
}

static void page_of(const char *const *words, size_t count, const char *contains)
{
	JIC_CLEAR(jic_buf) struct jic_buf out = {0};
	struct jic_error err = {0};
	cr_assert(jic_manual_command(&program, words, count, false, &out, &err), "%s", err.text);
	cr_assert(strstr(jic_buf_str(&out), contains), "%s", jic_buf_str(&out));
}

Test(manual, a_page_has_name_options_and_arguments)
{
	const char *const words[] = {"token", "create"};
	page_of(words, 2, ".Dt TOOL-TOKEN-CREATE 8\n");
	page_of(words, 2, ".It Fl d , Fl Fl data Ar DIR\n");
	page_of(words, 2, ".Ar \\-\\- WHAT\\[u2026]\n");
	page_of(NULL, 0, ".Xr tool-token-create 8 .\n");
}

Test(manual, a_command_that_there_is_not_is_an_error)
{
	JIC_CLEAR(jic_buf) struct jic_buf out = {0};
	struct jic_error err = {0};
	const char *const words[] = {"token", "burn"}, *const more[] = {"pin", "create"};
	cr_assert_not(jic_manual_command(&program, words, 2, false, &out, &err));
	cr_assert_eq(err.code, JIC_EUSAGE);
	cr_assert_not(jic_manual_command(&program, more, 2, false, &out, &err));
	cr_assert_eq(out.len, 0);
}

static void completion_has(const char *shell, const char *contains)
{
	JIC_CLEAR(jic_buf) struct jic_buf out = {0};
	struct jic_error err = {0};
	cr_assert(jic_completion(&program, jic_view_of(shell), &out, &err), "%s", err.text);
	cr_assert(strstr(jic_buf_str(&out), contains), "%s", jic_buf_str(&out));
}

Test(completion, words_and_options_are_offered_once)
{
	completion_has("bash", "compgen -W 'pin token --help --version'");
	completion_has("bash", "token) second='create list '");
	completion_has("zsh", "'token create')");
	completion_has("fish", "complete -c tool -n '__tool_in token create' -l data -x");
}

Test(completion, a_help_text_ends_no_quotation)
{
	completion_has(
	    "zsh", "'--data=[the data. Not \342\200\231yours\342\200\231\\: (it\342\200\231s ours)]:DIR:_files -/'");
	completion_has("fish", "-d 'the data. Not \342\200\231yours\342\200\231: (it\342\200\231s ours)'");
}

Test(completion, other_shells_are_refused)
{
	JIC_CLEAR(jic_buf) struct jic_buf out = {0};
	struct jic_error err = {0};
	cr_assert_not(jic_completion(&program, JIC_VIEW("tcsh"), &out, &err));
	cr_assert_eq(err.code, JIC_EUSAGE);
	cr_assert_eq(out.len, 0);
}
