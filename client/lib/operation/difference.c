/* The inputs of one package. */
#include "client/lib/operation/difference.h"

#include "common/buf.h"

enum { VALUE_BYTES_MAX = 60, HASH_SHOWN = 12 };

const char *jic_difference_kind_name(enum jic_difference_kind kind)
{
	static const char *const names[] = {
	    [JIC_DIFFERENCE_NONE] = "none",
	    [JIC_DIFFERENCE_JULIA] = "julia",
	    [JIC_DIFFERENCE_PLATFORM] = "platform",
	    [JIC_DIFFERENCE_BUNDLED] = "bundled",
	    [JIC_DIFFERENCE_FLAGS] = "flags",
	    [JIC_DIFFERENCE_CPU] = "cpu",
	    [JIC_DIFFERENCE_SYSIMAGE] = "sysimage",
	    [JIC_DIFFERENCE_SOURCE] = "source",
	    [JIC_DIFFERENCE_BUILD] = "build",
	    [JIC_DIFFERENCE_PREFERENCE] = "preference",
	    [JIC_DIFFERENCE_EXTENSIONS] = "extensions",
	    [JIC_DIFFERENCE_DEPENDENCIES] = "dependencies",
	    [JIC_DIFFERENCE_NEVER] = "never-published",
	    [JIC_DIFFERENCE_SUPERSEDED] = "superseded",
	    [JIC_DIFFERENCE_OTHER_SET] = "other-set",
	    [JIC_DIFFERENCE_DISTRUSTED] = "distrusted",
	    [JIC_DIFFERENCE_UNKNOWN] = "unknown",
	};
	return names[kind];
}

struct jic_view jic_shortened(struct jic_view text, size_t bytes, struct jic_arena *arena)
{
	size_t len = text.len;
	if (len > bytes)
		for (len = bytes; len > 0 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80;)
			len--;
	char *out = jic_arena_alloc(arena, len + sizeof "…");
	if (!out)
		return JIC_VIEW("");
	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)text.ptr[i];
		out[i] = text.ptr[i];
		if (c < 0x20 || c == 0x7f)
			out[i] = '?';
	}
	if (len == text.len)
		return jic_view_bytes(out, len);
	memcpy(out + len, "…", sizeof "…");
	return jic_view_bytes(out, len + sizeof "…" - 1);
}

struct jic_view jic_difference_text(const struct jic_difference *d, struct jic_view subject, struct jic_arena *arena)
{
	if (d->kind < JIC_DIFFERENCE_SOURCE)
		return d->rest;
	return jic_arena_printf(arena, JIC_PRIv JIC_PRIv JIC_PRIv, JIC_ARGv(d->lead), JIC_ARGv(subject),
	                        JIC_ARGv(d->rest));
}

static const char *name_of(const struct jic_made_of *m, struct jic_arena *arena)
{
	return jic_shortened(m->inputs->name, VALUE_BYTES_MAX, arena).ptr;
}

/* ---- source */

/* "1.2.3" as three numbers that can be compared; what is behind does not count. */
static uint64_t version_number(struct jic_view v)
{
	uint64_t number = 0;
	size_t at = 0;
	for (int part = 0; part < 3; part++) {
		uint64_t n = 0;
		for (; at < v.len && v.ptr[at] >= '0' && v.ptr[at] <= '9' && n < 100000; at++)
			n = n * 10 + (uint64_t)(v.ptr[at] - '0');
		number = number << 21 | n;
		if (at < v.len && v.ptr[at] == '.')
			at++;
	}
	return number;
}

static bool is_developed(const struct jic_made_of *m)
{
	return jic_view_starts(m->inputs->source, JIC_VIEW("content:"));
}

/* "4.1.2", else the beginning of the hash, else what the source is called. */
static struct jic_view source_text(const struct jic_made_of *m, bool versions_tell, struct jic_arena *arena)
{
	const char *colon = m->inputs->source.len ? memchr(m->inputs->source.ptr, ':', m->inputs->source.len) : NULL;
	if (versions_tell)
		return jic_shortened(m->version, VALUE_BYTES_MAX, arena);
	if (!colon)
		return jic_shortened(m->inputs->source, VALUE_BYTES_MAX, arena);
	size_t tag = (size_t)(colon - m->inputs->source.ptr);
	return jic_arena_printf(arena, "%s %.12s…", is_developed(m) ? "content" : "tree",
	                        jic_shortened(jic_view_skip(m->inputs->source, tag + 1), HASH_SHOWN, arena).ptr);
}

static struct jic_view version_remedy(const struct jic_made_of *here, const struct jic_difference *d,
                                      struct jic_arena *arena, const struct jic_made_of *there)
{
	const char *name = name_of(here, arena);
	if (version_number(here->version) < version_number(there->version))
		return jic_arena_printf(arena, "`Pkg.update(\"%s\")` to %s, or `jicache push` from a machine with %s",
		                        name, d->there.ptr, d->here.ptr);
	return jic_arena_printf(
	    arena, "`jicache push` from a machine with %s %s, or `Pkg.add(name=\"%s\", version=\"%s\")` here", name,
	    d->here.ptr, name, d->there.ptr);
}

static bool compare_sources(const struct jic_made_of *here, const struct jic_made_of *there, struct jic_arena *arena,
                            struct jic_difference *out)
{
	if (jic_view_eq(here->inputs->source, there->inputs->source))
		return false;
	bool versions_tell = here->version.len && there->version.len && !jic_view_eq(here->version, there->version);
	*out = (struct jic_difference){.kind = JIC_DIFFERENCE_SOURCE,
	                               .here = source_text(here, versions_tell, arena),
	                               .there = source_text(there, versions_tell, arena)};
	const char *mine = out->here.ptr, *theirs = out->there.ptr;
	if (is_developed(here) && is_developed(there)) {
		out->rest =
		    jic_arena_printf(arena, "'s source changed (developed package): %s here, %s there", mine, theirs);
		out->remedy =
		    JIC_VIEW("check out the published source, or `jicache push` from a machine with this one");
		return true;
	}
	if (is_developed(here) != is_developed(there)) {
		out->rest =
		    jic_arena_printf(arena, " is %s here (%s), %s there (%s)",
		                     is_developed(here) ? "developed from a path" : "an installed package", mine,
		                     is_developed(there) ? "developed from a path" : "an installed package", theirs);
		out->remedy = is_developed(here)
		                  ? jic_arena_printf(arena, "`Pkg.free(\"%s\")`, or `jicache push` from here",
		                                     name_of(here, arena))
		                  : JIC_VIEW("`jicache push` from a machine with the installed package");
		return true;
	}
	out->rest = jic_arena_printf(arena, " is %s here, %s there", mine, theirs);
	out->remedy = versions_tell
	                  ? version_remedy(here, out, arena, there)
	                  : JIC_VIEW("use the same manifest (`Pkg.instantiate()` installs it), or `jicache push` "
	                             "from a machine with this one");
	return true;
}

/* ---- build and preferences */

static bool compare_builds(const struct jic_made_of *here, const struct jic_made_of *there, struct jic_arena *arena,
                           struct jic_difference *out)
{
	if (jic_view_eq(here->inputs->build, there->inputs->build))
		return false;
	*out = (struct jic_difference){.kind = JIC_DIFFERENCE_BUILD,
	                               .lead = JIC_VIEW("the build output of "),
	                               .rest = JIC_VIEW(" differs (what deps/build.jl left in deps/)")};
	if (!here->inputs->build.len || !there->inputs->build.len)
		out->rest = here->inputs->build.len ? JIC_VIEW(" is here, and was not there (deps/build.jl)")
		                                    : JIC_VIEW(" is not here, and was there (deps/build.jl)");
	out->remedy =
	    jic_arena_printf(arena,
	                     "`Pkg.build(\"%s\")`; if its result depends on the machine, each kind of machine has "
	                     "to publish its own with `jicache push`",
	                     name_of(here, arena));
	return true;
}

static struct jic_view is_or_not_set(struct jic_view value, struct jic_arena *arena)
{
	return value.len ? jic_shortened(value, VALUE_BYTES_MAX, arena) : JIC_VIEW("not set");
}

static bool compare_preferences(const struct jic_made_of *here, const struct jic_made_of *there,
                                struct jic_arena *arena, struct jic_difference *out)
{
	struct jic_preference_difference p;
	if (!jic_preference_difference(here->inputs->preferences, there->inputs->preferences, arena, &p))
		return false;
	*out = (struct jic_difference){.kind = JIC_DIFFERENCE_PREFERENCE};
	if (!p.path.len) {
		out->lead = JIC_VIEW("the preferences of ");
		out->rest = JIC_VIEW(" differ");
		out->remedy = JIC_VIEW("set the same preferences, or `jicache push` from here");
		return true;
	}
	out->here = is_or_not_set(p.here, arena);
	out->there = is_or_not_set(p.there, arena);
	out->lead = jic_arena_printf(arena, "preference `%s` of ", p.path.ptr);
	out->rest = jic_arena_printf(arena, " is %s here, %s there", out->here.ptr, out->there.ptr);
	out->remedy = p.there.len
	                  ? jic_arena_printf(arena,
	                                     "set it to %s in LocalPreferences.toml, or `jicache push` from a "
	                                     "machine with this setting",
	                                     out->there.ptr)
	                  : JIC_VIEW("remove it from LocalPreferences.toml, or `jicache push` from a machine with "
	                             "this setting");
	return true;
}

/* ---- extensions */

static bool has_text(const struct jic_view *list, size_t count, struct jic_view wanted)
{
	for (size_t i = 0; i < count; i++)
		if (jic_view_eq(list[i], wanted))
			return true;
	return false;
}

/* The first, in bytewise order, that `a` has and `b` has not. */
static struct jic_view first_extra(const struct jic_node_inputs *a, const struct jic_node_inputs *b)
{
	struct jic_view first = {0};
	for (size_t i = 0; i < a->extensions_count; i++)
		if (!has_text(b->extensions, b->extensions_count, a->extensions[i]) &&
		    (!first.ptr || jic_view_cmp(a->extensions[i], first) < 0))
			first = a->extensions[i];
	return first;
}

static struct jic_view extension_name(struct jic_view text, struct jic_arena *arena)
{
	const char *slash = text.len ? memrchr(text.ptr, '/', text.len) : NULL;
	struct jic_view name = slash ? jic_view_skip(text, (size_t)(slash - text.ptr) + 1) : text;
	return jic_shortened(name, VALUE_BYTES_MAX, arena);
}

static void compare_extensions(const struct jic_made_of *here, const struct jic_made_of *there, struct jic_arena *arena,
                               struct jic_difference *out)
{
	struct jic_view mine = first_extra(here->inputs, there->inputs);
	struct jic_view theirs = first_extra(there->inputs, here->inputs);
	if (!mine.ptr && !theirs.ptr)
		return;
	struct jic_view name = extension_name(mine.ptr ? mine : theirs, arena);
	*out = (struct jic_difference){.kind = JIC_DIFFERENCE_EXTENSIONS, .lead = JIC_VIEW("the extension set of ")};
	out->here = mine.ptr ? name : JIC_VIEW("");
	out->there = mine.ptr ? JIC_VIEW("") : name;
	out->rest = jic_arena_printf(arena, " differs: %s loads %s", name.ptr,
	                             mine.ptr ? "here, not there" : "there, not here");
	out->remedy = jic_arena_printf(arena,
	                               "%s the packages that trigger %s in this environment, or `jicache push` from a "
	                               "machine with this environment",
	                               mine.ptr ? "remove" : "add", name.ptr);
}

void jic_difference_of_inputs(const struct jic_made_of *here, const struct jic_made_of *there, struct jic_arena *arena,
                              struct jic_difference *out)
{
	*out = (struct jic_difference){0};
	if (compare_sources(here, there, arena, out) || compare_builds(here, there, arena, out) ||
	    compare_preferences(here, there, arena, out))
		return;
	compare_extensions(here, there, arena, out);
}
