/* jicached pin, unpin, pins: what eviction leaves alone. */
#include "server/admin/commands.h"

#include "common/json.h"
#include "server/store/evict.h"

bool jic_cmd_pin(const struct jic_admin *a, struct jic_error *err)
{
	struct jic_view what = jic_view_of(a->options->positional[0]);
	if (!jic_pin_check(what, err))
		return false;
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, false, err);
	struct jic_index *index = store ? jic_store_index(store) : NULL;
	return index && index->ops->pin_put(index, what, jic_admin_now_s(), err);
}

bool jic_cmd_unpin(const struct jic_admin *a, struct jic_error *err)
{
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, false, err);
	struct jic_index *index = store ? jic_store_index(store) : NULL;
	return index && index->ops->pin_delete(index, jic_view_of(a->options->positional[0]), err);
}

bool jic_cmd_pins(const struct jic_admin *a, struct jic_error *err)
{
	const struct jic_view *pins;
	size_t count;
	JIC_AUTO(jic_store) struct jic_store *store = jic_admin_open(a, false, err);
	struct jic_index *index = store ? jic_store_index(store) : NULL;
	if (!index || !index->ops->pins_list(index, a->arena, &pins, &count, err))
		return false;
	if (jic_options_has(a->options, "json")) {
		struct jic_json_writer w = {.out = a->out};
		jic_json_open(&w, NULL, '{');
		jic_json_put_texts(&w, "pins", pins, count);
		jic_json_close(&w, '}');
		jic_buf_putc(a->out, '\n');
		return jic_json_finish(&w, err);
	}
	for (size_t i = 0; i < count; i++)
		jic_buf_printf(a->out, JIC_PRIv "\n", JIC_ARGv(pins[i]));
	return true;
}
