#include "client/lib/environment/preferences.h"

#include "common/file.h"

#include <math.h>

enum { PREFERENCES_BYTES_MAX = 4 * 1024 * 1024, KEYS_MAX = 4096 };

static bool no_memory(struct jic_error *err)
{
	return jic_fail(err, JIC_EMEMORY, "out of memory");
}

/* ---- reading */

static bool read_local(const struct jic_project *project, struct jic_arena *arena, const struct jic_toml **out,
                       struct jic_error *err)
{
	static const char *const names[] = {"JuliaLocalPreferences.toml", "LocalPreferences.toml"};
	for (size_t i = 0; i < JIC_COUNT(names); i++) {
		JIC_CLEAR(jic_buf) struct jic_buf text = {0};
		struct jic_view path = jic_view_resolve(arena, project->dir, jic_view_of(names[i]));
		if (arena->failed)
			return no_memory(err);
		if (!jic_is_file(path.ptr))
			continue;
		if (!jic_file_read(path.ptr, PREFERENCES_BYTES_MAX, &text, err))
			return false;
		*out = jic_toml_parse(arena, jic_arena_copy(arena, jic_buf_view(&text)), path.ptr, err);
		return *out != NULL;
	}
	*out = NULL;
	return true;
}

bool jic_preferences_open(const struct jic_project *const *projects, size_t count, unsigned major, unsigned minor,
                          struct jic_arena *arena, struct jic_preferences *out, struct jic_error *err)
{
	*out = (struct jic_preferences){.weakdeps_count = major > 1 || minor >= 9};
	if (major == 1 && minor < 6)
		return true; /* there are none */
	out->sources = jic_arena_array(arena, count + 1, sizeof(*out->sources));
	if (!out->sources)
		return no_memory(err);
	for (size_t i = 0; i < count; i++) {
		struct jic_preference_source *s = &out->sources[out->count];
		*s = (struct jic_preference_source){.project = projects[i]};
		if (!read_local(projects[i], arena, &s->local, err))
			return false;
		if (s->local || s->project->preferences)
			out->count++;
	}
	return true;
}

/* ---- merging */

static struct jic_view name_in(const struct jic_deps *deps, struct jic_uuid uuid)
{
	for (size_t i = 0; i < deps->count; i++) {
		if (jic_uuid_eq(deps->items[i].uuid, uuid))
			return deps->items[i].name;
	}
	return (struct jic_view){0};
}

/* get_uuid_name: a project that does not know the UUID has no say on its preferences. */
static struct jic_view name_of(const struct jic_preferences *p, const struct jic_project *project, struct jic_uuid uuid)
{
	struct jic_view name = {0};
	if (jic_uuid_eq(project->package.uuid, uuid))
		name = project->package.name;
	if (!name.len)
		name = name_in(&project->package.deps, uuid);
	if (!name.len)
		name = name_in(&project->extras, uuid);
	if (!name.len && p->weakdeps_count)
		name = name_in(&project->package.weakdeps, uuid);
	return name;
}

static bool is_cleared(const struct jic_toml *clear, struct jic_view key)
{
	if (!jic_toml_is_array(clear))
		return false;
	for (const struct jic_toml *e = jic_toml_first(clear); e; e = e->next) {
		if (jic_toml_is_string(e) && jic_view_eq(e->string, key))
			return true;
	}
	return false;
}

/* Tables that we made have no index; they are small. */
static const struct jic_toml *member(const struct jic_toml *table, struct jic_view key)
{
	for (const struct jic_toml *e = jic_toml_first(table); e; e = e->next) {
		if (jic_view_eq(e->key, key))
			return e;
	}
	return NULL;
}

/* Julia takes only a Vector{String}; a mixed array clears nothing. */
static const struct jic_toml *clear_list(const struct jic_toml *override)
{
	const struct jic_toml *clear = member(override, JIC_VIEW("__clear__"));
	for (const struct jic_toml *e = jic_toml_first(clear); jic_toml_is_array(clear) && e; e = e->next) {
		if (!jic_toml_is_string(e))
			return NULL;
	}
	return clear;
}

static bool append(struct jic_toml *table, struct jic_toml ***tail, const struct jic_toml *value, struct jic_view key,
                   struct jic_arena *arena)
{
	struct jic_toml *copy = value ? JIC_ARENA_NEW(arena, struct jic_toml) : NULL;
	if (!copy)
		return false;
	*copy = *value;
	copy->key = key;
	copy->next = NULL;
	**tail = copy;
	*tail = &copy->next;
	table->items.count++;
	return true;
}

const struct jic_toml *jic_preferences_merge(const struct jic_toml *base, const struct jic_toml *override,
                                             struct jic_arena *arena)
{
	bool many = override->items.count > KEYS_MAX || (base && base->items.count > KEYS_MAX);
	struct jic_toml *merged = many ? NULL : JIC_ARENA_NEW(arena, struct jic_toml);
	if (!merged)
		return NULL;
	merged->type = JIC_TOML_TABLE;
	struct jic_toml **tail = &merged->items.first;
	const struct jic_toml *clear = clear_list(override);
	for (const struct jic_toml *e = jic_toml_first(base); e; e = e->next) {
		const struct jic_toml *over = member(override, e->key);
		bool cleared = is_cleared(clear, e->key);
		if (!over && !cleared && !append(merged, &tail, e, e->key, arena))
			return NULL;
	}
	for (const struct jic_toml *e = jic_toml_first(override); e; e = e->next) {
		const struct jic_toml *old = is_cleared(clear, e->key) ? NULL : member(base, e->key);
		bool both = jic_toml_is_table(old) && jic_toml_is_table(e); /* depth: JIC_TOML_DEPTH_MAX */
		if (!append(merged, &tail, both ? jic_preferences_merge(old, e, arena) : e, e->key, arena))
			return NULL;
	}
	return merged;
}

static bool merge_one(const struct jic_toml *from, struct jic_view name, struct jic_arena *arena,
                      const struct jic_toml **merged, struct jic_error *err)
{
	const struct jic_toml *table = member(from, name); /* `from` may be one that we made */
	if (!jic_toml_is_table(table))
		return true;
	*merged = jic_preferences_merge(*merged, table, arena);
	return *merged || jic_fail(err, arena->failed ? JIC_EMEMORY : JIC_ELIMIT, "preferences of " JIC_PRIv ": %s",
	                           JIC_ARGv(name), arena->failed ? "out of memory" : "too many in one table");
}

bool jic_preferences_of(const struct jic_preferences *p, struct jic_uuid uuid, struct jic_arena *arena,
                        const struct jic_toml **out, struct jic_error *err)
{
	*out = NULL;
	if (jic_uuid_is_nil(uuid))
		return true;
	for (size_t i = p->count; i-- > 0;) {
		const struct jic_preference_source *s = &p->sources[i];
		struct jic_view name = name_of(p, s->project, uuid);
		if (name.len && (!merge_one(s->project->preferences, name, arena, out, err) ||
		                 !merge_one(s->local, name, arena, out, err)))
			return false;
	}
	return true;
}

static bool flatten_one(const struct jic_toml *table, struct jic_arena *arena, const struct jic_toml **merged,
                        struct jic_error *err)
{
	if (!jic_toml_is_table(table))
		return true;
	*merged = jic_preferences_merge(*merged, table, arena);
	return *merged || jic_fail(err, arena->failed ? JIC_EMEMORY : JIC_ELIMIT, "preferences: %s",
	                           arena->failed ? "out of memory" : "too many in one table");
}

bool jic_preferences_flatten(const struct jic_preferences *p, struct jic_arena *arena, const struct jic_toml **merged,
                             struct jic_error *err)
{
	for (size_t i = p->count; i-- > 0;) {
		if (!flatten_one(p->sources[i].project->preferences, arena, merged, err) ||
		    !flatten_one(p->sources[i].local, arena, merged, err))
			return false;
	}
	return true;
}

/* ---- canonical text */

static void put_string(struct jic_view s, struct jic_buf *out)
{
	jic_buf_putc(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (c == '"' || c == '\\')
			jic_buf_printf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			jic_buf_printf(out, "\\u%04x", c);
		else
			jic_buf_putc(out, (char)c);
	}
	jic_buf_putc(out, '"');
}

static void put_float(double x, struct jic_buf *out)
{
	char text[40];
	if (isnan(x) || isinf(x)) {
		jic_buf_puts(out, isnan(x) ? "nan" : x < 0 ? "-inf" : "inf");
		return;
	}
	snprintf(text, sizeof(text), "%.17g", x);
	jic_buf_puts(out, text);
	if (!strpbrk(text, ".e"))
		jic_buf_puts(out, ".0");
}

static void put_value(const struct jic_toml *v, struct jic_buf *out);

static int by_key(const void *a, const void *b)
{
	return jic_view_cmp((*(const struct jic_toml *const *)a)->key, (*(const struct jic_toml *const *)b)->key);
}

static void put_table(const struct jic_toml *table, bool outermost, struct jic_buf *out)
{
	jic_autofree const struct jic_toml **sorted = calloc(table->items.count + 1, sizeof(*sorted));
	size_t count = 0;
	if (!sorted) {
		out->failed = true;
		return;
	}
	for (const struct jic_toml *e = jic_toml_first(table); e; e = e->next) {
		if (!outermost || !jic_view_is(e->key, "__clear__"))
			sorted[count++] = e;
	}
	if (outermost && !count)
		return;
	qsort(sorted, count, sizeof(*sorted), by_key);
	jic_buf_putc(out, '{');
	for (size_t i = 0; i < count; i++) {
		if (i)
			jic_buf_putc(out, ',');
		put_string(sorted[i]->key, out);
		jic_buf_putc(out, ':');
		put_value(sorted[i], out);
	}
	jic_buf_putc(out, '}');
}

static void put_array(const struct jic_toml *array, struct jic_buf *out)
{
	jic_buf_putc(out, '[');
	for (const struct jic_toml *e = jic_toml_first(array); e; e = e->next) {
		if (e != jic_toml_first(array))
			jic_buf_putc(out, ',');
		put_value(e, out);
	}
	jic_buf_putc(out, ']');
}

static void put_value(const struct jic_toml *v, struct jic_buf *out)
{
	switch (v->type) {
	case JIC_TOML_STRING:
		put_string(v->string, out);
		break;
	case JIC_TOML_INTEGER:
		jic_buf_printf(out, "%lld", (long long)v->integer);
		break;
	case JIC_TOML_FLOAT:
		put_float(v->real, out);
		break;
	case JIC_TOML_BOOLEAN:
		jic_buf_puts(out, v->boolean ? "true" : "false");
		break;
	case JIC_TOML_DATETIME:
	case JIC_TOML_DATETIME_LOCAL:
	case JIC_TOML_DATE_LOCAL:
	case JIC_TOML_TIME_LOCAL:
		jic_buf_putc(out, '@');
		jic_buf_putv(out, v->string);
		break;
	case JIC_TOML_ARRAY:
		put_array(v, out);
		break;
	case JIC_TOML_TABLE:
		put_table(v, false, out);
		break;
	}
}

void jic_preferences_text(const struct jic_toml *table, struct jic_buf *out)
{
	if (table)
		put_table(table, true, out);
}

/* ---- hash */

bool jic_preferences_hash(const struct jic_preferences *p, const struct jic_toml *table, const struct jic_view *names,
                          size_t count, uint64_t *out)
{
	uint64_t h = 0;
	for (size_t i = 0; i < count; i++) {
		const struct jic_toml *value = member(table, names[i]);
		if (!value)
			continue;
		if (!jic_julia_hash_value(&p->hashing, value, h, &h))
			return false;
	}
	*out = h;
	return true;
}
