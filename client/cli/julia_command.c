/*
 * Julia parses with getopt_long and "+": options end at the first argument that is none (the program file) or at "--".
 * So an option's separate value must be known as one, or it would be taken for the program file.
 */
#include "client/cli/julia_command.h"

#include "client/cli/quote.h"

/* Long options whose value decides about caches. The value is after "=" or, where it is required, the next argument. */
static const struct long_option {
	const char *name;
	bool required; /* takes the next argument when there is no "=" */
	bool matters;
} long_options[] = {
    {"sysimage", true, true},
    {"cpu-target", true, true},
    {"optimize", false, true},
    {"check-bounds", true, true},
    {"inline", true, true},
    {"pkgimages", true, true},
    {"code-coverage", false, true},
    {"track-allocation", false, true},
    {"compiled-modules", true, true},
    {"home", true, true},
    {"project", false, false},
    {"eval", true, false},
    {"print", true, false},
    {"load", true, false},
    {"procs", true, false},
    {"threads", true, false},
    {"machine-file", true, false},
    {"module", true, false},
    {"color", true, false},
    {"history-file", true, false},
    {"startup-file", true, false},
    {"depwarn", true, false},
    {"warn-overwrite", true, false},
    {"handle-signals", true, false},
    {"math-mode", true, false},
    {"min-optlevel", true, false},
    {"compile", true, false},
    {"heap-size-hint", true, false},
    {"gcthreads", true, false},
    {"banner", true, false},
    {"sysimage-native-code", true, false},
    {"polly", true, false},
    {"trace-compile", true, false},
};

/* Short ones: J, C, H take a value, as do e E L p t m; -O and -g may have one attached. */
static const char short_with_value[] = "JCHeELptm";
static const char short_that_matter[] = "JCHOg";

/* With these the first argument is no program file (src/jloptions.c, base/client.jl:process_options). */
static const char *const instead_of_script[] = {"eval", "print", "module"};
static const char short_instead_of_script[] = "eEm";

bool jic_julia_command_is(const char *command)
{
	const char *slash = strrchr(command, '/');
	const char *name = slash ? slash + 1 : command;
	return strcmp(name, "julia") == 0 || strncmp(name, "julia-", 6) == 0;
}

struct reading {
	const char *const *argv;
	size_t next;
	bool no_script; /* one of instead_of_script was given */
	struct jic_buf args;
	struct jic_julia_command *out;
};

static void keep_with_value(struct reading *r, const char *argument, bool value_follows)
{
	jic_put_quoted(&r->args, argument);
	if (value_follows && r->argv[r->next])
		jic_put_quoted(&r->args, r->argv[r->next]);
}

static void read_long(struct reading *r, const char *argument)
{
	const char *name = argument + 2, *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	for (size_t i = 0; i < JIC_COUNT(long_options); i++) {
		const struct long_option *o = &long_options[i];
		if (strlen(o->name) != len || strncmp(o->name, name, len) != 0)
			continue;
		bool follows = o->required && !equals;
		if (strcmp(o->name, "project") == 0)
			r->out->project = equals ? equals + 1 : "@.";
		for (size_t k = 0; k < JIC_COUNT(instead_of_script); k++)
			r->no_script |= strcmp(o->name, instead_of_script[k]) == 0;
		if (o->matters)
			keep_with_value(r, argument, follows);
		r->next += follows && r->argv[r->next];
		return;
	}
}

static void read_short(struct reading *r, const char *argument)
{
	bool takes = strchr(short_with_value, argument[1]) != NULL;
	bool follows = takes && !argument[2];
	r->no_script |= strchr(short_instead_of_script, argument[1]) != NULL;
	if (strchr(short_that_matter, argument[1]))
		keep_with_value(r, argument, follows);
	r->next += follows && r->argv[r->next];
}

/* What is left begins with the program file; "-" is standard input. */
static void take_script(struct reading *r, const char *first)
{
	if (!r->no_script && first && strcmp(first, "-") != 0)
		r->out->script = first;
}

bool jic_julia_command_read(const char *const *argv, struct jic_arena *arena, struct jic_julia_command *out)
{
	*out = (struct jic_julia_command){.args = ""};
	struct reading r = {.argv = argv, .next = 1, .out = out};
	/* juliaup: `julia +1.10 …` chooses the version first. */
	if (argv[0] && argv[1] && argv[1][0] == '+')
		jic_put_quoted(&r.args, argv[r.next++]);
	while (argv[0] && argv[r.next]) {
		const char *argument = argv[r.next++];
		bool ended = strcmp(argument, "--") == 0;
		if (ended || argument[0] != '-' || !argument[1]) {
			take_script(&r, ended ? argv[r.next] : argument);
			break;
		}
		if (argument[1] == '-')
			read_long(&r, argument);
		else
			read_short(&r, argument);
	}
	bool kept = !r.args.failed;
	out->args = jic_arena_copy(arena, jic_buf_view(&r.args)).ptr;
	jic_buf_clear(&r.args);
	return kept && !arena->failed;
}
