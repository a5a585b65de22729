/* A lane from one store into another, and archives that nobody exported. */
#include "server/store/export.h"

#include "server/store/archive.h"
#include "server/store/fsck.h"
#include "server/store/internal.h"
#include "server/store/recall.h"
#include "tests/support/forge_sign.h"

#include <sys/mman.h>
#include <unistd.h>

#define CLEARED(type) __attribute__((cleanup(type##_remove))) struct type

static const struct forged alpha = {.name = "Alpha", .id = 1, .build = 11};
static const struct forged beta = {.name = "Beta", .id = 2, .build = 12, .deps = {&alpha}};
static const struct forged gamma_ = {.name = "Gamma", .id = 3, .build = 13, .deps = {&beta}};
static const struct forged other = {.name = "Other", .id = 4, .build = 14};

/* ---- archives as lists */

enum { ENTRIES_MAX = 64 };
struct entries {
	struct {
		char name[JIC_ARCHIVE_NAME_BYTES_MAX + 1];
		struct jic_buf bytes;
	} list[ENTRIES_MAX];
	size_t count;
};
static void entries_remove(struct entries *e)
{
	for (size_t i = 0; i < e->count; i++)
		jic_buf_clear(&e->list[i].bytes);
}

static int new_file(void)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);
	cr_assert(fd >= 0);
	return fd;
}

static struct jic_exported export_to(struct jic_store *s, const struct temp *dir, const char *lane, int fd)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_exported done;
	const struct jic_export what = {.lane = jic_view_of(lane), .data_dir = dir->path, .fd = fd};
	cr_assert(jic_store_export(s, &what, &arena, &done, &err), "%s", err.text);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	return done;
}

static void read_entries(int fd, struct entries *out)
{
	struct jic_error err = {0};
	struct jic_archive_entry entry;
	bool more;
	*out = (struct entries){0};
	JIC_AUTO(jic_archive_reader) struct jic_archive_reader *r = jic_archive_reader_new(fd, &err);
	for (;;) {
		cr_assert(r && jic_archive_reader_next(r, &entry, &more, &err), "%s", err.text);
		if (!more)
			break;
		cr_assert_lt(out->count, (size_t)ENTRIES_MAX);
		snprintf(out->list[out->count].name, sizeof out->list[0].name, "%s", entry.name);
		cr_assert(jic_archive_reader_text(r, 1 << 20, &out->list[out->count++].bytes, &err), "%s", err.text);
	}
}

static void add_entry(struct entries *e, const char *name, struct jic_view bytes)
{
	cr_assert_lt(e->count, (size_t)ENTRIES_MAX);
	snprintf(e->list[e->count].name, sizeof e->list[0].name, "%s", name);
	jic_buf_putv(&e->list[e->count++].bytes, bytes);
}

/* The first `count` entries, with or without the mark of the end. */
static int write_entries(const struct entries *e, size_t count)
{
	struct jic_error err = {0};
	int fd = new_file();
	JIC_AUTO(jic_archive_writer) struct jic_archive_writer *w = jic_archive_writer_new(fd, &err);
	for (size_t i = 0; i < count; i++)
		cr_assert(jic_archive_writer_put(w, e->list[i].name, jic_buf_view(&e->list[i].bytes), &err), "%s",
		          err.text);
	cr_assert(jic_archive_writer_finish(w, &err) && lseek(fd, 0, SEEK_SET) == 0, "%s", err.text);
	return fd;
}

static size_t entry_of(const struct entries *e, const char *prefix, size_t nth)
{
	for (size_t i = 0; i < e->count; i++)
		if (strncmp(e->list[i].name, prefix, strlen(prefix)) == 0 && nth-- == 0)
			return i;
	cr_assert_fail("there is no %s", prefix);
	return 0;
}

/* ---- importing */

struct told {
	char text[2048];
	bool signed_only;
};
static void hear(const void *context, const char *why)
{
	struct told *t = *(struct told *const *)context;
	size_t len = strlen(t->text);
	snprintf(t->text + len, sizeof t->text - len, "%s\n", why);
}
static bool is_signed_only(const void *context, struct jic_view lane)
{
	(void)lane;
	return (*(struct told *const *)context)->signed_only;
}

static bool import_from(struct jic_store *s, const char *lane, int fd, struct told *told, struct jic_imported *out,
                        struct jic_error *err)
{
	const struct jic_import what = {
	    .lane = jic_view_of(lane), .fd = fd, .signed_only = is_signed_only, .refused = hear, .context = &told};
	return jic_store_import(s, &what, out, err);
}

static struct jic_imported import_all(struct jic_store *s, const char *lane, int fd)
{
	struct told told = {0};
	struct jic_error err = {0};
	struct jic_imported done;
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	cr_assert(import_from(s, lane, fd, &told, &done, &err), "%s", err.text);
	cr_expect_eq(done.refused, 0, "%s", told.text);
	return done;
}

static void expect_sound(struct jic_store *s, uint64_t artefacts)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	struct jic_fsck found;
	cr_assert(jic_store_fsck(s, &arena, &found, &err), "%s", err.text);
	cr_expect_eq(found.findings_total, 0);
	cr_expect_eq(found.artefacts, artefacts, "%llu", (unsigned long long)found.artefacts);
}

static void put_lane(struct jic_store *s, const char *name, const char *parent)
{
	struct jic_error err = {0};
	struct jic_index *ix = jic_store_index(s);
	cr_assert(ix->ops->lane_put(ix, jic_view_of(name), jic_view_of(parent), 1, &err), "%s", err.text);
}

static void publish(struct jic_store *s, const char *lane, const struct forged *const *set, size_t count)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_publish_result result;
	cr_assert_eq(forge_publish(s, lane, set, count, &arena, &result), JIC_PUBLISH_DONE, JIC_PRIv,
	             JIC_ARGv(result.detail));
}

static size_t offered(struct jic_store *s, const char *lane, const struct forged *const *set, size_t count)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	return forge_resolve(s, lane, set, count, &arena).records_count;
}

static size_t made_by(struct jic_store *s, const struct jic_index_maker *maker)
{
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_error err = {0};
	const struct jic_index_place *places;
	size_t count;
	struct jic_index *ix = jic_store_index(s);
	JIC_AUTO(jic_index_txn) struct jic_index_txn *t = ix->ops->begin(ix, JIC_INDEX_READ, &err);
	cr_assert(t && t->ops->made_by_list(t, maker, &arena, &places, &count, &err), "%s", err.text);
	return count;
}

/* ---- there and back */

Test(export, of_a_lane_is_taken_by_another_store_with_all_that_its_records_say)
{
	CLEARED(temp) from_dir = temp_make();
	CLEARED(temp) to_dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *from = forge_store(&from_dir);
	JIC_AUTO(jic_store) struct jic_store *to = forge_store(&to_dir);
	JIC_AUTO(jic_signing_key) struct jic_signing_key *key = jic_signing_key_new(NULL);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	jic_autoclose int fd = new_file();
	struct jic_publish_result result;
	jic_autofree struct forged_request *r = signed_request("main", FORGED_SET(&alpha, &beta), key);
	r->artefacts[1].compile_ms = 77;
	r->artefacts[1].version = JIC_VIEW("1.2.3");
	forge_upload_all(from, FORGED_SET(&alpha, &beta));
	forge_submit(from, &r->message, &arena, &result);
	cr_assert_eq(result.outcome, JIC_PUBLISH_DONE, JIC_PRIv, JIC_ARGv(result.detail));
	struct jic_exported out = export_to(from, &from_dir, "main", fd);
	cr_expect(out.artefacts == 2 && out.sets == 1 && out.blobs == 2 && !out.lost && !out.untold);
	to->signers = jic_signing_key_public(key);
	to->signers_count = 1;
	struct jic_imported in = import_all(to, "", fd);
	cr_expect(in.published == 2 && in.blobs == 2 && in.skipped == 0 && in.sets == 1);
	struct jic_msg_set set = forge_resolve(to, "main", FORGED_SET(&alpha, &beta), &arena);
	const struct jic_msg_record *got = forged_record(&set, &beta);
	const struct jic_statement_place at = {.runtime = set.runtime, .sysimage = forged_sysimage()};
	cr_assert(got && got->has_signature);
	cr_expect(jic_statement_verify(&at, got, NULL));
	cr_expect(jic_view_is(got->provenance.host, "builder") && got->provenance.created_s == 1700000000);
	const struct jic_index_maker maker = {.kind = JIC_BY_TOKEN, .who = JIC_VIEW("tester")};
	cr_expect_eq(made_by(to, &maker), 2, "who published it is known there too");
	cr_expect(jic_view_is(got->version, "1.2.3"));
	cr_expect_eq(got->compile_ms, 77);
	expect_sound(to, 2);
}

Test(export, taken_again_changes_nothing)
{
	CLEARED(temp) from_dir = temp_make();
	CLEARED(temp) to_dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *from = forge_store(&from_dir);
	JIC_AUTO(jic_store) struct jic_store *to = forge_store(&to_dir);
	jic_autoclose int fd = new_file();
	publish(from, "main", FORGED_SET(&alpha, &beta, &gamma_, &other));
	struct jic_exported out = export_to(from, &from_dir, "main", fd);
	cr_expect_eq(out.sets, 2, "one for Gamma with all below it, one for Other");
	import_all(to, "", fd);
	struct jic_imported again = import_all(to, "", fd);
	cr_expect(again.published == 0 && again.existing == 4 && again.skipped == 2 && again.blobs == 0);
	expect_sound(to, 4);
}

Test(export, of_a_child_stands_alone_with_what_it_requires_of_its_parent)
{
	CLEARED(temp) from_dir = temp_make();
	CLEARED(temp) to_dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *from = forge_store(&from_dir);
	JIC_AUTO(jic_store) struct jic_store *to = forge_store(&to_dir);
	jic_autoclose int fd = new_file();
	put_lane(from, "pr/1", "main");
	put_lane(to, "elsewhere", "");
	publish(from, "main", FORGED_SET(&alpha, &other));
	publish(from, "pr/1", FORGED_SET(&beta));
	struct jic_exported out = export_to(from, &from_dir, "pr/1", fd);
	cr_expect_eq(out.artefacts, 2, "Beta and Alpha, and not Other");
	import_all(to, "elsewhere", fd);
	cr_expect_eq(offered(to, "elsewhere", FORGED_SET(&alpha, &beta, &other)), 2);
	cr_expect_eq(offered(to, "main", FORGED_SET(&alpha, &beta, &other)), 0);
	expect_sound(to, 2);
}

Test(export, keeps_what_is_there_and_takes_the_rest)
{
	CLEARED(temp) from_dir = temp_make();
	CLEARED(temp) to_dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *from = forge_store(&from_dir);
	JIC_AUTO(jic_store) struct jic_store *to = forge_store(&to_dir);
	jic_autoclose int fd = new_file();
	struct forged mine = beta;
	mine.build = 99;
	publish(from, "main", FORGED_SET(&alpha, &beta, &gamma_, &other));
	publish(to, "main", FORGED_SET(&alpha, &mine));
	export_to(from, &from_dir, "main", fd);
	struct jic_imported in = import_all(to, "", fd);
	cr_expect_eq(in.superseded, 2, "Beta, and Gamma, which was built on it");
	cr_expect(in.published == 1 && in.existing == 1);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	struct jic_msg_set set = forge_resolve(to, "main", FORGED_SET(&alpha, &beta), &arena);
	const struct jic_msg_record *got = forged_record(&set, &beta);
	cr_expect(got && jic_build_id_eq(got->build_id, forged_build_id(&mine)));
	expect_sound(to, 3);
}

Test(export, leaves_out_what_lost_its_bytes_with_all_that_stands_on_it)
{
	CLEARED(temp) from_dir = temp_make();
	CLEARED(temp) to_dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *from = forge_store(&from_dir);
	JIC_AUTO(jic_store) struct jic_store *to = forge_store(&to_dir);
	jic_autoclose int fd = new_file();
	struct jic_error err = {0};
	jic_autofree struct forged_request *r = forge_request("main", FORGED_SET(&beta));
	publish(from, "main", FORGED_SET(&alpha, &beta, &gamma_));
	cr_assert(from->blobs->ops->remove(from->blobs, &r->artefacts[0].ji, &err));
	struct jic_exported out = export_to(from, &from_dir, "main", fd);
	cr_expect(out.lost == 2 && out.artefacts == 1);
	import_all(to, "", fd);
	expect_sound(to, 1);
}

Test(export, of_an_unknown_lane_or_into_one_fails)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	jic_autoclose int fd = new_file();
	struct told told = {0};
	struct jic_error err = {0};
	struct jic_exported out;
	struct jic_imported in;
	const struct jic_export what = {.lane = JIC_VIEW("nobody"), .data_dir = dir.path, .fd = fd};
	cr_expect_not(jic_store_export(s, &what, &arena, &out, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND, "%s", err.text);
	export_to(s, &dir, "main", fd);
	cr_expect_not(import_from(s, "nobody", fd, &told, &in, &err));
	cr_expect_eq(err.code, JIC_ENOTFOUND, "%s", err.text);
}

Test(export, of_an_empty_lane_is_an_archive_with_nothing_in_it)
{
	CLEARED(temp) dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *s = forge_store(&dir);
	jic_autoclose int fd = new_file();
	export_to(s, &dir, "main", fd);
	struct jic_imported in = import_all(s, "", fd);
	cr_expect_eq(in.sets, 0);
}

/* ---- what nobody exported */

struct scene {
	struct temp from_dir, to_dir;
	struct jic_store *to;
	struct entries entries;
};
/* Two sets: Beta with Alpha, and Other. */
static struct scene *scene_make(void)
{
	struct scene *s = calloc(1, sizeof *s);
	jic_autoclose int fd = new_file();
	cr_assert(s);
	s->from_dir = temp_make();
	s->to_dir = temp_make();
	JIC_AUTO(jic_store) struct jic_store *from = forge_store(&s->from_dir);
	publish(from, "main", FORGED_SET(&alpha, &beta, &other));
	export_to(from, &s->from_dir, "main", fd);
	read_entries(fd, &s->entries);
	s->to = forge_store(&s->to_dir);
	return s;
}
static void scene_free(struct scene *s)
{
	entries_remove(&s->entries);
	jic_store_free(s->to);
	temp_remove(&s->from_dir);
	temp_remove(&s->to_dir);
	free(s);
}
JIC_DEFINE_AUTO(scene, scene_free)

static bool import_entries(struct scene *s, size_t count, struct told *told, struct jic_imported *out,
                           struct jic_error *err)
{
	jic_autoclose int fd = write_entries(&s->entries, count);
	return import_from(s->to, "", fd, told, out, err);
}

static void swap_text(struct jic_buf *b, const char *old, const char *new)
{
	cr_assert_eq(strlen(old), strlen(new));
	char *at = memmem(b->ptr, b->len, old, strlen(old));
	cr_assert(at, "%s is not in it", old);
	memcpy(at, new, strlen(new));
}

Test(import, of_an_archive_that_is_cut_off_anywhere_leaves_whole_sets_and_the_rest_comes_later)
{
	JIC_AUTO(scene) struct scene *s = scene_make();
	for (size_t count = 0; count < s->entries.count; count++) {
		struct told told = {0};
		struct jic_error err = {0};
		struct jic_imported in;
		cr_expect_not(import_entries(s, count, &told, &in, &err), "%zu entries", count);
		cr_expect_eq(err.code, JIC_EFORMAT, "%zu: %s", count, err.text);
		size_t both = offered(s->to, "main", FORGED_SET(&alpha, &beta));
		cr_expect(both == 0 || both == 2, "%zu entries left %zu of a set", count, both);
	}
	struct told told = {0};
	struct jic_error err = {0};
	struct jic_imported in;
	cr_expect(import_entries(s, s->entries.count, &told, &in, &err), "%s", err.text);
	expect_sound(s->to, 3);
}

Test(import, of_an_archive_that_is_cut_off_inside_of_an_entry_takes_nothing_of_its_set)
{
	JIC_AUTO(scene) struct scene *s = scene_make();
	jic_autoclose int whole = write_entries(&s->entries, s->entries.count);
	const off_t size = lseek(whole, 0, SEEK_END);
	for (off_t len = 0; len < size - 1024; len += 701) {
		struct told told = {0};
		struct jic_error err = {0};
		struct jic_imported in;
		jic_autoclose int fd = write_entries(&s->entries, s->entries.count);
		cr_assert(ftruncate(fd, len) == 0 && lseek(fd, 0, SEEK_SET) == 0);
		if (import_from(s->to, "", fd, &told, &in, &err))
			break; /* what is cut off now is padding */
		cr_expect_eq(err.code, JIC_EFORMAT, "%ld: %s", (long)len, err.text);
		size_t both = offered(s->to, "main", FORGED_SET(&alpha, &beta));
		cr_expect(both == 0 || both == 2);
	}
}

Test(import, refuses_a_set_whose_bytes_are_others_and_takes_those_that_do_not_stand_on_it)
{
	JIC_AUTO(scene) struct scene *s = scene_make();
	struct told told = {0};
	struct jic_error err = {0};
	struct jic_imported in;
	const size_t first = entry_of(&s->entries, "blobs/", 0), last = entry_of(&s->entries, "blobs/", 2);
	jic_buf_reset(&s->entries.list[first].bytes);
	jic_buf_putv(&s->entries.list[first].bytes, jic_buf_view(&s->entries.list[last].bytes));
	cr_assert(import_entries(s, s->entries.count, &told, &in, &err), "%s", err.text);
	cr_expect_eq(in.refused, 1);
	cr_expect(strstr(told.text, "bytes did not come"), "%s", told.text);
	cr_expect_neq(in.published, 3);
	expect_sound(s->to, in.published);
}

Test(import, refuses_bytes_that_are_no_zstd)
{
	JIC_AUTO(scene) struct scene *s = scene_make();
	struct told told = {0};
	struct jic_error err = {0};
	struct jic_imported in;
	const size_t first = entry_of(&s->entries, "blobs/", 0);
	s->entries.list[first].bytes.ptr[0] ^= 0x55;
	cr_assert(import_entries(s, s->entries.count, &told, &in, &err), "%s", err.text);
	cr_expect_eq(in.refused, 1);
	expect_sound(s->to, in.published);
}

Test(import, refuses_a_record_that_claims_another_key_name_or_runtime)
{
	static const char *const changes[][2] = {{"\"Beta\"", "\"Bets\""}, {"1.10.5", "1.10.6"}, {"x86_64", "x86_32"}};
	for (size_t i = 0; i < JIC_COUNT(changes); i++) {
		JIC_AUTO(scene) struct scene *s = scene_make();
		struct told told = {0};
		struct jic_error err = {0};
		struct jic_imported in;
		const char *word = changes[i][0];
		size_t set = entry_of(&s->entries, "sets/", 0);
		if (!memmem(s->entries.list[set].bytes.ptr, s->entries.list[set].bytes.len, word, strlen(word)))
			set = entry_of(&s->entries, "sets/", 1);
		swap_text(&s->entries.list[set].bytes, word, changes[i][1]);
		cr_assert(import_entries(s, s->entries.count, &told, &in, &err), "%s", err.text);
		cr_expect_eq(in.refused, 1, "%s: %s", word, told.text);
		expect_sound(s->to, in.published);
	}
}

Test(import, with_the_digest_of_another_lanes_blob_opens_nothing)
{
	JIC_AUTO(scene) struct scene *s = scene_make();
	struct told told = {0};
	struct jic_error err = {0};
	struct jic_imported in;
	put_lane(s->to, "secret", "");
	publish(s->to, "secret", FORGED_SET(&alpha, &beta, &other));
	/* The archive without its blobs: digests are all that it has. */
	for (size_t i = 0; i < s->entries.count;) {
		if (strncmp(s->entries.list[i].name, "blobs/", 6) != 0) {
			i++;
			continue;
		}
		jic_buf_clear(&s->entries.list[i].bytes);
		memmove(&s->entries.list[i], &s->entries.list[i + 1],
		        (--s->entries.count - i) * sizeof s->entries.list[0]);
	}
	cr_assert(import_entries(s, s->entries.count, &told, &in, &err), "%s", err.text);
	cr_expect(in.refused == 2 && in.published == 0);
	cr_expect_eq(offered(s->to, "main", FORGED_SET(&alpha, &beta, &other)), 0);
}

Test(import, of_the_same_blob_twice_is_harmless_and_of_one_that_no_set_names_is_refused)
{
	JIC_AUTO(scene) struct scene *s = scene_make();
	struct told told = {0};
	struct jic_error err = {0};
	struct jic_imported in;
	const size_t end = s->entries.count - 1;
	char name[JIC_ARCHIVE_NAME_BYTES_MAX + 1];
	struct entries *e = &s->entries;
	/* Before the end: the last set's own blob once more. */
	add_entry(e, e->list[end].name, jic_buf_view(&e->list[end].bytes));
	snprintf(name, sizeof name, "%s", e->list[end - 1].name);
	memcpy(e->list[end].name, name, sizeof name);
	jic_buf_reset(&e->list[end].bytes);
	jic_buf_putv(&e->list[end].bytes, jic_buf_view(&e->list[end - 1].bytes));
	cr_assert(import_entries(s, e->count, &told, &in, &err), "%s", err.text);
	cr_expect(in.published == 3 && in.blobs == 3);
	snprintf(e->list[end].name, sizeof name, "blobs/%064d.zst", 7);
	cr_expect_not(import_entries(s, e->count, &told, &in, &err));
	cr_expect_eq(err.code, JIC_EFORMAT, "%s", err.text);
}

static void expect_name_refused(const char *name, size_t at)
{
	JIC_AUTO(scene) struct scene *s = scene_make();
	struct told told = {0};
	struct jic_error err = {0};
	struct jic_imported in;
	snprintf(s->entries.list[at].name, sizeof s->entries.list[at].name, "%s", name);
	cr_expect_not(import_entries(s, s->entries.count, &told, &in, &err), "%s at %zu", name, at);
	cr_expect_eq(err.code, JIC_EFORMAT, "%s: %s", name, err.text);
}

Test(import, refuses_entries_that_have_no_place)
{
	expect_name_refused("index.sqlite", 0);
	expect_name_refused("sets/00000002.json", 1);
	expect_name_refused("sets/1.json", 1);
	expect_name_refused("../jicache-export.json", 0);
	expect_name_refused("jicache-export.json", 2);
	expect_name_refused("blobs/abc.zst", 2);
	expect_name_refused("end.json", 2);
}

Test(import, refuses_another_format_and_ends_that_do_not_fit)
{
	JIC_AUTO(scene) struct scene *s = scene_make();
	struct told told = {0};
	struct jic_error err = {0};
	struct jic_imported in;
	swap_text(&s->entries.list[s->entries.count - 1].bytes, "\"sets\":2", "\"sets\":3");
	cr_expect_not(import_entries(s, s->entries.count, &told, &in, &err));
	cr_expect_eq(err.code, JIC_EFORMAT, "%s", err.text);
	swap_text(&s->entries.list[0].bytes, "jicache-export-1", "jicache-export-2");
	cr_expect_not(import_entries(s, s->entries.count, &told, &in, &err));
	cr_expect_eq(err.code, JIC_EUNSUPPORTED, "%s", err.text);
	cr_expect(strstr(err.text, "jicache-export-2"), "%s", err.text);
}

Test(import, refuses_what_comes_after_the_end)
{
	JIC_AUTO(scene) struct scene *s = scene_make();
	struct told told = {0};
	struct jic_error err = {0};
	struct jic_imported in;
	add_entry(&s->entries, "sets/00000003.json", JIC_VIEW("{}"));
	cr_expect_not(import_entries(s, s->entries.count, &told, &in, &err));
	cr_expect_eq(err.code, JIC_EFORMAT, "%s", err.text);
}

Test(import, refuses_lists_that_are_no_publish)
{
	static const char *const texts[] = {"", "{}", "[]", "{\"artefacts\":[]}", "nonsense"};
	for (size_t i = 0; i < JIC_COUNT(texts); i++) {
		JIC_AUTO(scene) struct scene *s = scene_make();
		struct told told = {0};
		struct jic_error err = {0};
		struct jic_imported in;
		jic_buf_reset(&s->entries.list[1].bytes);
		jic_buf_puts(&s->entries.list[1].bytes, texts[i]);
		cr_expect_not(import_entries(s, s->entries.count, &told, &in, &err), "%s", texts[i]);
		cr_expect_eq(err.code, JIC_EFORMAT, "%s: %s", texts[i], err.text);
		expect_sound(s->to, 0);
	}
}

Test(import, takes_only_what_is_signed_into_a_lane_that_wants_it)
{
	JIC_AUTO(scene) struct scene *s = scene_make();
	struct told told = {.signed_only = true};
	struct jic_error err = {0};
	struct jic_imported in;
	cr_assert(import_entries(s, s->entries.count, &told, &in, &err), "%s", err.text);
	cr_expect(in.refused == 2 && in.published == 0);
	cr_expect(strstr(told.text, "not signed"), "%s", told.text);
}

Test(import, refuses_a_signature_that_does_not_cover_what_the_archive_says_of_its_origin)
{
	CLEARED(temp) from_dir = temp_make();
	CLEARED(temp) to_dir = temp_make();
	CLEARED(entries) list;
	JIC_AUTO(jic_store) struct jic_store *from = forge_store(&from_dir);
	JIC_AUTO(jic_store) struct jic_store *to = forge_store(&to_dir);
	JIC_AUTO(jic_signing_key) struct jic_signing_key *key = jic_signing_key_new(NULL);
	JIC_CLEAR(jic_arena) struct jic_arena arena = {0};
	jic_autoclose int fd = new_file();
	struct jic_publish_result result;
	struct told told = {0};
	struct jic_error err = {0};
	struct jic_imported in;
	jic_autofree struct forged_request *r = signed_request("main", FORGED_SET(&alpha), key);
	forge_upload_all(from, FORGED_SET(&alpha));
	forge_submit(from, &r->message, &arena, &result);
	export_to(from, &from_dir, "main", fd);
	read_entries(fd, &list);
	swap_text(&list.list[1].bytes, "\"builder\"", "\"attacks\"");
	jic_autoclose int changed = write_entries(&list, list.count);
	cr_assert(import_from(to, "", changed, &told, &in, &err), "%s", err.text);
	cr_expect(in.refused == 1 && in.published == 0);
	expect_sound(to, 0);
}

Test(import, brings_back_nothing_that_was_recalled)
{
	JIC_AUTO(scene) struct scene *s = scene_make();
	struct told told = {0};
	struct jic_error err = {0};
	struct jic_imported in;
	struct jic_withdrawn gone;
	const struct jic_index_maker maker = {.kind = JIC_BY_TOKEN, .who = JIC_VIEW("tester")};
	publish(s->to, "main", FORGED_SET(&alpha, &beta));
	cr_assert(jic_store_recall(s->to, &maker, false, &gone, &err), "%s", err.text);
	cr_assert(import_entries(s, s->entries.count, &told, &in, &err), "%s", err.text);
	cr_expect(in.refused == 1 && in.published == 1, "%s", told.text);
	cr_expect(strstr(told.text, "recalled"), "%s", told.text);
}

Test(import, stops_when_the_lane_is_full_and_goes_on_when_there_is_room)
{
	JIC_AUTO(scene) struct scene *s = scene_make();
	struct told told = {0};
	struct jic_error err = {0};
	struct jic_imported in;
	struct jic_index *ix = jic_store_index(s->to);
	cr_assert(ix->ops->lane_limit(ix, JIC_VIEW("main"), 1, 0, &err));
	cr_expect_not(import_entries(s, s->entries.count, &told, &in, &err));
	cr_expect_eq(err.code, JIC_ENOSPACE, "%s", err.text);
	cr_assert(ix->ops->lane_limit(ix, JIC_VIEW("main"), 0, 0, &err));
	cr_assert(import_entries(s, s->entries.count, &told, &in, &err), "%s", err.text);
	cr_expect(in.published == 3 && in.blobs < 3, "what came before is used");
	expect_sound(s->to, 3);
}
