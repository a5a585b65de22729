/* Command lines from tables: finding the command, then options and positional arguments in one pass. */
#include "common/options.h"

/* ---- which command */

/* How many arguments the words of `name` match, 0 when they don't. */
static size_t words_match(const char *name, const char *const *argv, size_t argc)
{
	size_t used = 0;
	struct jic_view rest = jic_view_of(name);
	while (rest.len > 0) {
		const char *space = memchr(rest.ptr, ' ', rest.len);
		struct jic_view word = jic_view_head(rest, space ? (size_t)(space - rest.ptr) : rest.len);
		if (used == argc || !jic_view_is(word, argv[used]))
			return 0;
		used++;
		rest = jic_view_skip(rest, word.len + 1);
	}
	return used;
}

const struct jic_command *jic_command_find(const struct jic_command *commands, size_t count, const char *const *argv,
                                           size_t argc, size_t *used)
{
	const struct jic_command *best = NULL;
	*used = 0;
	for (size_t i = 0; i < count; i++) {
		size_t words = words_match(commands[i].name, argv, argc);
		if (words > *used) {
			*used = words;
			best = &commands[i];
		}
	}
	return best;
}

/* ---- its arguments */

struct parse {
	const struct jic_command *command;
	const char *const *argv;
	size_t argc, next;
	struct jic_option_given *given;
	size_t given_count;
	const char **positional;
	size_t positional_count;
	struct jic_error *err;
};

static const struct jic_option *find_long(const struct jic_command *command, struct jic_view name)
{
	for (size_t i = 0; i < command->options_count; i++)
		if (jic_view_is(name, command->options[i].name))
			return &command->options[i];
	return NULL;
}

static const struct jic_option *find_letter(const struct jic_command *command, char letter)
{
	for (size_t i = 0; i < command->options_count; i++)
		if (letter && command->options[i].letter == letter)
			return &command->options[i];
	return NULL;
}

/* `value` is what came with the option itself, NULL when nothing did. */
static bool take_option(struct parse *p, const struct jic_option *option, const char *value)
{
	if (!option->value && value)
		return jic_fail(p->err, JIC_EUSAGE, "--%s takes no value", option->name);
	if (option->value && !value && p->next == p->argc)
		return jic_fail(p->err, JIC_EUSAGE, "--%s needs a value: %s", option->name, option->value);
	if (option->value && !value)
		value = p->argv[p->next++];
	p->given[p->given_count++] = (struct jic_option_given){.option = option, .value = value};
	return true;
}

static bool take_long(struct parse *p, const char *argument)
{
	const char *name = argument + 2;
	const char *equals = strchr(name, '=');
	struct jic_view found = equals ? jic_view_bytes(name, (size_t)(equals - name)) : jic_view_of(name);
	const struct jic_option *option = find_long(p->command, found);
	if (!option)
		return jic_fail(p->err, JIC_EUSAGE, "unknown option --" JIC_PRIv, JIC_ARGv(found));
	return take_option(p, option, equals ? equals + 1 : NULL);
}

static bool take_short(struct parse *p, const char *argument)
{
	const struct jic_option *option = find_letter(p->command, argument[1]);
	if (!option)
		return jic_fail(p->err, JIC_EUSAGE, "unknown option -%c", argument[1]);
	return take_option(p, option, argument[2] ? argument + 2 : NULL);
}

static void take_rest(struct parse *p)
{
	while (p->next < p->argc)
		p->positional[p->positional_count++] = p->argv[p->next++];
}

static bool take_argument(struct parse *p, const char *argument)
{
	if (strcmp(argument, "--") == 0) {
		take_rest(p);
		return true;
	}
	if (strncmp(argument, "--", 2) == 0)
		return take_long(p, argument);
	/* A single dash is a positional argument: by custom standard input or output. */
	if (argument[0] == '-' && argument[1])
		return take_short(p, argument);
	p->positional[p->positional_count++] = argument;
	if (p->command->verbatim_tail)
		take_rest(p);
	return true;
}

static bool check_positional(const struct parse *p)
{
	const struct jic_command *c = p->command;
	if (p->positional_count < c->positional_min)
		return jic_fail(p->err, JIC_EUSAGE, "%s needs %s", c->name,
		                c->positional ? c->positional : "arguments");
	if (p->positional_count > c->positional_max)
		return jic_fail(p->err, JIC_EUSAGE, "unexpected argument \"%s\"", p->positional[c->positional_max]);
	return true;
}

bool jic_options_parse(const struct jic_command *command, const char *const *argv, size_t argc, struct jic_arena *arena,
                       struct jic_options *out, struct jic_error *err)
{
	struct parse p = {.command = command, .argv = argv, .argc = argc, .err = err};
	p.given = jic_arena_array(arena, argc, sizeof *p.given);
	p.positional = jic_arena_array(arena, argc, sizeof *p.positional);
	if (!p.given || !p.positional)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	*out = (struct jic_options){.command = command};
	while (p.next < p.argc) {
		const char *argument = p.argv[p.next++];
		if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
			out->help = true;
			return true;
		}
		if (!take_argument(&p, argument))
			return false;
	}
	out->given = p.given;
	out->given_count = p.given_count;
	out->positional = p.positional;
	out->positional_count = p.positional_count;
	return check_positional(&p);
}

/* ---- asking */

const char *jic_options_nth(const struct jic_options *o, const char *name, size_t i)
{
	for (size_t k = 0; k < o->given_count; k++)
		if (strcmp(o->given[k].option->name, name) == 0 && i-- == 0)
			return o->given[k].value;
	return NULL;
}

bool jic_options_has(const struct jic_options *o, const char *name)
{
	for (size_t k = 0; k < o->given_count; k++)
		if (strcmp(o->given[k].option->name, name) == 0)
			return true;
	return false;
}

const char *jic_options_text(const struct jic_options *o, const char *name, const char *fallback)
{
	for (size_t k = o->given_count; k-- > 0;)
		if (strcmp(o->given[k].option->name, name) == 0)
			return o->given[k].value;
	return fallback;
}

bool jic_options_u64(const struct jic_options *o, const char *name, uint64_t max, uint64_t *out, struct jic_error *err)
{
	const char *text = jic_options_text(o, name, NULL);
	if (!text || jic_parse_u64(jic_view_of(text), max, out))
		return true;
	return jic_fail(err, JIC_EUSAGE, "--%s must be a number from 0 to %llu, not \"%s\"", name,
	                (unsigned long long)max, text);
}

/* ---- numbers */

bool jic_parse_u64(struct jic_view text, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c < '0' || c > '9' || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(c - '0'), &value))
			return false;
	}
	if (text.len == 0 || value > max)
		return false;
	*out = value;
	return true;
}

struct unit {
	char letter;
	uint64_t factor;
};

static bool parse_scaled(struct jic_view text, const struct unit *units, size_t count, uint64_t max, uint64_t *out)
{
	uint64_t factor = 1, value;
	for (size_t i = 0; i < count && text.len > 1; i++) {
		if (text.ptr[text.len - 1] == units[i].letter) {
			factor = units[i].factor;
			text.len--;
			break;
		}
	}
	if (!jic_parse_u64(text, UINT64_MAX, &value) || __builtin_mul_overflow(value, factor, &value) || value > max)
		return false;
	*out = value;
	return true;
}

bool jic_parse_bytes(struct jic_view text, uint64_t max, uint64_t *out)
{
	static const struct unit units[] = {{'k', 1ull << 10}, {'M', 1ull << 20}, {'G', 1ull << 30}, {'T', 1ull << 40}};
	return parse_scaled(text, units, JIC_COUNT(units), max, out);
}

bool jic_parse_duration(struct jic_view text, uint64_t max_s, uint64_t *out_s)
{
	static const struct unit units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
	return parse_scaled(text, units, JIC_COUNT(units), max_s, out_s);
}
