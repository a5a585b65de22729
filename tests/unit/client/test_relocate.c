/* The corpus, as if made at one place, published and placed at another. */
#include "client/lib/relocate/relocate.h"
#include "tests/support/corpus_env.h"

#include <criterion/parameterized.h>
#include <fcntl.h>
#include <unistd.h>

static const char versions[][8] = {"1.10.5", "1.11.1", "1.12.5"};
static const char *const packages[] = {"GoldBase",  "GoldMid",   "GoldTop",  "GoldDev",
                                       "GoldPrefs", "GoldBuild", "GoldWeak", "GoldWeakMidExt"};

/* Two machines with the same environment at different places. */
struct pair {
	struct temp temp;
	struct corpus_env maker, user;
};

static void pair_open(struct pair *p, const char *version)
{
	p->temp = temp_make();
	corpus_env_open(&p->maker, version, at(p->temp.path, "m"));
	corpus_env_open(&p->user, version, at(p->temp.path, "another/place/with a longer name"));
}

static void pair_close(struct pair *p)
{
	corpus_env_close(&p->maker);
	corpus_env_close(&p->user);
	temp_remove(&p->temp);
}

/* The default file of a package as the place's Julia would have left it. Release with jic_buf_clear(). */
static struct jic_buf made_at(struct corpus_env *e, const char *package, char source[1024])
{
	char pattern[128];
	struct jic_buf out = {0};
	snprintf(pattern, sizeof pattern, "%s/depot/compiled/*/%s/*.ji", e->version, package);
	glob_t found = corpus_glob(pattern, 1);
	for (size_t i = 0; i < found.gl_pathc && !out.len; i++) {
		struct jic_arena arena = {0};
		struct jic_ji ji;
		struct jic_view bytes = corpus_read(found.gl_pathv[i]);
		cr_assert(jic_ji_parse(bytes, &arena, &ji, NULL));
		if (ji.flags == CORPUS_FLAGS)
			corpus_produced(e, &ji, &out);
		snprintf(source, 1024, "%s", found.gl_pathv[i]);
		jic_arena_clear(&arena);
		view_free(bytes);
	}
	globfree(&found);
	cr_assert(out.len);
	return out;
}

/* ---- canonicalise with its error */

static bool publish(struct corpus_env *e, const char *package, struct jic_buf *file, struct jic_canonical *out,
                    struct jic_error *err)
{
	struct jic_ji ji;
	cr_assert(jic_ji_parse(jic_buf_view(file), &e->arena, &ji, NULL));
	return jic_canonicalise(&e->graph, corpus_node(e, package), &ji, &e->arena, out, err);
}

static bool publish_package(struct corpus_env *e, const char *package, struct jic_canonical *out, struct jic_error *err)
{
	char source[1024];
	struct jic_buf file = made_at(e, package, source);
	bool fine = publish(e, package, &file, out, err);
	jic_buf_clear(&file);
	return fine;
}

static bool bring_here(struct corpus_env *e, const char *package, const struct jic_canonical *c, struct jic_buf *out,
                       struct jic_error *err)
{
	struct jic_ji ji;
	cr_assert(jic_ji_parse(jic_buf_view(&c->ji), &e->arena, &ji, NULL));
	struct jic_ji_parts parts = {0};
	if (!jic_localise(&e->graph, corpus_node(e, package), &ji, c->inputs, c->inputs_count, &e->arena, &parts, err))
		return false;
	jic_buf_putv(out, jic_buf_view(&parts.head));
	jic_buf_putv(out, parts.data);
	jic_buf_putv(out, jic_buf_view(&parts.tail));
	jic_ji_parts_clear(&parts);
	return jic_buf_ok(out, err);
}

/* ---- canonical form */

ParameterizedTestParameters(relocate, equal_artefacts_from_two_places_are_equal_bytes)
{
	return cr_make_param_array(char[8], (void *)(uintptr_t)versions, JIC_COUNT(versions));
}

ParameterizedTest(char version[8], relocate, equal_artefacts_from_two_places_are_equal_bytes)
{
	struct pair p;
	pair_open(&p, version);
	for (size_t i = 0; i < JIC_COUNT(packages); i++) {
		struct jic_canonical a = {0}, b = {0};
		struct jic_error err = {0};
		cr_assert(publish_package(&p.maker, packages[i], &a, &err), "%s", err.text);
		cr_assert(publish_package(&p.user, packages[i], &b, &err), "%s", err.text);
		cr_expect(jic_view_eq(jic_buf_view(&a.ji), jic_buf_view(&b.ji)), "%s %s", version, packages[i]);
		cr_expect_eq(a.inputs_count, b.inputs_count);
		cr_expect_null(memmem(a.ji.ptr, a.ji.len, "/home/ci", 8), "%s %s", version, packages[i]);
		cr_expect_null(memmem(a.ji.ptr, a.ji.len, p.temp.path, strlen(p.temp.path)));
		jic_buf_clear(&a.ji);
		jic_buf_clear(&b.ji);
	}
	pair_close(&p);
}

ParameterizedTestParameters(relocate, canonical_and_back_gives_the_same_canonical_form)
{
	return cr_make_param_array(char[8], (void *)(uintptr_t)versions, JIC_COUNT(versions));
}

ParameterizedTest(char version[8], relocate, canonical_and_back_gives_the_same_canonical_form)
{
	struct pair p;
	pair_open(&p, version);
	for (size_t i = 0; i < JIC_COUNT(packages); i++) {
		struct jic_canonical first = {0}, second = {0};
		struct jic_buf local = {0};
		struct jic_error err = {0};
		cr_assert(publish_package(&p.maker, packages[i], &first, &err), "%s", err.text);
		cr_assert(bring_here(&p.user, packages[i], &first, &local, &err), "%s", err.text);
		cr_assert(publish(&p.user, packages[i], &local, &second, &err), "%s", err.text);
		cr_expect(jic_view_eq(jic_buf_view(&first.ji), jic_buf_view(&second.ji)), "%s", packages[i]);
		jic_buf_clear(&first.ji);
		jic_buf_clear(&second.ji);
		jic_buf_clear(&local);
	}
	pair_close(&p);
}

static struct jic_ji canonical_ji(struct corpus_env *e, const char *package, struct jic_canonical *out)
{
	struct jic_ji ji;
	struct jic_error err = {0};
	cr_assert(publish_package(e, package, out, &err), "%s", err.text);
	cr_assert(jic_ji_parse(jic_buf_view(&out->ji), &e->arena, &ji, &err), "%s", err.text);
	cr_expect(jic_ji_verify(&ji, &err), "%s", err.text);
	return ji;
}

Test(relocate, canonical_paths_and_times_are_those_of_no_machine)
{
	struct temp t = temp_make();
	struct corpus_env e;
	struct jic_canonical dev = {0}, mid = {0};
	corpus_env_open(&e, "1.10.5", at(t.path, "m"));
	struct jic_ji ji = canonical_ji(&e, "GoldDev", &dev);
	cr_expect(jic_view_is(ji.includes[1].path, "@jicache/a1b2c3d4-0007-4000-8000-000000000010/src/parts/part.jl"));
	cr_expect_eq(ji.includes[1].mtime, 1.0);
	cr_expect_eq(dev.inputs_count, 0);
	ji = canonical_ji(&e, "GoldMid", &mid);
	cr_expect(jic_view_is(ji.includes[0].path, "@depot/packages/GoldMid/8cA3z/src/GoldMid.jl"));
	cr_expect(jic_view_is(ji.sources[0].name, "@depot/packages/GoldMid/8cA3z/src/GoldMid.jl"));
	cr_assert_eq(mid.inputs_count, 1, "include_dependency has no text in the file");
	cr_expect(jic_view_is(mid.inputs[0].path, "@depot/packages/GoldMid/8cA3z/data/table.txt"));
	jic_buf_clear(&dev.ji);
	jic_buf_clear(&mid.ji);
	corpus_env_close(&e);
	temp_remove(&t);
}

Test(relocate, a_developed_package_inside_a_depot_has_the_same_canonical_form)
{
	struct temp t = temp_make();
	struct corpus_env e;
	struct jic_canonical outside = {0}, inside = {0};
	char source[1024];
	corpus_env_open(&e, "1.11.1", at(t.path, "m"));
	struct jic_error err = {0};
	cr_assert(publish_package(&e, "GoldDev", &outside, &err), "%s", err.text);
	/* The place itself becomes a depot: Julia then records "@depot/GoldDev/…". */
	e.depot_path[1] = jic_view_of(e.place);
	e.facts.depot_path_count = 2;
	struct jic_buf file = made_at(&e, "GoldDev", source), moved = {0};
	struct jic_ji ji;
	cr_assert(jic_ji_parse(jic_buf_view(&file), &e.arena, &ji, NULL));
	struct jic_ji_edit *edits = jic_arena_array(&e.arena, ji.includes_count, sizeof *edits);
	for (size_t i = 0; i < ji.includes_count; i++)
		edits[i] = (struct jic_ji_edit){
		    .path = jic_arena_printf(&e.arena, "@depot" JIC_PRIv,
		                             JIC_ARGv(jic_view_skip(ji.includes[i].path, strlen(e.place)))),
		    .size = ji.includes[i].size,
		    .crc32c = ji.includes[i].crc32c,
		    .mtime = ji.includes[i].mtime};
	cr_assert(jic_ji_rewrite(&ji, edits, &moved, &err), "%s", err.text);
	cr_assert(publish(&e, "GoldDev", &moved, &inside, &err), "%s", err.text);
	cr_expect(jic_view_eq(jic_buf_view(&outside.ji), jic_buf_view(&inside.ji)));
	jic_buf_clear(&file);
	jic_buf_clear(&moved);
	jic_buf_clear(&outside.ji);
	jic_buf_clear(&inside.ji);
	corpus_env_close(&e);
	temp_remove(&t);
}

/* ---- refusals */

/* Publishes a package of 1.11.1 (or `version`) after something was done at the place. */
static enum jic_code publish_code(struct corpus_env *e, const char *package, struct jic_buf *file,
                                  struct jic_error *err)
{
	struct jic_canonical out = {0};
	bool fine = publish(e, package, file, &out, err);
	jic_buf_clear(&out.ji);
	return fine ? JIC_OK : err->code;
}

struct one {
	struct temp temp;
	struct corpus_env env;
	struct jic_buf file;
	struct jic_error err;
	char source[1024];
};

static void one_open(struct one *o, const char *version, const char *package)
{
	*o = (struct one){0};
	o->temp = temp_make();
	corpus_env_open(&o->env, version, at(o->temp.path, "m"));
	o->file = made_at(&o->env, package, o->source);
}

static void one_close(struct one *o)
{
	jic_buf_clear(&o->file);
	corpus_env_close(&o->env);
	temp_remove(&o->temp);
}

Test(relocate, a_changed_source_is_not_published)
{
	for (size_t i = 0; i < JIC_COUNT(versions); i++) {
		struct one o;
		one_open(&o, versions[i], "GoldDev");
		put_file(at(o.env.place, "GoldDev/src/parts/part.jl"), "other");
		cr_expect_eq(publish_code(&o.env, "GoldDev", &o.file, &o.err), JIC_ECONFLICT, "%s", o.err.text);
		cr_expect(strstr(o.err.text, "part.jl"), "%s", o.err.text);
		one_close(&o);
	}
}

Test(relocate, a_change_that_keeps_the_time_is_noticed_up_to_1_10)
{
	struct one o;
	struct stat st;
	one_open(&o, "1.10.5", "GoldDev");
	const char *path = at(o.env.place, "GoldDev/src/parts/part.jl");
	cr_assert_eq(stat(path, &st), 0);
	put_file(path, "other");
	cr_assert_eq(utimensat(AT_FDCWD, path, (struct timespec[]){st.st_atim, st.st_mtim}, 0), 0);
	cr_expect_eq(publish_code(&o.env, "GoldDev", &o.file, &o.err), JIC_ECONFLICT, "%s", o.err.text);
	one_close(&o);
}

Test(relocate, a_missing_source_is_not_published)
{
	struct one o;
	one_open(&o, "1.11.1", "GoldDev");
	cr_assert_eq(unlink(at(o.env.place, "GoldDev/src/parts/part.jl")), 0);
	cr_expect_eq(publish_code(&o.env, "GoldDev", &o.file, &o.err), JIC_ECONFLICT);
	one_close(&o);
}

Test(relocate, an_edited_readme_changes_nothing)
{
	struct one o;
	one_open(&o, "1.11.1", "GoldDev");
	put_file(at(o.env.place, "GoldDev/README.md"), "new");
	cr_expect_eq(publish_code(&o.env, "GoldDev", &o.file, &o.err), JIC_OK, "%s", o.err.text);
	one_close(&o);
}

/* The file with record `i` leading to `path`, as include_dependency() would have left it. */
static struct jic_buf with_path(struct one *o, size_t record, const char *path)
{
	struct jic_ji ji;
	struct jic_buf out = {0};
	struct jic_error err = {0};
	struct stat st;
	cr_assert(jic_ji_parse(jic_buf_view(&o->file), &o->env.arena, &ji, NULL));
	struct jic_ji_edit *edits = jic_arena_array(&o->env.arena, ji.includes_count, sizeof *edits);
	for (size_t i = 0; i < ji.includes_count; i++)
		edits[i] = (struct jic_ji_edit){.path = i == record ? jic_view_of(path) : ji.includes[i].path,
		                                .size = ji.includes[i].size,
		                                .crc32c = ji.includes[i].crc32c,
		                                .mtime = ji.includes[i].mtime};
	if (edits[record].mtime > 0 && stat(path, &st) == 0)
		edits[record].mtime = (double)st.st_mtim.tv_sec + (double)st.st_mtim.tv_nsec * 1e-9;
	cr_assert(jic_ji_rewrite(&ji, edits, &out, &err), "%s", err.text);
	return out;
}

Test(relocate, a_file_that_the_key_does_not_cover_is_named)
{
	struct one o;
	one_open(&o, "1.10.5", "GoldMid");
	const char *path = at(o.temp.path, "elsewhere.txt");
	put_file(path, "data");
	struct jic_buf file = with_path(&o, 1, path);
	cr_expect_eq(publish_code(&o.env, "GoldMid", &file, &o.err), JIC_EDENIED);
	cr_expect(strstr(o.err.text, "elsewhere.txt"), "%s", o.err.text);
	jic_buf_clear(&file);
	one_close(&o);
}

Test(relocate, a_path_with_dots_is_judged_by_where_it_leads)
{
	struct one o;
	one_open(&o, "1.10.5", "GoldMid");
	const char *outside = at(o.temp.path, "elsewhere.txt"),
		   *dots = at(o.env.depot, "packages/GoldMid/8cA3z/../../../../../elsewhere.txt");
	put_file(outside, "data");
	struct jic_buf file = with_path(&o, 1, dots);
	cr_expect_eq(publish_code(&o.env, "GoldMid", &file, &o.err), JIC_EDENIED, "%s", o.err.text);
	jic_buf_clear(&file);
	file = with_path(&o, 1, at(o.env.depot, "packages/GoldMid/8cA3z/src/../data/table.txt"));
	cr_expect_eq(publish_code(&o.env, "GoldMid", &file, &o.err), JIC_OK, "%s", o.err.text);
	jic_buf_clear(&file);
	one_close(&o);
}

Test(relocate, a_file_of_another_package_or_session_is_refused)
{
	struct one o;
	one_open(&o, "1.11.1", "GoldMid");
	cr_expect_eq(publish_code(&o.env, "GoldTop", &o.file, &o.err), JIC_EDENIED);
	o.env.facts.flags = 0xab;
	cr_expect_eq(publish_code(&o.env, "GoldMid", &o.file, &o.err), JIC_EDENIED);
	o.env.facts.flags = CORPUS_FLAGS;
	o.env.facts.cpu_target = JIC_VIEW("haswell");
	cr_expect_eq(publish_code(&o.env, "GoldMid", &o.file, &o.err), JIC_EDENIED);
	cr_expect(strstr(o.err.text, "haswell"), "%s", o.err.text);
	o.env.facts.cpu_target = JIC_VIEW("generic");
	o.env.facts.commit = JIC_VIEW("0123456789012345678901234567890123456789");
	cr_expect_eq(publish_code(&o.env, "GoldMid", &o.file, &o.err), JIC_EDENIED);
	one_close(&o);
}

Test(relocate, another_system_image_is_refused)
{
	struct one o;
	one_open(&o, "1.11.1", "GoldMid");
	struct jic_ji_module other[64];
	cr_assert_lt(o.env.facts.sysimage_modules_count, 64);
	memcpy(other, o.env.facts.sysimage_modules, o.env.facts.sysimage_modules_count * sizeof *other);
	other[1].build_id.lo++;
	o.env.facts.sysimage_modules = other;
	cr_expect_eq(publish_code(&o.env, "GoldMid", &o.file, &o.err), JIC_EDENIED);
	one_close(&o);
}

Test(relocate, a_module_outside_of_the_closure_is_named)
{
	struct one o;
	one_open(&o, "1.11.1", "GoldTop");
	struct jic_node *top = &o.env.graph.nodes[corpus_node(&o.env, "GoldTop") - o.env.graph.nodes];
	uint64_t none[8] = {0};
	top->closure = none;
	cr_expect_eq(publish_code(&o.env, "GoldTop", &o.file, &o.err), JIC_EDENIED);
	cr_expect(strstr(o.err.text, "Gold"), "%s", o.err.text);
	one_close(&o);
}

/* ---- refusals of the reader */

static enum jic_code arrive_code(struct pair *p, const char *package, struct jic_error *err)
{
	struct jic_canonical c = {0};
	struct jic_buf local = {0};
	cr_assert(publish_package(&p->maker, package, &c, err), "%s", err->text);
	bool fine = bring_here(&p->user, package, &c, &local, err);
	jic_buf_clear(&c.ji);
	jic_buf_clear(&local);
	return fine ? JIC_OK : err->code;
}

Test(relocate, an_artefact_of_other_sources_is_not_placed)
{
	for (size_t i = 0; i < JIC_COUNT(versions); i++) {
		struct pair p;
		struct jic_error err = {0};
		pair_open(&p, versions[i]);
		put_file(at(p.user.place, "GoldDev/src/parts/part.jl"), "other");
		cr_expect_eq(arrive_code(&p, "GoldDev", &err), JIC_ECONFLICT);
		cr_expect(strstr(err.text, "part.jl"), "%s", err.text);
		pair_close(&p);
	}
}

Test(relocate, an_include_dependency_is_compared_by_its_digest)
{
	for (size_t i = 0; i < JIC_COUNT(versions); i++) {
		struct pair p;
		struct jic_error err = {0};
		pair_open(&p, versions[i]);
		cr_expect_eq(arrive_code(&p, "GoldMid", &err), JIC_OK, "%s", err.text);
		put_file(at(p.user.depot, "packages/GoldMid/8cA3z/data/table.txt"), "other\n");
		cr_expect_eq(arrive_code(&p, "GoldMid", &err), JIC_ECONFLICT);
		pair_close(&p);
	}
}

Test(relocate, an_input_without_a_digest_is_not_trusted)
{
	struct pair p;
	struct jic_error err = {0};
	struct jic_canonical c = {0};
	struct jic_buf local = {0};
	pair_open(&p, "1.10.5");
	cr_assert(publish_package(&p.maker, "GoldMid", &c, &err));
	c.inputs_count = 0;
	cr_expect_not(bring_here(&p.user, "GoldMid", &c, &local, &err));
	cr_expect_eq(err.code, JIC_ECONFLICT);
	jic_buf_clear(&c.ji);
	jic_buf_clear(&local);
	pair_close(&p);
}

Test(relocate, foreign_paths_lead_nowhere_else)
{
	static const char *const hostile[] = {
	    "/etc/passwd",
	    "@depot/../../etc/passwd",
	    "@depot/packages/GoldMid/8cA3z/../../../../etc/passwd",
	    "@depot/packages/GoldMid/8cA3z//etc/passwd",
	    "@depot/packages/GoldMid",
	    "@depot/packages/GoldMid/00000/src/GoldMid.jl",
	    "@jicache/a1b2c3d4-0002-4000-8000-00000000000b/src/x.jl",
	    "@jicache/a1b2c3d4-0007-4000-8000-000000000010/../x.jl",
	    "@jicache/not-a-uuid/src/GoldDev.jl",
	    "@jicache/",
	    "relative.jl",
	};
	struct pair p;
	struct jic_error err = {0};
	struct jic_canonical c = {0};
	pair_open(&p, "1.11.1");
	struct jic_ji ji = canonical_ji(&p.maker, "GoldBuild", &c);
	for (size_t i = 0; i < JIC_COUNT(hostile); i++) {
		struct jic_ji_edit edits[2] = {{.path = ji.includes[0].path,
		                                .size = ji.includes[0].size,
		                                .crc32c = ji.includes[0].crc32c,
		                                .mtime = -1},
		                               {.path = jic_view_of(hostile[i]), .size = 1, .mtime = -1}};
		struct jic_canonical evil = {0};
		struct jic_buf local = {0};
		cr_assert(jic_ji_rewrite(&ji, edits, &evil.ji, &err), "%s", err.text);
		cr_expect_not(bring_here(&p.user, "GoldBuild", &evil, &local, &err), "%s", hostile[i]);
		cr_expect(err.code == JIC_EFORMAT || err.code == JIC_ECONFLICT, "%s: %s", hostile[i], err.text);
		jic_buf_clear(&evil.ji);
		jic_buf_clear(&local);
	}
	jic_buf_clear(&c.ji);
	pair_close(&p);
}

Test(relocate, a_depot_behind_a_symbolic_link_is_the_same_place)
{
	struct temp t = temp_make();
	struct corpus_env real, linked;
	struct jic_canonical a = {0}, b = {0};
	struct jic_error err = {0};
	char source[1024];
	corpus_env_open(&real, "1.10.5", at(t.path, "real"));
	cr_assert_eq(symlink(real.place, at(t.path, "link")), 0);
	/* The graph spells the depot through the link, the file was made under the true name. */
	linked = real;
	linked.arena = (struct jic_arena){0};
	snprintf(linked.place, sizeof linked.place, "%s", at(t.path, "link"));
	snprintf(linked.depot, sizeof linked.depot, "%s/depot", linked.place);
	linked.depot_path[0] = jic_view_of(linked.depot);
	linked.facts.depot_path = linked.depot_path;
	corpus_graph(&linked);
	struct jic_buf file = made_at(&real, "GoldMid", source);
	cr_assert(publish(&real, "GoldMid", &file, &a, &err), "%s", err.text);
	cr_assert(publish(&linked, "GoldMid", &file, &b, &err), "%s", err.text);
	cr_expect(jic_view_eq(jic_buf_view(&a.ji), jic_buf_view(&b.ji)));
	jic_buf_clear(&a.ji);
	jic_buf_clear(&b.ji);
	jic_buf_clear(&file);
	corpus_env_close(&linked);
	corpus_env_close(&real);
	temp_remove(&t);
}
