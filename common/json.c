/*
 * Typed reading over Jansson. A pass over the raw text counts values and depth before Jansson allocates anything:
 * sixteen megabytes of "[0,0,0,…" would otherwise become half a gigabyte of tree.
 */
#include "common/json.h"

#include <jansson.h>

static bool limits_ok(struct jic_view text, struct jic_error *err)
{
	size_t values = 1, depth = 0;
	bool quoted = false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (quoted) {
			i += c == '\\';
			quoted = c != '"';
			continue;
		}
		quoted = c == '"';
		values += c == ',' || c == ':' || c == '[' || c == '{';
		depth += c == '[' || c == '{';
		depth -= (c == ']' || c == '}') && depth > 0;
		if (depth > JIC_JSON_DEPTH_MAX)
			return jic_fail(err, JIC_ELIMIT, "JSON is nested deeper than %d", JIC_JSON_DEPTH_MAX);
		if (values > JIC_JSON_VALUES_MAX)
			return jic_fail(err, JIC_ELIMIT, "JSON has more than %d values", JIC_JSON_VALUES_MAX);
	}
	return true;
}

bool jic_json_parse(struct jic_view text, size_t bytes_max, struct jic_arena *arena, struct jic_json_doc *out,
                    struct jic_error *err)
{
	if (text.len > bytes_max)
		return jic_fail(err, JIC_ELIMIT, "JSON of %zu bytes, more than %zu", text.len, bytes_max);
	if (!limits_ok(text, err))
		return false;
	json_error_t why;
	json_t *root = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
	if (!root && json_error_code(&why) == json_error_out_of_memory)
		return jic_fail(err, JIC_EMEMORY, "out of memory");
	if (!root)
		return jic_fail(err, JIC_EFORMAT, "JSON, line %d column %d: %s", why.line, why.column, why.text);
	*out = (struct jic_json_doc){.root = root, .arena = arena, .err = err};
	return true;
}

void jic_json_doc_clear(struct jic_json_doc *d)
{
	json_decref(d->root);
	d->root = NULL;
}

/* ---- places */

enum { PATH_DEPTH_MAX = JIC_JSON_DEPTH_MAX + 1 };

static void path_text(const struct jic_json *at, struct jic_buf *out)
{
	const struct jic_json *chain[PATH_DEPTH_MAX];
	size_t depth = 0;
	for (; at->up && depth < PATH_DEPTH_MAX; at = at->up)
		chain[depth++] = at;
	if (depth == 0)
		jic_buf_puts(out, "document");
	while (depth-- > 0) {
		const struct jic_json *p = chain[depth];
		if (p->field)
			jic_buf_printf(out, "%s%s", out->len ? "." : "", p->field);
		else
			jic_buf_printf(out, "[%zu]", p->index);
	}
}

bool jic_json_fail(const struct jic_json *at, enum jic_code code, const char *what)
{
	JIC_CLEAR(jic_buf) struct jic_buf path = {0};
	path_text(at, &path);
	return jic_fail(at->doc->err, code, "%s: %s", jic_buf_str(&path), what);
}

/* An absent field and null are the same: both give a place without a value. */
static bool enter(const struct jic_json *at, const char *field, struct jic_json *out)
{
	*out = (struct jic_json){.doc = at->doc, .up = at, .field = field};
	if (!json_is_object(at->value))
		return jic_json_fail(at, JIC_EFORMAT, "must be an object");
	out->value = json_object_get(at->value, field);
	if (json_is_null(out->value))
		out->value = NULL;
	return true;
}

static bool enter_required(const struct jic_json *at, const char *field, struct jic_json *out)
{
	return enter(at, field, out) && (out->value || jic_json_fail(out, JIC_EFORMAT, "is missing"));
}

bool jic_json_object_optional(const struct jic_json *at, const char *field, struct jic_json *out)
{
	if (!enter(at, field, out))
		return false;
	return !out->value || json_is_object(out->value) || jic_json_fail(out, JIC_EFORMAT, "must be an object");
}

bool jic_json_object(const struct jic_json *at, const char *field, struct jic_json *out)
{
	return enter_required(at, field, out) &&
	       (json_is_object(out->value) || jic_json_fail(out, JIC_EFORMAT, "must be an object"));
}

bool jic_json_list_optional(const struct jic_json *at, const char *field, size_t count_max, struct jic_json *out)
{
	if (!enter(at, field, out))
		return false;
	if (out->value && !json_is_array(out->value))
		return jic_json_fail(out, JIC_EFORMAT, "must be a list");
	return json_array_size(out->value) <= count_max || jic_json_fail(out, JIC_ELIMIT, "has too many elements");
}

bool jic_json_list(const struct jic_json *at, const char *field, size_t count_max, struct jic_json *out)
{
	return enter_required(at, field, out) && jic_json_list_optional(at, field, count_max, out);
}

size_t jic_json_count(const struct jic_json *list)
{
	return json_array_size(list->value);
}

struct jic_json jic_json_element(const struct jic_json *list, size_t i)
{
	return (struct jic_json){.doc = list->doc, .up = list, .index = i, .value = json_array_get(list->value, i)};
}

/* ---- values */

/* The text as Jansson holds it, for what is parsed at once. */
static bool borrow_text(const struct jic_json *at, struct jic_view *out)
{
	if (!json_is_string(at->value))
		return jic_json_fail(at, JIC_EFORMAT, "must be a string");
	*out = jic_view_bytes(json_string_value(at->value), json_string_length(at->value));
	return true;
}

bool jic_json_text(const struct jic_json *at, size_t bytes_max, struct jic_view *out)
{
	struct jic_view text;
	if (!borrow_text(at, &text))
		return false;
	if (text.len > bytes_max)
		return jic_json_fail(at, JIC_ELIMIT, "is too long");
	*out = jic_arena_copy(at->doc->arena, text);
	return !at->doc->arena->failed || jic_json_fail(at, JIC_EMEMORY, "out of memory");
}

bool jic_json_digest(const struct jic_json *at, struct jic_digest *out)
{
	struct jic_view text;
	return borrow_text(at, &text) &&
	       (jic_digest_parse(text, out) || jic_json_fail(at, JIC_EFORMAT, "must be 64 lower-case hex digits"));
}

bool jic_json_build_id(const struct jic_json *at, struct jic_build_id *out)
{
	struct jic_view text;
	return borrow_text(at, &text) && (jic_build_id_parse(text, out) ||
	                                  jic_json_fail(at, JIC_EFORMAT, "must be a build id of 16 or 32 hex digits"));
}

static bool uuid_value(const struct jic_json *at, struct jic_uuid *out)
{
	struct jic_view text;
	if (!borrow_text(at, &text))
		return false;
	return (jic_uuid_parse(text, out) && !jic_uuid_is_nil(*out)) ||
	       jic_json_fail(at, JIC_EFORMAT, "must be a UUID");
}

bool jic_json_u64(const struct jic_json *at, uint64_t max, uint64_t *out)
{
	if (!json_is_integer(at->value) || json_integer_value(at->value) < 0)
		return jic_json_fail(at, JIC_EFORMAT, "must be a whole number, not negative");
	uint64_t value = (uint64_t)json_integer_value(at->value);
	if (value > max)
		return jic_json_fail(at, JIC_ELIMIT, "is too large");
	*out = value;
	return true;
}

bool jic_json_get_text(const struct jic_json *at, const char *field, size_t bytes_max, struct jic_view *out)
{
	struct jic_json p;
	return enter_required(at, field, &p) && jic_json_text(&p, bytes_max, out);
}

bool jic_json_get_digest(const struct jic_json *at, const char *field, struct jic_digest *out)
{
	struct jic_json p;
	return enter_required(at, field, &p) && jic_json_digest(&p, out);
}

bool jic_json_get_uuid(const struct jic_json *at, const char *field, struct jic_uuid *out)
{
	struct jic_json p;
	return enter_required(at, field, &p) && uuid_value(&p, out);
}

bool jic_json_get_build_id(const struct jic_json *at, const char *field, struct jic_build_id *out)
{
	struct jic_json p;
	return enter_required(at, field, &p) && jic_json_build_id(&p, out);
}

bool jic_json_get_u64(const struct jic_json *at, const char *field, uint64_t max, uint64_t *out)
{
	struct jic_json p;
	return enter_required(at, field, &p) && jic_json_u64(&p, max, out);
}

bool jic_json_get_bool(const struct jic_json *at, const char *field, bool *out)
{
	struct jic_json p;
	if (!enter_required(at, field, &p))
		return false;
	*out = json_is_true(p.value);
	return json_is_boolean(p.value) || jic_json_fail(&p, JIC_EFORMAT, "must be true or false");
}

bool jic_json_opt_bool(const struct jic_json *at, const char *field, bool *out)
{
	struct jic_json p;
	*out = false;
	if (!enter(at, field, &p))
		return false;
	return !p.value || jic_json_get_bool(at, field, out);
}

bool jic_json_get_digests(const struct jic_json *at, const char *field, size_t count_max, const struct jic_digest **out,
                          size_t *count)
{
	struct jic_json list;
	if (!jic_json_list(at, field, count_max, &list))
		return false;
	*count = jic_json_count(&list);
	struct jic_digest *digests = jic_arena_array(at->doc->arena, *count, sizeof *digests);
	if (!digests)
		return jic_json_fail(&list, JIC_EMEMORY, "out of memory");
	for (size_t i = 0; i < *count; i++) {
		struct jic_json element = jic_json_element(&list, i);
		if (!jic_json_digest(&element, &digests[i]))
			return false;
	}
	*out = digests;
	return true;
}

bool jic_json_opt_text(const struct jic_json *at, const char *field, size_t bytes_max, struct jic_view *out)
{
	struct jic_json p;
	*out = JIC_VIEW("");
	return enter(at, field, &p) && (!p.value || jic_json_text(&p, bytes_max, out));
}

bool jic_json_opt_uuid(const struct jic_json *at, const char *field, struct jic_uuid *out)
{
	struct jic_json p;
	*out = (struct jic_uuid){0};
	return enter(at, field, &p) && (!p.value || uuid_value(&p, out));
}

bool jic_json_opt_u64(const struct jic_json *at, const char *field, uint64_t max, uint64_t *out)
{
	struct jic_json p;
	*out = 0;
	return enter(at, field, &p) && (!p.value || jic_json_u64(&p, max, out));
}

bool jic_json_opt_digest(const struct jic_json *at, const char *field, bool *has, struct jic_digest *out)
{
	struct jic_json p;
	*has = false;
	*out = (struct jic_digest){0};
	if (!enter(at, field, &p))
		return false;
	*has = p.value != NULL;
	return !p.value || jic_json_digest(&p, out);
}
