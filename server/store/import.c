/*
 * One pass over the archive:
 *
 *     header ▸ (a set's list ▸ its blobs)… ▸ end
 *                    │            │
 *                    │            └ only those that the list names; what the lane has is skipped, the rest is an
 *                    │              upload as a client's
 *                    └ when the next list, or the end, shows that all has come: a publish as a client's
 *
 * So what a set's artefacts stand on is in it, in one before, or in the lane already; a killed import leaves whole
 * sets, and uploads that the next one finds or the server sweeps. Bytes count as there only when the lane sees them or
 * this archive has brought them: naming the digest of another lane's blob opens nothing.
 */
#include "server/store/export.h"

#include "common/json.h"
#include "server/store/archive.h"
#include "server/store/internal.h"
#include "server/store/key_set.h"
#include "server/store/signatures.h"

struct import {
	struct jic_store *store;
	const struct jic_import *what;
	struct jic_archive_reader *archive;
	struct jic_arena arena; /* of the whole import */
	struct jic_view lane;
	char *holder; /* who sends the bytes, as other uploads' holders are told apart */
	struct jic_imported *out;
	uint64_t artefacts; /* named by sets so far */
	/* the set at hand */
	struct jic_arena set_arena;
	bool has_set;
	struct jic_msg_publish set;
	struct jic_key_set digests; /* of its blobs */
	bool *there;                /* for each of them */
};

static void import_clear(struct import *i)
{
	jic_archive_reader_free(i->archive);
	jic_arena_clear(&i->set_arena);
	jic_arena_clear(&i->arena);
	free(i->holder);
}

static bool out_of_memory(struct jic_error *err)
{
	return jic_fail(err, JIC_EMEMORY, "import: out of memory");
}

static void tell(const struct import *i, const char *why)
{
	if (i->what->refused)
		i->what->refused(i->what->context, why);
}

/* ---- blobs */

static bool reaches(const void *context, struct jic_view lane)
{
	const struct import *i = context;
	return jic_view_eq(i->lane, lane);
}

static bool look_for_blobs(struct import *i, struct jic_error *err)
{
	const struct jic_viewer viewer = {.holder = jic_view_of(i->holder), .reaches = reaches, .context = i};
	return jic_store_blobs_there(i->store, &viewer, i->digests.keys, i->digests.count, &i->set_arena, i->there,
	                             err);
}

static bool list_blobs(struct import *i, struct jic_error *err)
{
	const struct jic_msg_publish *r = &i->set;
	struct jic_digest *list = jic_arena_array(&i->set_arena, 2 * r->artefacts_count + 1, sizeof *list);
	size_t count = 0;
	if (!list)
		return out_of_memory(err);
	for (size_t k = 0; k < r->artefacts_count; k++) {
		list[count++] = r->artefacts[k].ji;
		if (r->artefacts[k].has_image)
			list[count++] = r->artefacts[k].image;
	}
	if (!jic_key_set_of(&i->set_arena, list, count, &i->digests))
		return out_of_memory(err);
	i->there = jic_arena_array(&i->set_arena, i->digests.count + 1, sizeof *i->there);
	return i->there ? look_for_blobs(i, err) : out_of_memory(err);
}

struct arrival {
	struct jic_store_upload *upload;
	bool failed; /* the upload, not the reading */
};

static bool put_piece(void *context, struct jic_view bytes, struct jic_error *err)
{
	struct arrival *a = context;
	a->failed = !jic_store_upload_put(a->upload, bytes, err);
	return !a->failed;
}

/* @param[out] arrived false: the bytes are not what they should be, and `why` says it */
static bool upload(struct import *i, const struct jic_digest *digest, bool *arrived, struct jic_error *why)
{
	bool created;
	JIC_AUTO(jic_store_upload)
	struct jic_store_upload *u = jic_store_upload_new(i->store, digest, true, jic_view_of(i->holder), why);
	struct arrival a = {.upload = u};
	*arrived = false;
	if (!u)
		return false;
	bool ok = jic_archive_reader_each(i->archive, put_piece, &a, why);
	if (!ok && !a.failed)
		return false; /* the archive */
	*arrived = ok && jic_store_upload_finish(u, &created, why);
	return *arrived || why->code == JIC_EFORMAT || why->code == JIC_ECORRUPT || why->code == JIC_ELIMIT;
}

/* Bytes that are wrong are told now; that their set lacks them is found when it is published. */
static bool read_blob(struct import *i, const struct jic_archive_entry *entry, const struct jic_digest *digest,
                      struct jic_error *err)
{
	const size_t at = i->has_set ? jic_key_set_find(&i->digests, digest) : SIZE_MAX;
	struct jic_error why = {0};
	bool arrived;
	if (at == SIZE_MAX)
		return jic_fail(err, JIC_EFORMAT, "the set before %s does not name it", entry->name);
	if (i->there[at])
		return true;
	if (!upload(i, digest, &arrived, &why)) {
		if (err)
			*err = why;
		return false;
	}
	i->there[at] = arrived;
	i->out->blobs += arrived;
	i->out->bytes += arrived ? entry->size : 0;
	if (!arrived)
		tell(i, why.text);
	return true;
}

/* ---- sets */

static bool refuse(struct import *i, struct jic_view name, const char *why)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	jic_buf_printf(&text, "set %llu is not taken: " JIC_PRIv "%s%s", (unsigned long long)i->out->sets,
	               JIC_ARGv(jic_view_head(name, 120)), name.len ? ": " : "", why);
	i->out->refused++;
	tell(i, jic_buf_str(&text));
	return true;
}

static const struct jic_msg_artefact *find_incomplete(const struct import *i)
{
	for (size_t k = 0; k < i->set.artefacts_count; k++) {
		const struct jic_msg_artefact *a = &i->set.artefacts[k];
		if (!i->there[jic_key_set_find(&i->digests, &a->ji)] ||
		    (a->has_image && !i->there[jic_key_set_find(&i->digests, &a->image)]))
			return a;
	}
	return NULL;
}

/* Leave out of the set what lost against what is stored. @return false when out of memory */
static bool leave_out(struct import *i, const struct jic_publish_result *result)
{
	struct jic_msg_artefact *kept = jic_arena_array(&i->set_arena, i->set.artefacts_count + 1, sizeof *kept);
	struct jic_key_set lost;
	size_t count = 0;
	if (!kept || !jic_key_set_of(&i->set_arena, result->keys, result->keys_count, &lost))
		return false;
	for (size_t k = 0; k < i->set.artefacts_count; k++)
		if (jic_key_set_find(&lost, &i->set.artefacts[k].key) == SIZE_MAX)
			kept[count++] = i->set.artefacts[k];
	i->out->superseded += i->set.artefacts_count - count;
	i->set.artefacts = kept;
	i->set.artefacts_count = count;
	return true;
}

static bool count_done(struct import *i, const struct jic_publish_result *result)
{
	i->out->published += result->published.published_count;
	i->out->existing += result->published.existing_count;
	i->out->skipped += result->published.published_count == 0;
	return true;
}

static bool publish(struct import *i, struct jic_error *err)
{
	struct jic_publish_result result;
	size_t before;
	do {
		before = i->set.artefacts_count;
		if (!jic_store_publish(i->store, &i->set, JIC_VIEW(""), &i->set_arena, &result, err))
			return false;
		if (result.outcome == JIC_PUBLISH_SUPERSEDED && !leave_out(i, &result))
			return out_of_memory(err);
	} while (result.outcome == JIC_PUBLISH_SUPERSEDED && i->set.artefacts_count < before);
	if (result.outcome == JIC_PUBLISH_DONE)
		return count_done(i, &result);
	if (result.outcome == JIC_PUBLISH_OVER_QUOTA)
		return jic_fail(err, JIC_ENOSPACE, JIC_PRIv, JIC_ARGv(jic_view_head(result.detail, 300)));
	jic_autofree char *why = jic_strdup_view(result.detail);
	return why ? refuse(i, JIC_VIEW(""), why) : out_of_memory(err);
}

/* The set at hand has all that will come. */
static bool end_set(struct import *i, struct jic_error *err)
{
	const struct jic_msg_artefact *a;
	if (!i->has_set)
		return true;
	i->has_set = false;
	i->out->sets++;
	if (i->what->signed_only && i->what->signed_only(i->what->context, i->lane) &&
	    (a = jic_publish_unsigned(&i->set)))
		return refuse(i, a->node.name, "it is not signed, and the lane takes only what is");
	a = find_incomplete(i);
	if (a)
		return refuse(i, a->node.name, "its bytes did not come");
	return publish(i, err);
}

/* As publishing does to what comes over the network, but for the lane and its writers. */
static bool begin_set(struct import *i, struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	jic_arena_clear(&i->set_arena);
	if (!jic_archive_reader_text(i->archive, JIC_MESSAGE_BYTES_MAX, &json, err) ||
	    !jic_msg_export_set_read(jic_buf_view(&json), &i->set_arena, &i->set, err))
		return false;
	if (!i->set.artefacts_count || i->set.artefacts_count > JIC_EXPORT_SET_MAX)
		return jic_fail(err, JIC_EFORMAT, "a set of %zu artefacts: 1 to %d are taken", i->set.artefacts_count,
		                JIC_EXPORT_SET_MAX);
	i->set.lane = i->lane;
	i->artefacts += i->set.artefacts_count;
	i->has_set = true;
	return list_blobs(i, err);
}

/* ---- header and end */

static bool take_lane(struct import *i, struct jic_view archived, struct jic_error *err)
{
	struct jic_index *ix = i->store->index;
	struct jic_lane lane;
	i->lane = jic_arena_copy(&i->arena, i->what->lane.len ? i->what->lane : archived);
	i->holder = jic_asprintf(" import " JIC_PRIv, JIC_ARGv(i->lane));
	if (!i->holder || i->arena.failed)
		return out_of_memory(err);
	if (!jic_lane_name_valid(i->lane))
		return jic_fail(err, JIC_EFORMAT, "the archive's lane has no lane's name");
	return ix->ops->lane_find(ix, i->lane, &i->arena, &lane, err);
}

static bool read_header(struct import *i, struct jic_error *err)
{
	JIC_CLEAR(jic_json_doc) struct jic_json_doc doc = {0};
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	struct jic_archive_entry entry;
	struct jic_view format, lane;
	bool more;
	if (!jic_archive_reader_next(i->archive, &entry, &more, err))
		return false;
	if (!more || strcmp(entry.name, JIC_EXPORT_HEADER) != 0)
		return jic_fail(err, JIC_EFORMAT,
		                "this is no archive of jicached export: " JIC_EXPORT_HEADER " is not the first in it");
	if (!jic_archive_reader_text(i->archive, JIC_EXPORT_HEADER_BYTES_MAX, &json, err) ||
	    !jic_json_parse(jic_buf_view(&json), JIC_EXPORT_HEADER_BYTES_MAX, &i->arena, &doc, err))
		return false;
	const struct jic_json at = jic_json_root(&doc);
	if (!jic_json_get_text(&at, "format", JIC_LANE_NAME_BYTES_MAX, &format) ||
	    !jic_json_get_text(&at, "lane", JIC_LANE_NAME_BYTES_MAX, &lane))
		return false;
	if (!jic_view_is(format, JIC_EXPORT_FORMAT))
		return jic_fail(err, JIC_EUNSUPPORTED,
		                "the archive has the format \"" JIC_PRIv
		                "\", and this jicached knows " JIC_EXPORT_FORMAT,
		                JIC_ARGv(format));
	return take_lane(i, lane, err);
}

static bool read_end(struct import *i, struct jic_error *err)
{
	JIC_CLEAR(jic_json_doc) struct jic_json_doc doc = {0};
	JIC_CLEAR(jic_buf) struct jic_buf json = {0};
	struct jic_archive_entry entry;
	uint64_t sets, artefacts;
	bool more;
	if (!jic_archive_reader_text(i->archive, JIC_EXPORT_HEADER_BYTES_MAX, &json, err) ||
	    !jic_json_parse(jic_buf_view(&json), JIC_EXPORT_HEADER_BYTES_MAX, &i->arena, &doc, err))
		return false;
	const struct jic_json at = jic_json_root(&doc);
	if (!jic_json_get_u64(&at, "sets", INT64_MAX, &sets) ||
	    !jic_json_get_u64(&at, "artefacts", INT64_MAX, &artefacts))
		return false;
	if (sets != i->out->sets || artefacts != i->artefacts)
		return jic_fail(err, JIC_EFORMAT, "the archive has other sets than it says at its end");
	if (!jic_archive_reader_next(i->archive, &entry, &more, err))
		return false;
	return !more || jic_fail(err, JIC_EFORMAT, "%s comes after the archive's end", entry.name);
}

/* ---- all of it */

static bool is_next_set(const struct import *i, const struct jic_archive_entry *entry)
{
	char expected[JIC_ARCHIVE_NAME_BYTES_MAX + 1];
	snprintf(expected, sizeof expected, JIC_EXPORT_SET, (unsigned long long)i->out->sets + (i->has_set ? 2 : 1));
	return strcmp(entry->name, expected) == 0;
}

/* @param[out] ended it was the last one */
static bool read_entry(struct import *i, const struct jic_archive_entry *entry, bool *ended, struct jic_error *err)
{
	struct jic_digest digest;
	*ended = strcmp(entry->name, JIC_EXPORT_END) == 0;
	if (*ended)
		return end_set(i, err) && read_end(i, err);
	if (is_next_set(i, entry))
		return end_set(i, err) && begin_set(i, err);
	if (jic_archive_blob_parse(entry->name, &digest))
		return read_blob(i, entry, &digest, err);
	return jic_fail(err, JIC_EFORMAT, "%s has no place in the archive, or not here", entry->name);
}

static bool import(struct import *i, struct jic_error *err)
{
	struct jic_archive_entry entry;
	bool more, ended = false;
	i->archive = jic_archive_reader_new(i->what->fd, err);
	if (!i->archive || !read_header(i, err))
		return false;
	while (!ended) {
		if (!jic_archive_reader_next(i->archive, &entry, &more, err))
			return false;
		if (!more)
			return jic_fail(err, JIC_EFORMAT, "the archive is cut off");
		if (!read_entry(i, &entry, &ended, err))
			return false;
	}
	return true;
}

bool jic_store_import(struct jic_store *s, const struct jic_import *what, struct jic_imported *out,
                      struct jic_error *err)
{
	JIC_CLEAR(import) struct import i = {.store = s, .what = what, .out = out};
	*out = (struct jic_imported){0};
	return import(&i, err) || jic_wrap(err, "import");
}
