/* Opening a session: settings → facts → graph → runtimes. Each step needs only the ones before. */
#include "client/lib/session/session.h"

#include "client/lib/environment/load_path.h"

static size_t count_words(const char *text)
{
	size_t words = 0;
	for (bool inside = false; *text; text++) {
		bool space = *text == ' ' || *text == '\t' || *text == '\n';
		words += !space && !inside;
		inside = !space;
	}
	return words;
}

/* Splits at white space; '…' and "…" group, a backslash takes the next byte: what a shell does, without expansions. */
static const char *next_word(const char *from, char *to, const char **end)
{
	char quote = 0;
	const char *word = to;
	for (; *from; from++) {
		if (!quote && (*from == ' ' || *from == '\t' || *from == '\n'))
			break;
		if (*from == quote)
			quote = 0;
		else if (!quote && (*from == '\'' || *from == '"'))
			quote = *from;
		else if (*from == '\\' && quote != '\'' && from[1])
			*to++ = *++from;
		else
			*to++ = *from;
	}
	*to = '\0';
	*end = from;
	return word;
}

static const char *const *split_words(const char *text, struct jic_arena *arena, size_t *count)
{
	size_t most = count_words(text), found = 0;
	const char **words = jic_arena_array(arena, most + 1, sizeof *words);
	while (words && found < most) {
		while (*text == ' ' || *text == '\t' || *text == '\n')
			text++;
		if (!*text)
			break;
		char *space = jic_arena_alloc(arena, strlen(text) + 1);
		if (!space)
			return NULL;
		words[found++] = next_word(text, space, &text);
	}
	*count = found;
	return words;
}

/* Pkg.test's flags, as far as caches depend on them; one that the user gave stands. */
static bool use_target(struct jic_session *s, struct jic_error *err)
{
	const char *target = s->options.target, *args = s->options.julia_args ? s->options.julia_args : "";
	size_t count;
	if (!target)
		return true;
	if (strcmp(target, "test") != 0)
		return jic_fail(err, JIC_EUSAGE, "there is no target \"%s\"; supported is \"test\"", target);
	const char *const *words = split_words(args, &s->arena, &count);
	if (!words)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; i < count; i++) {
		if (strncmp(words[i], "--check-bounds", strlen("--check-bounds")) == 0)
			return true;
	}
	s->options.julia_args = jic_arena_printf(&s->arena, "%s%s--check-bounds=yes", args, *args ? " " : "").ptr;
	return !s->arena.failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}

/* The tests see no other environment. It also tells whoever remembers this session from those without a target. */
static bool set_load_path(struct jic_session *s, struct jic_error *err)
{
	struct jic_view *only = JIC_ARENA_NEW(&s->arena, struct jic_view);
	if (!s->options.target)
		return true;
	if (!only)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	*only = JIC_VIEW("@");
	s->facts.load_path = only;
	s->facts.load_path_count = 1;
	return true;
}

/* "@script" in LOAD_PATH becomes the path, so that whoever remembers this session need not know the script. */
static bool set_script_entries(struct jic_session *s, struct jic_error *err)
{
	struct jic_view *entries = jic_arena_array(&s->arena, s->facts.load_path_count + 1, sizeof *entries);
	size_t count = 0;
	if (!entries)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; i < s->facts.load_path_count; i++) {
		struct jic_view entry = s->facts.load_path[i];
		if (jic_load_path_is_script(&s->facts, entry))
			entry = jic_load_path_script(&s->facts, entry, s->options.script, &s->arena);
		if (entry.len)
			entries[count++] = entry;
	}
	s->facts.load_path = entries;
	s->facts.load_path_count = count;
	return true;
}

static bool use_script(struct jic_session *s, struct jic_error *err)
{
	const char *project = s->options.project ? s->options.project : getenv("JULIA_PROJECT");
	if (!s->options.script)
		return true;
	if (project && jic_load_path_is_script(&s->facts, jic_view_of(project)))
		s->options.project = jic_arena_copy(&s->arena, jic_load_path_script(&s->facts, jic_view_of(project),
		                                                                    s->options.script, &s->arena))
		                         .ptr;
	return set_script_entries(s, err);
}

static bool get_facts(struct jic_session *s, struct jic_error *err)
{
	const char *args = s->options.julia_args ? s->options.julia_args : "";
	struct jic_facts_options o = {.julia = s->options.julia, .memory_dir = s->settings.memory_dir};
	s->julia_args = o.julia_args = split_words(args, &s->arena, &o.julia_args_count);
	if (!o.julia_args)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	if (!jic_facts_get(&o, &s->arena, &s->facts, err))
		return false;
	s->julia = jic_arena_copy(&s->arena, s->facts.julia).ptr;
	return !s->arena.failed || jic_fail(err, JIC_EMEMORY, "out of memory");
}

static bool get_runtimes(struct jic_session *s, struct jic_error *err)
{
	if (!jic_facts_runtimes(&s->facts, &s->arena, &s->runtimes, &s->runtimes_count, err))
		return false;
	s->runtime_ids = jic_arena_array(&s->arena, s->runtimes_count, sizeof *s->runtime_ids);
	for (size_t i = 0; s->runtime_ids && i < s->runtimes_count; i++) {
		char id[JIC_RUNTIME_ID_BYTES_MAX];
		if (!jic_runtime_id(&s->runtimes[i], id, err))
			return false;
		s->runtime_ids[i] = jic_arena_copy(&s->arena, jic_view_of(id));
	}
	return s->arena.failed ? jic_fail(err, JIC_EMEMORY, "out of memory") : true;
}

/* Julia's own list, spelled out, with ours behind it: means the same to every version. */
static bool set_depot_path(struct jic_session *s, struct jic_error *err)
{
	if (!s->options.depot)
		return true;
	JIC_CLEAR(jic_buf) struct jic_buf path = {0};
	for (size_t i = 0; i < s->facts.depot_path_count; i++)
		jic_buf_printf(&path, JIC_PRIv ":", JIC_ARGv(s->facts.depot_path[i]));
	jic_buf_puts(&path, s->options.depot);
	s->depot_path = jic_buf_take(&path);
	return s->depot_path ? true : jic_fail(err, JIC_EMEMORY, "out of memory");
}

static bool open_steps(struct jic_session *s, struct jic_error *err)
{
	if (!use_target(s, err) || !jic_settings_load(&s->options, &s->arena, &s->settings, err) ||
	    !jic_trust_load(&s->settings, &s->arena, &s->trust, err) || !get_facts(s, err) || !use_script(s, err))
		return false;
	const struct jic_graph_options graph = {.project = s->options.project,
	                                        .test_target = s->options.target != NULL,
	                                        .memory_dir = s->settings.memory_dir};
	s->depot = (struct jic_depot_options){.depot = s->options.depot, .memory_dir = s->settings.memory_dir};
	return jic_graph_build(&s->facts, &graph, &s->arena, &s->graph, err) && set_load_path(s, err) &&
	       get_runtimes(s, err) && set_depot_path(s, err);
}

static const char *keep(struct jic_session *s, const char *text)
{
	return text ? jic_arena_copy(&s->arena, jic_view_of(text)).ptr : NULL;
}

JIC_DEFINE_AUTO(jic_session, jic_session_free)

struct jic_session *jic_session_open(const struct jic_session_options *options, struct jic_error *err)
{
	JIC_AUTO(jic_session) struct jic_session *s = calloc(1, sizeof *s);
	if (!s) {
		jic_fail(err, JIC_EMEMORY, "out of memory");
		return NULL;
	}
	s->options = (struct jic_session_options){
	    .url = keep(s, options->url),
	    .token = keep(s, options->token),
	    .lane = keep(s, options->lane),
	    .project = keep(s, options->project),
	    .julia = keep(s, options->julia),
	    .julia_args = keep(s, options->julia_args),
	    .depot = keep(s, options->depot),
	    .progress = options->progress,
	    .progress_context = options->progress_context,
	    .target = keep(s, options->target),
	    .script = keep(s, options->script),
	    .ca_file = keep(s, options->ca_file),
	    .client_certificate = keep(s, options->client_certificate),
	    .client_key = keep(s, options->client_key),
	};
	return open_steps(s, err) ? JIC_TAKE(s) : NULL;
}

void jic_session_free(struct jic_session *s)
{
	if (!s)
		return;
	free(s->depot_path);
	jic_trust_clear(&s->trust);
	jic_arena_clear(&s->arena);
	free(s);
}

const char *jic_session_depot_path(const struct jic_session *s)
{
	return s->depot_path;
}

const char *jic_session_julia(const struct jic_session *s)
{
	return s->julia;
}

const char *const *jic_session_julia_args(const struct jic_session *s)
{
	return s->julia_args;
}

bool jic_session_can_publish(const struct jic_session *s)
{
	return jic_settings_identify(&s->settings);
}

const char *jic_version(void)
{
	return JIC_VERSION;
}

struct jic_view jic_session_node_title(const struct jic_session *s, const struct jic_node *n, struct jic_arena *arena)
{
	if (n->inputs.kind != JIC_NODE_EXTENSION || !n->deps_count)
		return n->inputs.name;
	struct jic_view parent = s->graph.nodes[n->deps[0]].inputs.name;
	return jic_arena_printf(arena, JIC_PRIv "/" JIC_PRIv, JIC_ARGv(parent), JIC_ARGv(n->inputs.name));
}
