/* What is remembered of environments, and for how long. */
#include "client/lib/session/history.h"
#include "tests/support/world.h"

#include <criterion/criterion.h>

enum { NODES = 3, NOW = 1700000000, DAY = 24 * 60 * 60 };

struct past {
	struct temp dir;
	struct jic_arena arena;
	struct jic_session session;
	struct jic_node nodes[NODES];
	struct jic_local items[NODES];
	struct jic_locals locals;
	struct jic_view runtimes[2], depots[2], load_path[1];
	struct jic_history *history;
};

static void past_open(struct past *p)
{
	static const char *const names[] = {"Alpha", "Beta", "Gamma"};
	struct jic_error err = {0};
	*p = (struct past){.dir = temp_make()};
	struct jic_session *s = &p->session;
	p->runtimes[0] = JIC_VIEW("julia-1.10.5-x-1");
	p->runtimes[1] = JIC_VIEW("julia-1.10.5-x-2");
	p->depots[0] = JIC_VIEW("/first/depot");
	p->depots[1] = JIC_VIEW("/second/depot");
	p->load_path[0] = JIC_VIEW("@");
	s->runtime_ids = p->runtimes;
	s->runtimes_count = 2;
	s->facts = (struct jic_facts){.julia = JIC_VIEW("/julia/bin/julia"),
	                              .version_text = JIC_VIEW("1.10.5"),
	                              .depot_path = p->depots,
	                              .depot_path_count = 2,
	                              .load_path = p->load_path,
	                              .load_path_count = 1};
	s->facts.sysimage.bytes[0] = 7;
	s->graph = (struct jic_graph){.project_file = JIC_VIEW("/p/Project.toml"),
	                              .manifest_file = JIC_VIEW("/p/Manifest.toml"),
	                              .nodes = p->nodes,
	                              .count = NODES};
	for (size_t i = 0; i < NODES; i++) {
		p->nodes[i].inputs.name = jic_view_of(names[i]);
		p->nodes[i].inputs.uuid = (struct jic_uuid){.hi = 1, .lo = i};
		p->nodes[i].version = JIC_VIEW("1.2.3");
		p->nodes[i].key.bytes[0] = (uint8_t)(i + 1);
		p->items[i].path = JIC_VIEW("/first/depot/compiled/v1.10/x.ji");
		p->items[i].build_id = (struct jic_build_id){.hi = 100 + i, .lo = 200 + i};
	}
	p->locals = (struct jic_locals){.items = p->items, .count = NODES, .have = NODES, .wanted = NODES};
	p->history = jic_history_open(p->dir.path, &err);
	cr_assert(p->history, "%s", err.text);
}

static void past_close(struct past *p)
{
	jic_history_free(p->history);
	jic_arena_clear(&p->arena);
	temp_remove(&p->dir);
}

static void record(struct past *p, const bool *placed, int64_t now_s)
{
	struct jic_error err = {0};
	cr_assert(jic_history_record(p->history, &p->session, &p->locals, placed, now_s, &err), "%s", err.text);
}

static const struct jic_known *environments(struct past *p, size_t *count)
{
	const struct jic_known *known;
	struct jic_error err = {0};
	cr_assert(jic_history_environments(p->history, &p->arena, &known, count, &err), "%s", err.text);
	return known;
}

static const struct jic_known_node *nodes(struct past *p, size_t *count)
{
	const struct jic_known_node *found;
	struct jic_error err = {0};
	cr_assert(jic_history_nodes(p->history, &p->arena, &found, count, &err), "%s", err.text);
	return found;
}

Test(history, an_environment_comes_back_as_it_was_seen)
{
	struct past p;
	size_t count;
	past_open(&p);
	record(&p, NULL, NOW);
	const struct jic_known *e = environments(&p, &count);
	cr_assert_eq(count, 1);
	cr_expect(jic_view_is(e->project, "/p/Project.toml") && jic_view_is(e->julia, "/julia/bin/julia"));
	cr_expect(jic_view_is(e->julia_args, "") && jic_view_is(e->version, "1.10.5") && e->seen_s == NOW);
	cr_expect(jic_digest_eq(&e->sysimage, &p.session.facts.sysimage));
	cr_assert(e->runtimes_count == 2 && e->depot_path_count == 2 && e->load_path_count == 1);
	cr_expect(jic_view_is(e->runtimes[1], "julia-1.10.5-x-2") && jic_view_is(e->depot_path[1], "/second/depot"));
	cr_expect(jic_view_is(e->load_path[0], "@"));
	const struct jic_known_node *n = nodes(&p, &count);
	cr_assert_eq(count, NODES);
	for (size_t i = 0; i < count; i++) {
		cr_expect(n[i].environment == e->id && jic_view_is(n[i].version, "1.2.3"));
		cr_expect(n[i].uuid.hi == 1 && n[i].key.bytes[0] == n[i].uuid.lo + 1);
		cr_expect(n[i].build.hi == 100 + n[i].uuid.lo && n[i].build.lo == 200 + n[i].uuid.lo);
	}
	past_close(&p);
}

Test(history, an_unchanged_state_is_noted_again_only_after_a_day)
{
	struct past p;
	size_t count;
	past_open(&p);
	record(&p, NULL, NOW);
	record(&p, NULL, NOW + DAY - 1);
	cr_expect_eq(environments(&p, &count)[0].seen_s, NOW);
	record(&p, NULL, NOW + DAY);
	cr_expect_eq(environments(&p, &count)[0].seen_s, NOW + DAY);
	cr_expect_eq(count, 1);
	past_close(&p);
}

Test(history, a_build_of_what_was_just_placed_is_not_claimed)
{
	struct past p;
	size_t count;
	static const bool placed[NODES] = {false, true, false};
	past_open(&p);
	record(&p, placed, NOW);
	const struct jic_known_node *n = nodes(&p, &count);
	cr_assert_eq(count, NODES);
	for (size_t i = 0; i < count; i++)
		cr_expect_eq(n[i].build.hi == 0, n[i].uuid.lo == 1);
	past_close(&p);
}

Test(history, an_older_state_is_kept_for_a_month)
{
	struct past p;
	size_t count;
	past_open(&p);
	record(&p, NULL, NOW);
	p.nodes[0].key.bytes[0] = 99;
	record(&p, NULL, NOW + DAY);
	const struct jic_known_node *both = nodes(&p, &count);
	cr_expect_eq(count, NODES + 1, "%zu", count);
	for (size_t i = 0; i < count; i++)
		cr_expect_eq(both[i].current, both[i].key.bytes[0] != 1);
	environments(&p, &count);
	cr_expect_eq(count, 1);
	p.nodes[0].key.bytes[0] = 98;
	record(&p, NULL, NOW + 31 * DAY);
	const struct jic_known_node *n = nodes(&p, &count);
	cr_expect_eq(count, NODES + 1, "the first state is forgotten, the second is not: %zu", count);
	for (size_t i = 0; i < count; i++)
		cr_expect_neq(n[i].key.bytes[0], 1);
	past_close(&p);
}

Test(history, other_options_are_another_environment_and_can_be_forgotten)
{
	struct past p;
	size_t count;
	struct jic_error err = {0};
	past_open(&p);
	record(&p, NULL, NOW);
	p.session.options.julia_args = "--check-bounds=yes";
	record(&p, NULL, NOW + 1);
	const struct jic_known *e = environments(&p, &count);
	cr_assert_eq(count, 2);
	cr_expect(jic_view_is(e[0].julia_args, "--check-bounds=yes"), "the last seen comes first");
	cr_assert(jic_history_forget(p.history, e[0].id, &err), "%s", err.text);
	e = environments(&p, &count);
	cr_expect(count == 1 && jic_view_is(e[0].julia_args, ""));
	nodes(&p, &count);
	cr_expect_eq(count, NODES);
	past_close(&p);
}

Test(history, a_damaged_file_is_told_and_not_taken_for_an_empty_one)
{
	struct temp dir = temp_make();
	struct jic_error err = {0};
	put_file(at(dir.path, JIC_HISTORY_FILE),
	         "this is no database, but it is long enough to be looked at as one ......");
	cr_expect_null(jic_history_open(dir.path, &err));
	cr_expect_eq(err.code, JIC_ECORRUPT, "%s", err.text);
	temp_remove(&dir);
}

Test(history, an_unknown_build_requires_nothing)
{
	struct past p;
	struct jic_error err = {0};
	const struct jic_build_id *required;
	size_t count = 7;
	past_open(&p);
	cr_assert(jic_history_required(p.history, (struct jic_build_id){1, 2}, &p.arena, &required, &count, &err));
	cr_expect_eq(count, 0);
	past_close(&p);
}

Test(history, it_knows_when_it_began)
{
	struct past p;
	struct jic_error err = {0};
	int64_t first, second;
	past_open(&p);
	cr_assert(jic_history_began(p.history, &first, &err), "%s", err.text);
	jic_history_free(p.history);
	p.history = jic_history_open(p.dir.path, &err);
	cr_assert(p.history && jic_history_began(p.history, &second, &err), "%s", err.text);
	cr_expect(first > 1700000000 && first == second);
	past_close(&p);
}

Test(history, what_comes_back_is_the_newest_again)
{
	struct past p;
	size_t count;
	past_open(&p);
	record(&p, NULL, NOW);
	p.nodes[0].key.bytes[0] = 99;
	record(&p, NULL, NOW);
	p.nodes[0].key.bytes[0] = 1;
	record(&p, NULL, NOW);
	const struct jic_known_node *n = nodes(&p, &count);
	cr_assert_eq(count, NODES + 1);
	for (size_t i = 0; i < count; i++)
		cr_expect_eq(n[i].current, n[i].key.bytes[0] != 99);
	past_close(&p);
}
