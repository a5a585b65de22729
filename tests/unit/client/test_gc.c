/* What goes, what stays, in which order; and going. */
#include "client/lib/depot/holders.h"
#include "client/lib/depot/lock.h"
#include "client/lib/operation/gc.h"
#include "client/lib/operation/gc_remove.h"
#include "tests/support/temp.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { NOW = 1700000000, DAY = 24 * 60 * 60, OWNER = 1000 };

/* Gamma was compiled against Beta and Alpha, Beta against Alpha. */
struct three {
	struct jic_cache caches[3];
	struct jic_build_id required[2];
	struct jic_gc_file files[3];
	struct jic_gc_limits limits;
};
enum { ALPHA, BETA, GAMMA };

static void three_make(struct three *t)
{
	*t = (struct three){.limits = {.owner = OWNER, .now_s = NOW}};
	for (size_t i = 0; i < 3; i++) {
		t->required[i % 2] = (struct jic_build_id){.hi = 1, .lo = i % 2};
		t->caches[i] = (struct jic_cache){.kind = JIC_CACHE_READ,
		                                  .owner = OWNER,
		                                  .ours = true,
		                                  .bytes = 100,
		                                  .mtime = NOW - DAY,
		                                  .uuid = {.hi = 9, .lo = i},
		                                  .build_id = {.hi = 1, .lo = i},
		                                  .required = t->required,
		                                  .required_count = i};
		t->files[i].cache = &t->caches[i];
	}
}

static void decide(struct three *t)
{
	struct jic_error err = {0};
	cr_assert(jic_gc_decide(t->files, 3, &t->limits, &err), "%s", err.text);
}

#define expect_fates(t, a, b, c)                                                                                       \
	cr_expect((t)->files[ALPHA].fate == (a) && (t)->files[BETA].fate == (b) && (t)->files[GAMMA].fate == (c),      \
	          "%s; %s; %s", jic_gc_fate_words((t)->files[ALPHA].fate), jic_gc_fate_words((t)->files[BETA].fate),   \
	          jic_gc_fate_words((t)->files[GAMMA].fate))

Test(gc, what_nobody_can_use_goes_dependents_first)
{
	struct three t;
	size_t order[3];
	three_make(&t);
	decide(&t);
	expect_fates(&t, JIC_GC_UNUSABLE, JIC_GC_UNUSABLE, JIC_GC_UNUSABLE);
	cr_assert_eq(jic_gc_order(t.files, 3, order), 3);
	cr_expect(order[0] == GAMMA && order[1] == BETA && order[2] == ALPHA);
}

Test(gc, what_stays_keeps_what_it_was_compiled_against)
{
	struct three t;
	size_t order[3];
	three_make(&t);
	t.files[BETA].fits = true;
	decide(&t);
	expect_fates(&t, JIC_GC_NEEDED, JIC_GC_FITS, JIC_GC_UNUSABLE);
	cr_expect(jic_gc_order(t.files, 3, order) == 1 && order[0] == GAMMA);
}

Test(gc, a_file_in_use_stays_with_all_that_it_needs)
{
	struct three t;
	three_make(&t);
	t.files[GAMMA].in_use = true;
	decide(&t);
	expect_fates(&t, JIC_GC_NEEDED, JIC_GC_NEEDED, JIC_GC_IN_USE);
}

Test(gc, julias_own_stay_unless_asked_for_and_keep_what_they_need)
{
	struct three t;
	three_make(&t);
	t.caches[GAMMA].ours = false;
	decide(&t);
	expect_fates(&t, JIC_GC_NEEDED, JIC_GC_NEEDED, JIC_GC_NOT_OURS);
	t.caches[GAMMA].mtime = NOW - 31 * DAY;
	decide(&t);
	expect_fates(&t, JIC_GC_UNUSABLE, JIC_GC_UNUSABLE, JIC_GC_NOT_OURS);
	t.limits.julia = true;
	decide(&t);
	expect_fates(&t, JIC_GC_UNUSABLE, JIC_GC_UNUSABLE, JIC_GC_UNUSABLE);
}

Test(gc, another_users_and_unknown_files_always_stay)
{
	struct three t;
	three_make(&t);
	t.limits.julia = true;
	t.caches[ALPHA].owner = OWNER + 1;
	t.caches[BETA].kind = JIC_CACHE_UNKNOWN;
	t.caches[GAMMA].uuid = (struct jic_uuid){0};
	decide(&t);
	expect_fates(&t, JIC_GC_FOREIGN, JIC_GC_FOREIGN, JIC_GC_NOT_OURS);
}

Test(gc, an_age_spares_what_was_used_since)
{
	struct three t;
	three_make(&t);
	t.limits.older_than_s = 2 * DAY;
	t.caches[GAMMA].mtime = NOW - 2 * DAY;
	decide(&t);
	expect_fates(&t, JIC_GC_RECENT, JIC_GC_RECENT, JIC_GC_UNUSABLE);
}

Test(gc, what_is_older_than_the_memory_stays)
{
	struct three t;
	three_make(&t);
	t.files[ALPHA].before = true;
	decide(&t);
	expect_fates(&t, JIC_GC_OLDER, JIC_GC_UNUSABLE, JIC_GC_UNUSABLE);
}

Test(gc, damaged_files_and_old_leftovers_go)
{
	struct three t;
	three_make(&t);
	t.caches[ALPHA].kind = JIC_CACHE_BROKEN;
	t.caches[BETA].kind = JIC_CACHE_LEFTOVER;
	t.caches[GAMMA].kind = JIC_CACHE_LEFTOVER;
	t.caches[GAMMA].mtime = NOW - 60;
	decide(&t);
	expect_fates(&t, JIC_GC_BROKEN, JIC_GC_LEFTOVER, JIC_GC_RECENT);
}

Test(gc, a_limit_takes_the_least_recently_used_with_their_dependents)
{
	struct three t;
	three_make(&t);
	for (size_t i = 0; i < 3; i++)
		t.files[i].fits = true;
	t.limits.bytes_max = 250;
	t.caches[GAMMA].mtime = NOW - 3 * DAY;
	decide(&t);
	expect_fates(&t, JIC_GC_FITS, JIC_GC_FITS, JIC_GC_OVER_LIMIT);
	t.caches[GAMMA].mtime = NOW - DAY;
	t.caches[BETA].mtime = NOW - 3 * DAY;
	decide(&t);
	expect_fates(&t, JIC_GC_FITS, JIC_GC_OVER_LIMIT, JIC_GC_DEPENDENT);
	t.files[GAMMA].in_use = true;
	decide(&t);
	expect_fates(&t, JIC_GC_FITS, JIC_GC_FITS, JIC_GC_IN_USE);
	t.limits.bytes_max = 300;
	t.files[GAMMA].in_use = false;
	decide(&t);
	expect_fates(&t, JIC_GC_FITS, JIC_GC_FITS, JIC_GC_FITS);
}

/* ---- removing */

struct place {
	struct temp temp;
	struct jic_facts facts;
	struct jic_cache cache;
	struct jic_build_id required[1];
	char dir[300], ji[400], image[400];
};

static void place_make(struct place *p)
{
	struct jic_error err = {0};
	*p = (struct place){.temp = temp_make()};
	snprintf(p->dir, sizeof p->dir, "%s/compiled/v1.8", p->temp.path);
	snprintf(p->ji, sizeof p->ji, "%s/Alpha/abcde_0123456789A.ji", p->dir);
	snprintf(p->image, sizeof p->image, "%s/Alpha/abcde_0123456789A.so", p->dir);
	put_file(p->ji, "ji");
	put_file(p->image, "image");
	p->facts.version = (struct jic_julia_version){1, 8, 5};
	p->required[0] = (struct jic_build_id){7, 7};
	p->cache = (struct jic_cache){.kind = JIC_CACHE_READ,
	                              .path = jic_view_of(p->ji),
	                              .image_path = jic_view_of(p->image),
	                              .compiled_dir = jic_view_of(p->dir),
	                              .file_name = jic_view_of(strrchr(p->ji, '/') + 1),
	                              .has_image = true,
	                              .required = p->required,
	                              .required_count = 1};
	cr_assert(jic_file_identify(p->ji, &p->cache.identity, &err), "%s", err.text);
}

static bool take_away(struct place *p, struct jic_error *err)
{
	JIC_AUTO(jic_remover) struct jic_remover *r = jic_remover_new(&p->facts, err);
	return jic_remover_remove(r, &p->cache, err);
}

Test(gc_remove, both_files_go)
{
	struct place p;
	struct jic_error err = {0};
	place_make(&p);
	cr_expect(take_away(&p, &err), "%s", err.text);
	cr_expect(!jic_is_file(p.ji) && !jic_is_file(p.image));
	temp_remove(&p.temp);
}

Test(gc_remove, what_was_used_since_it_was_judged_stays)
{
	struct place p;
	struct jic_error err = {0};
	place_make(&p);
	set_mtime(p.ji, NOW, 0);
	cr_expect_not(take_away(&p, &err));
	cr_expect(err.code == JIC_EBUSY && jic_is_file(p.ji) && jic_is_file(p.image));
	temp_remove(&p.temp);
}

Test(gc_remove, a_package_that_is_being_compiled_is_left_alone)
{
	struct place p;
	struct jic_error err = {0};
	place_make(&p);
	put_file(at(p.dir, "Alpha/abcde_fghij.ji.pidfile"), "1 elsewhere");
	cr_expect_not(take_away(&p, &err));
	cr_expect(err.code == JIC_EBUSY && jic_is_file(p.ji));
	set_mtime(at(p.dir, "Alpha/abcde_fghij.ji.pidfile"), NOW, 0);
	err = (struct jic_error){0};
	cr_expect(take_away(&p, &err), "a lock that nobody refreshed for long is none: %s", err.text);
	temp_remove(&p.temp);
}

Test(gc_remove, what_a_failed_one_was_compiled_against_stays)
{
	struct place p;
	struct jic_error err = {0};
	place_make(&p);
	struct jic_cache dependent = p.cache;
	dependent.path = JIC_VIEW("/nonexistent/Alpha/x.ji");
	dependent.file_name = JIC_VIEW("x.ji");
	p.cache.build_id = p.required[0];
	JIC_AUTO(jic_remover) struct jic_remover *r = jic_remover_new(&p.facts, &err);
	cr_expect_not(jic_remover_remove(r, &dependent, &err));
	cr_expect_not(jic_remover_remove(r, &p.cache, &err));
	cr_expect(err.code == JIC_EBUSY && jic_is_file(p.ji), "%s", err.text);
	temp_remove(&p.temp);
}

/* ---- who holds what */

Test(holders, an_open_and_a_mapped_file_are_seen_and_no_other)
{
	struct temp t = temp_make();
	struct jic_error err = {0};
	struct jic_holders h;
	put_file(at(t.path, "compiled/open.ji"), "open");
	put_file(at(t.path, "compiled/mapped.so"), "mapped");
	put_file(at(t.path, "compiled/free.ji"), "free");
	jic_autoclose int fd = open(at(t.path, "compiled/open.ji"), O_RDONLY | O_CLOEXEC);
	int mapped = open(at(t.path, "compiled/mapped.so"), O_RDONLY | O_CLOEXEC);
	void *map = mmap(NULL, 6, PROT_READ, MAP_PRIVATE, mapped, 0);
	close(mapped);
	cr_assert(fd >= 0 && map != MAP_FAILED);
	cr_assert(jic_holders_look("/compiled/", &h, &err), "%s", err.text);
	cr_expect(jic_holders_have(&h, at(t.path, "compiled/open.ji")));
	cr_expect(jic_holders_have(&h, at(t.path, "compiled/mapped.so")));
	cr_expect_not(jic_holders_have(&h, at(t.path, "compiled/free.ji")));
	cr_expect_not(jic_holders_have(&h, at(t.path, "compiled/gone.ji")));
	jic_holders_clear(&h);
	munmap(map, 6);
	temp_remove(&t);
}
