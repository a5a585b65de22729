/* Scanning and filling depots with the corpus. */
#include "client/lib/depot/depot.h"
#include "client/lib/depot/lock.h"
#include "client/lib/relocate/relocate.h"
#include "tests/support/corpus_env.h"

#include <criterion/parameterized.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

static const char versions[][8] = {"1.10.5", "1.11.1", "1.12.5"};

struct place {
	struct temp temp;
	struct corpus_env env;
	char memory[300];
	struct jic_depot_options options;
	struct jic_arena arena;
};

static void place_open(struct place *p, const char *version)
{
	*p = (struct place){.temp = temp_make()};
	corpus_env_open(&p->env, version, at(p->temp.path, "p"));
	snprintf(p->memory, sizeof p->memory, "%s/memory", p->temp.path);
	p->options.memory_dir = p->memory;
}

static void place_close(struct place *p)
{
	jic_arena_clear(&p->arena);
	corpus_env_close(&p->env);
	temp_remove(&p->temp);
}

static struct jic_locals scan(struct place *p)
{
	struct jic_locals locals;
	struct jic_error err = {0};
	cr_assert(jic_depot_scan(&p->env.graph, &p->options, &p->arena, &locals, &err), "%s", err.text);
	cr_assert_eq(locals.count, p->env.graph.count);
	return locals;
}

static const struct jic_local *local_of(struct place *p, const struct jic_locals *locals, const char *name)
{
	return &locals->items[corpus_node(&p->env, name) - p->env.graph.nodes];
}

/* What changed just now is not remembered: let it get old. */
static void settle(void)
{
	usleep(250000);
}

static const char *ji_of(struct place *p, const struct jic_local *l)
{
	cr_assert(l->path.len);
	return jic_arena_copy(&p->arena, l->path).ptr;
}

static const char *so_of(struct place *p, const struct jic_local *l)
{
	return jic_cachefile_image_path(l->path, JIC_VIEW("Linux"), &p->arena).ptr;
}

/* ---- scan */

ParameterizedTestParameters(depot, all_that_julia_compiled_is_found)
{
	return cr_make_param_array(char[8], (void *)(uintptr_t)versions, JIC_COUNT(versions));
}

ParameterizedTest(char version[8], depot, all_that_julia_compiled_is_found)
{
	struct place p;
	place_open(&p, version);
	size_t compiled = corpus_compile(&p.env);
	struct jic_locals locals = scan(&p);
	cr_expect_eq(compiled, CORPUS_PACKAGES);
	cr_expect_eq(locals.have, CORPUS_PACKAGES, "%zu", locals.have);
	cr_expect_eq(locals.wanted, CORPUS_PACKAGES, "%zu", locals.wanted);
	for (size_t i = 0; i < locals.count; i++) {
		const struct jic_local *l = &locals.items[i];
		cr_expect(!l->path.len || (l->has_image && !l->ours && l->mtime > 1e9 && l->bytes > 1000));
	}
	place_close(&p);
}

Test(depot, nothing_is_found_in_an_empty_depot)
{
	struct place p;
	place_open(&p, "1.11.1");
	struct jic_locals locals = scan(&p);
	cr_expect(locals.have == 0 && locals.wanted == CORPUS_PACKAGES);
	place_close(&p);
}

static void expect_same(const struct jic_locals *a, const struct jic_locals *b)
{
	cr_assert_eq(a->count, b->count);
	cr_expect(a->have == b->have && a->wanted == b->wanted);
	for (size_t i = 0; i < a->count; i++) {
		const struct jic_local *x = &a->items[i], *y = &b->items[i];
		cr_expect(jic_view_eq(x->path, y->path) && jic_build_id_eq(x->build_id, y->build_id) &&
		          x->ours == y->ours && x->has_image == y->has_image && x->bytes == y->bytes);
		cr_expect_float_eq(x->mtime, y->mtime, 1e-5);
	}
}

static size_t snapshots(const struct place *p)
{
	char pattern[320];
	glob_t found = {0};
	snprintf(pattern, sizeof pattern, "%s/scan-*", p->memory);
	size_t count = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
	globfree(&found);
	return count;
}

Test(depot, an_unchanged_depot_is_remembered_and_tells_the_same)
{
	struct place p;
	place_open(&p, "1.11.1");
	corpus_compile(&p.env);
	struct jic_locals fresh = scan(&p);
	cr_expect_eq(snapshots(&p), 0, "what is this young may still change unseen");
	settle();
	struct jic_locals second = scan(&p), third = scan(&p);
	cr_expect_eq(snapshots(&p), 1);
	expect_same(&fresh, &second);
	expect_same(&fresh, &third);
	place_close(&p);
}

Test(depot, julias_touch_of_a_loaded_file_is_no_change)
{
	struct place p;
	place_open(&p, "1.11.1");
	corpus_compile(&p.env);
	settle();
	struct jic_locals before = scan(&p);
	cr_assert_eq(snapshots(&p), 1);
	set_mtime(ji_of(&p, local_of(&p, &before, "GoldMid")), 2000000000, 0);
	struct jic_locals after = scan(&p);
	cr_expect_eq(after.have, CORPUS_PACKAGES);
	cr_expect_float_eq(local_of(&p, &after, "GoldMid")->mtime, 2e9, 0.001);
	place_close(&p);
}

/* GoldMid goes, and with it everything that was compiled against it. */
static void expect_mid_is_lost(struct place *p)
{
	struct jic_locals locals = scan(p);
	const char *lost[] = {"GoldMid", "GoldTop", "GoldDev", "GoldWeakMidExt"};
	for (size_t i = 0; i < JIC_COUNT(lost); i++)
		cr_expect_eq(local_of(p, &locals, lost[i])->path.len, 0, "%s", lost[i]);
	cr_expect_eq(locals.have, CORPUS_PACKAGES - JIC_COUNT(lost));
}

Test(depot, a_removed_file_is_noticed_and_its_dependents_are_of_no_use)
{
	struct place p;
	place_open(&p, "1.11.1");
	corpus_compile(&p.env);
	settle();
	struct jic_locals locals = scan(&p);
	cr_assert_eq(unlink(ji_of(&p, local_of(&p, &locals, "GoldMid"))), 0);
	expect_mid_is_lost(&p);
	place_close(&p);
}

Test(depot, a_missing_image_is_noticed)
{
	struct place p;
	place_open(&p, "1.11.1");
	corpus_compile(&p.env);
	settle();
	struct jic_locals locals = scan(&p);
	cr_assert_eq(unlink(so_of(&p, local_of(&p, &locals, "GoldMid"))), 0);
	expect_mid_is_lost(&p);
	place_close(&p);
}

static void flip_last_byte(const char *path)
{
	jic_autoclose int fd = open(path, O_RDWR);
	off_t end = lseek(fd, 0, SEEK_END);
	char c;
	cr_assert(fd >= 0 && pread(fd, &c, 1, end - 100) == 1);
	c = (char)(c ^ 1);
	cr_assert_eq(pwrite(fd, &c, 1, end - 100), 1);
}

Test(depot, a_corrupt_image_or_cache_file_is_not_local)
{
	for (int image = 0; image < 2; image++) {
		struct place p;
		place_open(&p, "1.11.1");
		corpus_compile(&p.env);
		struct jic_locals locals = scan(&p);
		struct place other = p;
		snprintf(other.memory, sizeof other.memory, "%s/other", p.temp.path);
		other.options.memory_dir = other.memory;
		const struct jic_local *mid = local_of(&p, &locals, "GoldMid");
		flip_last_byte(image ? so_of(&p, mid) : ji_of(&p, mid));
		expect_mid_is_lost(&other);
		p.arena = other.arena;
		place_close(&p);
	}
}

Test(depot, a_stale_source_is_noticed)
{
	for (size_t i = 0; i < JIC_COUNT(versions); i++) {
		struct place p;
		place_open(&p, versions[i]);
		corpus_compile(&p.env);
		settle();
		struct jic_locals before = scan(&p);
		cr_expect_eq(before.have, CORPUS_PACKAGES);
		put_file(at(p.env.place, "GoldDev/src/parts/part.jl"), "other");
		struct jic_locals locals = scan(&p);
		cr_expect_eq(local_of(&p, &locals, "GoldDev")->path.len, 0, "%s", versions[i]);
		cr_expect_eq(locals.have, CORPUS_PACKAGES - 1);
		place_close(&p);
	}
}

Test(depot, other_flags_choose_other_files)
{
	struct place p;
	place_open(&p, "1.11.1");
	corpus_compile(&p.env);
	p.env.facts.flags = 0xab;
	struct jic_locals locals = scan(&p);
	cr_expect_eq(locals.have, 2, "GoldBase and GoldMid were compiled with --check-bounds=yes");
	p.env.facts.flags = 0xa2;
	locals = scan(&p);
	cr_expect_eq(locals.have, 2, "and with --pkgimages=no");
	cr_expect_not(local_of(&p, &locals, "GoldMid")->has_image);
	place_close(&p);
}

Test(depot, a_file_that_julia_would_try_too_late_becomes_its_first)
{
	struct place p;
	place_open(&p, "1.11.1");
	corpus_compile(&p.env);
	struct jic_locals locals = scan(&p);
	const struct jic_local *l = local_of(&p, &locals, "GoldBase");
	cr_expect_not(l->late, "it is the newest");
	struct jic_view stranger = jic_arena_printf(&p.arena, JIC_PRIv "_other.ji",
	                                            JIC_ARGv(jic_view_head(l->path, l->path.len - strlen(".ji"))));
	put_file(stranger.ptr, "of no use to anybody");
	locals = scan(&p);
	l = local_of(&p, &locals, "GoldBase");
	cr_expect(l->path.len && l->late);
	bool *placed = jic_arena_array(&p.arena, locals.count, sizeof *placed);
	placed[l - locals.items] = true;
	jic_depot_prefer(&locals, placed);
	locals = scan(&p);
	cr_expect(local_of(&p, &locals, "GoldBase")->late, "what was placed anew is left alone");
	usleep(20000);
	jic_depot_prefer(&locals, NULL);
	settle();
	for (int round = 0; round < 2; round++) {
		locals = scan(&p);
		cr_expect_not(local_of(&p, &locals, "GoldBase")->late, "scanned, then remembered: round %d", round);
	}
	const struct timespec later[] = {{.tv_sec = time(NULL) + 5}, {.tv_sec = time(NULL) + 5}};
	cr_assert_eq(utimensat(AT_FDCWD, stranger.ptr, later, 0), 0);
	locals = scan(&p);
	cr_expect(local_of(&p, &locals, "GoldBase")->late, "Julia has loaded the other since");
	place_close(&p);
}

Test(depot, a_damaged_snapshot_is_ignored)
{
	struct place p;
	char pattern[320];
	glob_t found = {0};
	place_open(&p, "1.11.1");
	corpus_compile(&p.env);
	settle();
	struct jic_locals before = scan(&p);
	snprintf(pattern, sizeof pattern, "%s/scan-*", p.memory);
	cr_assert_eq(glob(pattern, 0, NULL, &found), 0);
	flip_last_byte(found.gl_pathv[0]);
	struct jic_locals after = scan(&p);
	expect_same(&before, &after);
	put_file(found.gl_pathv[0], "jicscan2");
	after = scan(&p);
	expect_same(&before, &after);
	globfree(&found);
	place_close(&p);
}

Test(depot, without_a_memory_it_works_too)
{
	struct place p;
	place_open(&p, "1.11.1");
	corpus_compile(&p.env);
	put_file(at(p.temp.path, "file"), "");
	snprintf(p.memory, sizeof p.memory, "%s/file/memory", p.temp.path);
	struct jic_locals locals = scan(&p);
	cr_expect_eq(locals.have, CORPUS_PACKAGES);
	place_close(&p);
}

/* ---- place */

struct artefact {
	uint32_t node;
	struct jic_canonical canonical;
	char image[1024]; /* where the maker has it */
};

/* Everything of the maker in canonical form, in the order of the graph. */
static struct artefact *publish_all(struct place *maker)
{
	struct jic_locals locals = scan(maker);
	struct artefact *all = jic_arena_array(&maker->arena, locals.count, sizeof *all);
	for (size_t i = 0; i < locals.count; i++) {
		struct jic_error err = {0};
		struct jic_ji ji;
		if (!locals.items[i].path.len)
			continue;
		struct jic_view bytes = corpus_read(ji_of(maker, &locals.items[i]));
		cr_assert(jic_ji_parse(bytes, &maker->arena, &ji, NULL));
		cr_assert(jic_canonicalise(&maker->env.graph, &maker->env.graph.nodes[i], &ji, &maker->arena,
		                           &all[i].canonical, &err),
		          "%s", err.text);
		snprintf(all[i].image, sizeof all[i].image, "%s", so_of(maker, &locals.items[i]));
		all[i].node = (uint32_t)i;
		view_free(bytes);
	}
	return all;
}

static void forget(struct artefact *all, size_t count)
{
	for (size_t i = 0; i < count; i++)
		jic_buf_clear(&all[i].canonical.ji);
}

static char *image_copy(struct jic_depot *d, const struct artefact *a)
{
	struct jic_error err = {0};
	char command[4096];
	char *temp = jic_depot_temp(d, a->node, &err);
	cr_assert(temp, "%s", err.text);
	snprintf(command, sizeof command, "cp '%s' '%s'", a->image, temp);
	run_command(command);
	return temp;
}

static bool place_one(struct jic_depot *d, const struct artefact *a, struct jic_error *err)
{
	char *temp = image_copy(d, a);
	struct jic_placement placement = {.node = a->node,
	                                  .ji = jic_buf_view(&a->canonical.ji),
	                                  .image_temp = temp,
	                                  .inputs = a->canonical.inputs,
	                                  .inputs_count = a->canonical.inputs_count};
	bool placed = jic_depot_place(d, &placement, err);
	free(temp);
	return placed;
}

static void place_all(struct place *user, const struct artefact *all)
{
	struct jic_error err = {0};
	struct jic_depot *d = jic_depot_open(&user->env.graph, &user->options, &err);
	cr_assert(d, "%s", err.text);
	for (size_t i = 0; i < user->env.graph.count; i++)
		if (all[i].canonical.ji.len)
			cr_assert(place_one(d, &all[i], &err), "%s", err.text);
	cr_assert(jic_depot_finish(d, &err), "%s", err.text);
	jic_depot_free(d);
}

static size_t count_files(const char *depot, const char *name_pattern)
{
	char pattern[400];
	glob_t found = {0};
	snprintf(pattern, sizeof pattern, "%s/compiled/*/*/%s", depot, name_pattern);
	size_t count = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
	globfree(&found);
	return count;
}

ParameterizedTestParameters(depot, what_is_placed_is_what_julia_loads)
{
	return cr_make_param_array(char[8], (void *)(uintptr_t)versions, JIC_COUNT(versions));
}

ParameterizedTest(char version[8], depot, what_is_placed_is_what_julia_loads)
{
	struct place maker, user;
	place_open(&maker, version);
	place_open(&user, version);
	corpus_compile(&maker.env);
	struct artefact *all = publish_all(&maker);
	place_all(&user, all);
	place_all(&user, all); /* the same names again: replaced, not doubled */
	struct jic_locals locals = scan(&user);
	cr_expect_eq(locals.have, CORPUS_PACKAGES);
	cr_expect_eq(count_files(user.env.depot, "*.ji"), CORPUS_PACKAGES);
	cr_expect_eq(count_files(user.env.depot, "*.so"), CORPUS_PACKAGES);
	cr_expect_eq(count_files(user.env.depot, ".[!.]*"), 0, "no temporary file or lock is left");
	for (size_t i = 0; i < locals.count; i++)
		cr_expect(locals.items[i].ours || !locals.items[i].path.len);
	forget(all, user.env.graph.count);
	place_close(&maker);
	place_close(&user);
}

Test(depot, another_depot_can_be_filled_and_is_looked_into)
{
	struct place maker, user;
	char depot[300];
	place_open(&maker, "1.11.1");
	place_open(&user, "1.11.1");
	corpus_compile(&maker.env);
	struct artefact *all = publish_all(&maker);
	snprintf(depot, sizeof depot, "%s/cache-depot", user.temp.path);
	user.options.depot = depot;
	place_all(&user, all);
	cr_expect_eq(count_files(depot, "*.ji"), CORPUS_PACKAGES);
	cr_expect_eq(count_files(user.env.depot, "*.ji"), 0);
	struct jic_locals locals = scan(&user);
	cr_expect_eq(locals.have, CORPUS_PACKAGES);
	user.options.depot = NULL;
	locals = scan(&user);
	cr_expect_eq(locals.have, 0);
	forget(all, user.env.graph.count);
	place_close(&maker);
	place_close(&user);
}

struct refusal {
	struct place maker, user;
	struct artefact *all;
	struct jic_depot *depot;
	struct jic_error err;
};

static void refusal_open(struct refusal *r)
{
	*r = (struct refusal){0};
	place_open(&r->maker, "1.11.1");
	place_open(&r->user, "1.11.1");
	corpus_compile(&r->maker.env);
	r->all = publish_all(&r->maker);
	r->depot = jic_depot_open(&r->user.env.graph, &r->user.options, &r->err);
	cr_assert(r->depot, "%s", r->err.text);
}

static void refusal_close(struct refusal *r)
{
	forget(r->all, r->user.env.graph.count);
	jic_depot_free(r->depot);
	place_close(&r->maker);
	place_close(&r->user);
}

static const struct artefact *artefact_of(struct refusal *r, const char *name)
{
	return &r->all[corpus_node(&r->maker.env, name) - r->maker.env.graph.nodes];
}

Test(depot, an_artefact_of_other_sources_is_not_placed)
{
	struct refusal r;
	refusal_open(&r);
	put_file(at(r.user.env.place, "GoldDev/src/GoldDev.jl"), "module GoldDev\nend\n");
	cr_expect_not(place_one(r.depot, artefact_of(&r, "GoldDev"), &r.err));
	cr_expect_eq(r.err.code, JIC_ECONFLICT);
	cr_expect_eq(count_files(r.user.env.depot, "*.ji"), 0);
	cr_expect_eq(count_files(r.user.env.depot, "*.so"), 0);
	refusal_close(&r);
}

Test(depot, a_package_that_julia_compiles_just_now_is_left_alone)
{
	struct refusal r;
	struct jic_arena arena = {0};
	refusal_open(&r);
	const struct jic_node *n = corpus_node(&r.user.env, "GoldBase");
	struct jic_view pidfile = jic_lock_package_path(&r.user.env.facts, n->inputs.name, n->inputs.uuid, &arena);
	put_file(pidfile.ptr, "1 another-host");
	cr_expect_not(place_one(r.depot, artefact_of(&r, "GoldBase"), &r.err));
	cr_expect_eq(r.err.code, JIC_EBUSY, "%s", r.err.text);
	cr_expect(jic_is_file(pidfile.ptr));
	jic_arena_clear(&arena);
	refusal_close(&r);
}

Test(depot, a_name_from_a_manifest_leads_nowhere_else)
{
	struct refusal r;
	refusal_open(&r);
	const uint32_t index = artefact_of(&r, "GoldBase")->node;
	r.user.env.graph.nodes[index].inputs.name = JIC_VIEW("../../evil");
	cr_expect_null(jic_depot_temp(r.depot, index, &r.err));
	cr_expect_eq(r.err.code, JIC_EDENIED);
	refusal_close(&r);
}

Test(depot, image_and_cache_file_come_together_or_not_at_all)
{
	struct refusal r;
	refusal_open(&r);
	const struct artefact *a = artefact_of(&r, "GoldBase");
	struct jic_placement p = {.node = a->node, .ji = jic_buf_view(&a->canonical.ji)};
	cr_expect_not(jic_depot_place(r.depot, &p, &r.err));
	cr_expect_eq(r.err.code, JIC_EUSAGE);
	p.image_temp = "/nonexistent/image";
	cr_expect_not(jic_depot_place(r.depot, &p, &r.err));
	cr_expect_eq(r.err.code, JIC_ENOTFOUND, "%s", r.err.text);
	cr_expect_eq(count_files(r.user.env.depot, "*.ji"), 0);
	refusal_close(&r);
}

Test(depot, a_depot_that_cannot_be_written_says_what_to_do)
{
	struct place p;
	struct jic_error err = {0};
	place_open(&p, "1.11.1");
	p.options.depot = "/sys/kernel/jicache-test";
	cr_expect_null(jic_depot_open(&p.env.graph, &p.options, &err));
	cr_expect_eq(err.code, JIC_EDENIED, "%s", err.text);
	cr_expect(strstr(err.text, "--depot"), "%s", err.text);
	place_close(&p);
}

struct worker {
	struct jic_depot *depot;
	const struct artefact *all;
	size_t from, count;
};

static void *place_some(void *context)
{
	const struct worker *w = context;
	for (size_t round = 0; round < 3; round++)
		for (size_t i = w->from; i < w->count; i += 2)
			if (w->all[i].canonical.ji.len && !place_one(w->depot, &w->all[i], NULL))
				return context;
	return NULL;
}

Test(depot, several_threads_place_different_nodes)
{
	struct refusal r;
	pthread_t threads[2];
	refusal_open(&r);
	struct worker workers[2];
	for (size_t i = 0; i < 2; i++) {
		workers[i] = (struct worker){r.depot, r.all, i, r.user.env.graph.count};
		cr_assert_eq(pthread_create(&threads[i], NULL, place_some, &workers[i]), 0);
	}
	for (size_t i = 0; i < 2; i++) {
		void *failed;
		pthread_join(threads[i], &failed);
		cr_expect_null(failed);
	}
	cr_expect(jic_depot_finish(r.depot, &r.err), "%s", r.err.text);
	cr_expect_eq(scan(&r.user).have, CORPUS_PACKAGES);
	refusal_close(&r);
}
