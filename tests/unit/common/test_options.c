/* Command lines from tables: what is taken, what is refused, and the help that the same tables give. */
#include "common/options.h"

#include <criterion/criterion.h>

static const struct jic_option serve_options[] = {
    {.name = "data", .letter = 'd', .value = "DIR", .help = "where everything is kept"},
    {.name = "require-token", .help = "readers need a token too"},
    {.name = "lane", .value = "NAME", .help = "may be repeated"},
};
static const struct jic_command commands[] = {
    {.name = "serve", .summary = "Serve", .options = serve_options, .options_count = 3},
    {.name = "token", .summary = "Tokens", .positional = "WORD", .positional_min = 1, .positional_max = 1},
    {.name = "token create", .summary = "Create a token"},
    {.name = "run",
     .summary = "Run",
     .positional = "COMMAND…",
     .positional_min = 1,
     .positional_max = 100,
     .verbatim_tail = true,
     .options = serve_options,
     .options_count = 3},
};

static const struct jic_command *find(size_t *used, size_t argc, const char *const *argv)
{
	return jic_command_find(commands, JIC_COUNT(commands), argv, argc, used);
}

Test(options, the_longest_command_name_wins)
{
	size_t used;
	cr_assert_eq(find(&used, 2, (const char *[]){"token", "create"}), &commands[2]);
	cr_assert_eq(used, 2);
	cr_assert_eq(find(&used, 2, (const char *[]){"token", "other"}), &commands[1]);
	cr_assert_eq(used, 1);
	cr_assert_null(find(&used, 1, (const char *[]){"tok"}));
	cr_assert_null(find(&used, 0, (const char *[]){NULL}));
}

struct parsed {
	struct jic_arena arena;
	struct jic_options o;
	struct jic_error err;
};
static void parsed_clear(struct parsed *p)
{
	jic_arena_clear(&p->arena);
}

#define PARSE(p, command, ...)                                                                                         \
	JIC_CLEAR(parsed) struct parsed p = {0};                                                                       \
	const char *argv_##p[] = {__VA_ARGS__};                                                                        \
	bool ok_##p = jic_options_parse(command, argv_##p, JIC_COUNT(argv_##p), &p.arena, &p.o, &p.err)

Test(options, values_come_in_four_forms)
{
	PARSE(a, &commands[0], "--data", "x");
	PARSE(b, &commands[0], "--data=x");
	PARSE(c, &commands[0], "-d", "x");
	PARSE(d, &commands[0], "-dx");
	cr_assert(ok_a && ok_b && ok_c && ok_d);
	cr_assert_str_eq(jic_options_text(&a.o, "data", ""), "x");
	cr_assert_str_eq(jic_options_text(&b.o, "data", ""), "x");
	cr_assert_str_eq(jic_options_text(&c.o, "data", ""), "x");
	cr_assert_str_eq(jic_options_text(&d.o, "data", ""), "x");
}

Test(options, the_last_value_counts_and_all_can_be_read)
{
	PARSE(p, &commands[0], "--lane", "a", "--require-token", "--lane=b");
	cr_assert(ok_p);
	cr_assert_str_eq(jic_options_text(&p.o, "lane", NULL), "b");
	cr_assert_str_eq(jic_options_nth(&p.o, "lane", 0), "a");
	cr_assert_str_eq(jic_options_nth(&p.o, "lane", 1), "b");
	cr_assert_null(jic_options_nth(&p.o, "lane", 2));
	cr_assert(jic_options_has(&p.o, "require-token"));
	cr_assert_not(jic_options_has(&p.o, "data"));
	cr_assert_str_eq(jic_options_text(&p.o, "data", "default"), "default");
}

Test(options, an_empty_value_is_a_value)
{
	PARSE(p, &commands[0], "--data=");
	cr_assert(ok_p);
	cr_assert_str_eq(jic_options_text(&p.o, "data", "default"), "");
}

#define REFUSE(text_, command, ...)                                                                                    \
	do {                                                                                                           \
		PARSE(p, command, __VA_ARGS__);                                                                        \
		cr_assert_not(ok_p);                                                                                   \
		cr_assert_eq(p.err.code, JIC_EUSAGE);                                                                  \
		cr_assert_str_eq(p.err.text, text_);                                                                   \
	} while (0)

Test(options, mistakes_are_named)
{
	REFUSE("unknown option --dat", &commands[0], "--dat", "x");
	REFUSE("unknown option --dat", &commands[0], "--dat=x");
	REFUSE("unknown option -x", &commands[0], "-x");
	REFUSE("--data needs a value: DIR", &commands[0], "--data");
	REFUSE("--require-token takes no value", &commands[0], "--require-token=1");
	REFUSE("unexpected argument \"more\"", &commands[0], "more");
	REFUSE("token needs WORD", &commands[1], "--");
}

Test(options, help_ends_the_checking)
{
	PARSE(p, &commands[1], "--help", "--nonsense");
	cr_assert(ok_p);
	cr_assert(p.o.help);
}

Test(options, a_verbatim_tail_keeps_its_dashes)
{
	PARSE(p, &commands[3], "--data", "x", "julia", "--project", "--help");
	cr_assert(ok_p);
	cr_assert_not(p.o.help);
	cr_assert_eq(p.o.positional_count, 3);
	cr_assert_str_eq(p.o.positional[2], "--help");
	PARSE(q, &commands[3], "--", "--version");
	cr_assert(ok_q);
	cr_assert_str_eq(q.o.positional[0], "--version");
}

Test(options, a_single_dash_is_an_argument)
{
	PARSE(p, &commands[1], "-");
	cr_assert(ok_p);
	cr_assert_str_eq(p.o.positional[0], "-");
}

Test(options, help_shows_every_option_and_no_line_is_too_long)
{
	static const struct jic_option options[] = {
	    {.name = "an-option-with-a-very-long-name", .value = "WITH-A-LONG-VALUE", .help = "one two three"},
	    {.name = "data",
	     .letter = 'd',
	     .value = "DIR",
	     .help = "a long explanation that certainly does not fit into what is left of one line of a terminal"}};
	static const struct jic_command command = {
	    .name = "serve", .summary = "Serve", .positional = "[X]", .options = options, .options_count = 2};
	JIC_CLEAR(jic_buf) struct jic_buf out = {0};
	jic_command_help(&command, "jicached", &out);
	cr_assert(strstr(jic_buf_str(&out), "Usage: jicached serve [OPTION]… [X]\n"));
	cr_assert(strstr(jic_buf_str(&out), "  -d, --data DIR"));
	cr_assert(strstr(jic_buf_str(&out), "  -h, --help"));
	for (const char *line = jic_buf_str(&out); *line;) {
		const char *end = strchr(line, '\n');
		cr_assert(end && end - line <= 80, "%s", line);
		line = end + 1;
	}
}

Test(options, the_list_of_commands_has_each_with_its_summary)
{
	JIC_CLEAR(jic_buf) struct jic_buf out = {0};
	jic_commands_help(commands, JIC_COUNT(commands), "jicached", "A server.", &out);
	cr_assert(strstr(jic_buf_str(&out), "  token create  Create a token\n"));
	cr_assert(strstr(jic_buf_str(&out), "  serve         Serve\n"));
}

Test(options, numbers_are_decimal_and_bounded)
{
	uint64_t v = 7;
	cr_assert(jic_parse_u64(JIC_VIEW("18446744073709551615"), UINT64_MAX, &v) && v == UINT64_MAX);
	cr_assert_not(jic_parse_u64(JIC_VIEW("18446744073709551616"), UINT64_MAX, &v));
	cr_assert_not(jic_parse_u64(JIC_VIEW(""), 9, &v));
	cr_assert_not(jic_parse_u64(JIC_VIEW("-1"), 9, &v));
	cr_assert_not(jic_parse_u64(JIC_VIEW("+1"), 9, &v));
	cr_assert_not(jic_parse_u64(JIC_VIEW("0x1"), 9, &v));
	cr_assert_not(jic_parse_u64(JIC_VIEW("10"), 9, &v));
	PARSE(p, &commands[0], "--data=ten");
	cr_assert(ok_p);
	cr_assert_not(jic_options_u64(&p.o, "data", 99, &v, &p.err));
	cr_assert_str_eq(p.err.text, "--data must be a number from 0 to 99, not \"ten\"");
	cr_assert(jic_options_u64(&p.o, "lane", 99, &v, &p.err));
}

Test(options, sizes_and_durations_have_units)
{
	uint64_t v;
	cr_assert(jic_parse_bytes(JIC_VIEW("64M"), UINT64_MAX, &v) && v == 64ull << 20);
	cr_assert(jic_parse_bytes(JIC_VIEW("12"), UINT64_MAX, &v) && v == 12);
	cr_assert_not(jic_parse_bytes(JIC_VIEW("M"), UINT64_MAX, &v));
	cr_assert_not(jic_parse_bytes(JIC_VIEW("99999999999T"), UINT64_MAX, &v));
	cr_assert_not(jic_parse_bytes(JIC_VIEW("2k"), 2047, &v));
	cr_assert(jic_parse_duration(JIC_VIEW("90d"), UINT64_MAX, &v) && v == 90 * 86400);
	cr_assert(jic_parse_duration(JIC_VIEW("2w"), UINT64_MAX, &v) && v == 14 * 86400);
	cr_assert_not(jic_parse_duration(JIC_VIEW("1y"), UINT64_MAX, &v));
	cr_assert_not(jic_parse_duration(JIC_VIEW("1.5h"), UINT64_MAX, &v));
}
