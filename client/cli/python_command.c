/* The order of the sources is theirs: command line over environment over what was resolved before over defaults. */
#include "client/cli/python_command.h"

#include "client/cli/program.h"
#include "client/cli/quote.h"
#include "common/file.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>

enum { META_BYTES_MAX = 4 * 1024 * 1024, META_VERSION = 5 };

/* Options of julia that juliacall passes on and that decide about caches. */
static const struct passed_option {
	const char *name, *option;
	bool is_path;
} passed_options[] = {
    {"home", "--home=", true},
    {"sysimage", "--sysimage=", true},
    {"check-bounds", "--check-bounds=", false},
    {"inline", "--inline=", false},
    {"optimize", "--optimize=", false},
    {"compiled-modules", "--compiled-modules=", false},
};

/* ---- the name */

static bool is_name(struct jic_view name, const char *word)
{
	struct jic_view rest = jic_view_skip(name, strlen(word));
	if (!jic_view_starts(name, jic_view_of(word)))
		return false;
	for (size_t i = 0; i < rest.len; i++)
		if (!isdigit((unsigned char)rest.ptr[i]) && rest.ptr[i] != '.')
			return false;
	return true;
}

static const char *base_name(const char *command)
{
	const char *slash = strrchr(command, '/');
	return slash ? slash + 1 : command;
}

bool jic_python_command_is(const char *command)
{
	static const char *const words[] = {"python",      "ipython",          "jupyter",
	                                    "jupyter-lab", "jupyter-notebook", "python-jl"};
	for (size_t i = 0; i < JIC_COUNT(words); i++)
		if (is_name(jic_view_of(base_name(command)), words[i]))
			return true;
	return false;
}

/* ---- settings */

struct reading {
	const char *const *argv;
	struct jic_arena *arena;
	struct jic_python_command *out;
};

/* The letters of one word such as "-uXjuliacall-exe=…": c and m end Python's options, W and X take the rest or the next
 * word. @return the value of X, or NULL */
static const char *x_option(const char *const *argv, size_t *next, bool *ended)
{
	const char *word = argv[(*next)++];
	for (const char *letter = word + 1; *letter; letter++) {
		if (*letter == 'c' || *letter == 'm')
			*ended = true;
		if (*ended)
			return NULL;
		if (*letter != 'W' && *letter != 'X')
			continue;
		const char *value = letter[1] ? letter + 1 : argv[*next] ? argv[(*next)++] : NULL;
		return *letter == 'X' ? value : NULL;
	}
	return NULL;
}

/* The value of the last `-X FAMILY-NAME=VALUE`. */
static const char *from_command_line(const char *const *argv, const char *family, const char *name)
{
	const char *found = NULL;
	bool ended = strncmp(base_name(argv[0]), "python", 6) != 0;
	size_t family_len = strlen(family), name_len = strlen(name);
	for (size_t next = 1; !ended && argv[next] && argv[next][0] == '-' && argv[next][1];) {
		if (argv[next][1] == '-') {
			next += strcmp(argv[next], "--check-hash-based-pycs") == 0 && argv[next + 1] ? 2 : 1;
			continue;
		}
		const char *x = x_option(argv, &next, &ended);
		if (x && strncmp(x, family, family_len) == 0 && x[family_len] == '-' &&
		    strncmp(x + family_len + 1, name, name_len) == 0 && x[family_len + 1 + name_len] == '=')
			found = x + family_len + name_len + 2;
	}
	return found;
}

/* PYTHON_JULIACALL_CHECK_BOUNDS for "juliacall" and "check-bounds". */
static const char *from_environment(const char *family, const char *name, struct jic_arena *arena)
{
	JIC_CLEAR(jic_buf) struct jic_buf variable = {0};
	/* The one name that differs between the two. */
	if (strcmp(family, "juliacall") == 0 && strcmp(name, "home") == 0)
		name = "bindir";
	jic_buf_printf(&variable, "PYTHON_%s_%s", family, name);
	for (size_t i = 0; i < variable.len; i++)
		variable.ptr[i] = variable.ptr[i] == '-' ? '_' : (char)toupper((unsigned char)variable.ptr[i]);
	arena->failed |= variable.failed;
	return getenv(jic_buf_str(&variable));
}

static const char *setting(const struct reading *r, const char *family, const char *name)
{
	const char *value = from_command_line(r->argv, family, name);
	return value ? value : from_environment(family, name, r->arena);
}

/* Takes the malloc'ed string. */
static const char *keep(struct reading *r, char *text)
{
	const char *kept = text ? jic_arena_copy(r->arena, jic_view_of(text)).ptr : NULL;
	free(text);
	return kept;
}

static const char *absolute(struct reading *r, const char *path)
{
	return keep(r, jic_path_absolute(path));
}

static const char *program(struct reading *r, const char *name)
{
	jic_autofree char *found = jic_program_find(name);
	return found ? absolute(r, found) : NULL;
}

/* ---- juliapkg */

static const char *parent(struct reading *r, const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? jic_arena_copy(r->arena, jic_view_bytes(path, (size_t)(slash - path))).ptr : NULL;
}

static bool has_venv_file(struct reading *r, const char *dir)
{
	const char *file = dir ? jic_arena_printf(r->arena, "%s/pyvenv.cfg", dir).ptr : NULL;
	return file && jic_is_file(file);
}

/* sys.prefix: the directory above the program's that has pyvenv.cfg; the program's own links are not followed. */
static const char *virtual_environment(struct reading *r)
{
	const char *python = program(r, r->argv[0]), *variable = getenv("VIRTUAL_ENV");
	const char *prefix = python ? parent(r, python) : NULL;
	prefix = prefix ? parent(r, prefix) : NULL;
	if (has_venv_file(r, prefix))
		return prefix;
	/* A shim on PATH (pyenv) starts the Python of the active environment. */
	return variable && !strchr(r->argv[0], '/') && has_venv_file(r, variable) ? variable : NULL;
}

/* juliapkg does not ask Julia: the first entry of JULIA_DEPOT_PATH as it is written, or ~/.julia. */
static const char *depot(struct reading *r)
{
	const char *list = getenv("JULIA_DEPOT_PATH"), *home = getenv("HOME");
	if (!list || !*list)
		return jic_arena_printf(r->arena, "%s/.julia", home ? home : "").ptr;
	return absolute(r, jic_arena_copy(r->arena, jic_view_bytes(list, strcspn(list, ":"))).ptr);
}

static const char *juliapkg_project(struct reading *r)
{
	const char *given = setting(r, "juliapkg", "project");
	if (given && *given)
		return given;
	const char *prefix = virtual_environment(r);
	if (!prefix)
		prefix = getenv("CONDA_PREFIX");
	if (prefix)
		return jic_arena_printf(r->arena, "%s/julia_env", absolute(r, prefix)).ptr;
	return jic_arena_printf(r->arena, "%s/environments/pyjuliapkg", depot(r)).ptr;
}

/* The executable that the last resolution chose; NULL when there was none, or by another version of juliapkg. */
static const char *resolved_executable(struct reading *r, const char *project)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	const char *path = jic_arena_printf(r->arena, "%s/pyjuliapkg/meta.json", project).ptr;
	if (!jic_file_read(path, META_BYTES_MAX, &text, NULL))
		return NULL;
	json_t *meta = json_loadb(jic_buf_str(&text), text.len, 0, NULL);
	const char *executable = json_string_value(json_object_get(meta, "executable"));
	if (json_integer_value(json_object_get(meta, "meta_version")) != META_VERSION)
		executable = NULL;
	executable = executable ? jic_arena_copy(r->arena, jic_view_of(executable)).ptr : NULL;
	json_decref(meta);
	return executable;
}

static bool read_juliapkg(struct reading *r)
{
	const char *project = juliapkg_project(r);
	const char *resolved = resolved_executable(r, project), *given = setting(r, "juliapkg", "exe");
	/* Never resolved: nothing is installed there yet. */
	if (!resolved)
		return false;
	r->out->project = project;
	r->out->julia = program(r, given && *given ? given : resolved);
	return true;
}

/* ---- juliacall */

static const char *juliacall_executable(struct reading *r)
{
	const char *given = setting(r, "juliacall", "exe"), *home = setting(r, "juliacall", "home");
	if (given)
		return program(r, given);
	return home ? program(r, jic_arena_printf(r->arena, "%s/julia", absolute(r, home)).ptr) : NULL;
}

static void read_passed_options(struct reading *r)
{
	JIC_CLEAR(jic_buf) struct jic_buf args = {0};
	for (size_t i = 0; i < JIC_COUNT(passed_options); i++) {
		const struct passed_option *o = &passed_options[i];
		const char *value = setting(r, "juliacall", o->name);
		if (!value || !*value)
			continue;
		value = o->is_path ? absolute(r, value) : value;
		jic_put_quoted(&args, jic_arena_printf(r->arena, "%s%s", o->option, value).ptr);
	}
	r->arena->failed |= args.failed;
	r->out->args = jic_arena_copy(r->arena, jic_buf_view(&args)).ptr;
}

static bool read_juliacall(struct reading *r)
{
	const char *executable = juliacall_executable(r), *project = setting(r, "juliacall", "project");
	if (!executable != !project)
		return false; /* juliacall refuses one without the other */
	if (executable) {
		r->out->julia = executable;
		r->out->project = absolute(r, project);
	} else if (!read_juliapkg(r)) {
		return false;
	}
	read_passed_options(r);
	return true;
}

/* ---- PyJulia */

static void read_pyjulia(struct reading *r)
{
	const char *name = "julia";
	if (strcmp(base_name(r->argv[0]), "python-jl") == 0)
		for (size_t i = 1; r->argv[i]; i++) {
			if (strncmp(r->argv[i], "--julia=", 8) == 0)
				name = r->argv[i] + 8;
			else if (strcmp(r->argv[i], "--julia") == 0 && r->argv[i + 1])
				name = r->argv[++i];
		}
	r->out->julia = program(r, name);
}

bool jic_python_command_read(const char *const *argv, struct jic_arena *arena, struct jic_python_command *out)
{
	struct reading r = {.argv = argv, .arena = arena, .out = out};
	*out = (struct jic_python_command){.args = ""};
	if (strcmp(base_name(argv[0]), "python-jl") == 0 || !read_juliacall(&r))
		read_pyjulia(&r);
	return !arena->failed;
}
