/* jicache doctor: everything that has to be right, in the order in which it is needed, each thing looked at even when
 * an earlier one is wrong. */
#include "client/lib/operation/findings.h"
#include "client/lib/session/session.h"
#include "common/file.h"

#include <unistd.h>

JIC_DEFINE_AUTO(jic_session, jic_session_free)

/* ---- the environment */

static void find_unshared(struct jic_findings *f, const struct jic_session *s)
{
	for (size_t i = 0; i < s->graph.count; i++) {
		const struct jic_node *n = &s->graph.nodes[i];
		struct jic_view title = jic_session_node_title(s, n, &f->arena);
		if (n->state == JIC_STATE_NO_SOURCE)
			jic_find(f, JIC_ADVICE, "not-installed", "run Pkg.instantiate()", JIC_PRIv ": " JIC_PRIv,
			         JIC_ARGv(title), JIC_ARGv(n->reason));
		else if (n->state == JIC_STATE_UNSHARED)
			jic_find(f, JIC_ADVICE, "not-shared",
			         "nothing has to be done: Julia compiles it, and what depends on it, on each machine",
			         JIC_PRIv ": " JIC_PRIv, JIC_ARGv(title), JIC_ARGv(n->reason));
	}
}

static void find_environment(struct jic_findings *f, const struct jic_session *s)
{
	uint32_t shared = 0;
	const char *const instantiate = "run Pkg.instantiate() with this project";
	for (size_t i = 0; i < s->graph.count; i++)
		shared += jic_node_is_wanted(&s->graph.nodes[i]);
	if (!s->graph.project_file.len)
		jic_find(f, JIC_ADVICE, "environment", "name one with --project DIR or JULIA_PROJECT",
		         "no project is active; %u packages of the other environments can be shared", shared);
	else if (!s->graph.manifest_file.len)
		jic_find(f, JIC_ADVICE, "environment", instantiate, JIC_PRIv " has no manifest",
		         JIC_ARGv(s->graph.project_file));
	else
		jic_find(f, JIC_FINE, "environment", "", JIC_PRIv ": %u packages can be shared",
		         JIC_ARGv(s->graph.project_file), shared);
	for (size_t i = 0; i < s->graph.warnings_count; i++)
		jic_find(f, JIC_ADVICE, "environment", "repair it, or take it off LOAD_PATH", JIC_PRIv,
		         JIC_ARGv(s->graph.warnings[i]));
	find_unshared(f, s);
}

static const char *remedy_of(enum jic_code code)
{
	switch (code) {
	case JIC_ENOTFOUND:
		return "name the Julia with --julia PATH or the variable JULIA, the project with --project DIR";
	case JIC_EUNSUPPORTED:
		return "use Julia 1.5 or newer";
	case JIC_EFORMAT:
		return "repair the file that is named";
	default:
		return "start this Julia by hand and see what it says";
	}
}

static void find_memory(struct jic_findings *f, const struct jic_settings *settings)
{
	struct jic_error why = {0};
	if (jic_mkdirs(settings->memory_dir, &why) && access(settings->memory_dir, W_OK | X_OK) == 0)
		jic_find(f, JIC_FINE, "memory", "", "%s can be written to", settings->memory_dir);
	else
		jic_find(f, JIC_ADVICE, "memory", "set XDG_CACHE_HOME to a directory that can be written to",
		         "%s can't be written to: Julia is asked and every file is read each time",
		         settings->memory_dir);
}

/* Facts alone tell of Julia and the depot when the project is what is wrong. */
static void find_without_session(struct jic_findings *f, const struct jic_session_options *options,
                                 const struct jic_settings *settings)
{
	struct jic_facts facts;
	const struct jic_facts_options o = {.julia = options->julia, .memory_dir = settings->memory_dir};
	if (!jic_facts_get(&o, &f->arena, &facts, NULL))
		return;
	jic_find_julia(f, &facts);
	jic_find_depot(f, &facts, options->depot);
}

static void examine(struct jic_findings *f, const struct jic_session_options *options)
{
	struct jic_error why = {0};
	struct jic_settings settings;
	if (!jic_settings_load(options, &f->arena, &settings, &why)) {
		jic_find(f, JIC_WRONG, "settings", "repair the setting that is named", "%s", why.text);
		return;
	}
	JIC_AUTO(jic_session) struct jic_session *s = jic_session_open(options, &why);
	if (s) {
		jic_find_julia(f, &s->facts);
		find_environment(f, s);
		jic_find_depot(f, &s->facts, options->depot);
	} else {
		jic_find(f, JIC_WRONG, "session", remedy_of(why.code), "%s", why.text);
		find_without_session(f, options, &settings);
	}
	find_memory(f, &settings);
	jic_find_server(f, &settings);
}

struct jic_report *jic_doctor(const struct jic_session_options *options, struct jic_error *err)
{
	JIC_AUTO(jic_report) struct jic_report *r = jic_report_new("doctor", err);
	struct jic_findings f = {.report = r};
	if (!r)
		return NULL;
	examine(&f, options);
	jic_arena_clear(&f.arena);
	jic_report_set(r, "wrong", json_integer(f.wrong));
	jic_report_set(r, "advice", json_integer(f.advice));
	r->counts.refused = f.wrong;
	const bool done = f.wrong ? jic_report_finish(r, err, "%u thing%s wrong, %u could be better", f.wrong,
	                                              f.wrong == 1 ? "" : "s", f.advice)
	                          : jic_report_finish(r, err, "nothing is wrong, %u could be better", f.advice);
	return done ? JIC_TAKE(r) : NULL;
}
