/* What doctor looks at of Julia, the depot and the server. */
#include "client/lib/depot/cachefile.h"
#include "client/lib/depot/caches.h"
#include "client/lib/operation/findings.h"
#include "client/lib/remote/transport.h"
#include "common/options.h"

#include <stdarg.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum {
	CLOCK_SKEW_S_MAX = 60,
	JULIA_FILES_MAX = 10, /* JULIA_MAX_NUM_PRECOMPILE_FILES, when it is not set */
	ROOM_WRONG_MB = 100,  /* what an environment of some size needs at least */
	ROOM_ADVICE_MB = 2000,
};

void jic_find(struct jic_findings *f, enum jic_level level, const char *topic, const char *remedy, const char *format,
              ...)
{
	static const char *const names[] = {"fine", "advice", "wrong"};
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	json_t *o = json_object(), *list = json_object_get(f->report->json, "findings");
	if (!list) {
		jic_report_set(f->report, "findings", json_array());
		list = json_object_get(f->report->json, "findings");
	}
	json_object_set_new(o, "level", json_string(names[level]));
	json_object_set_new(o, "topic", json_string(topic));
	json_object_set_new(o, "text", jic_report_string(jic_view_of(text)));
	if (*remedy)
		json_object_set_new(o, "remedy", jic_report_string(jic_view_of(remedy)));
	json_array_append_new(list, o);
	f->advice += level == JIC_ADVICE;
	f->wrong += level == JIC_WRONG;
}

/* ---- Julia */

static void find_version(struct jic_findings *f, const struct jic_facts *facts)
{
	const struct jic_julia_version v = facts->version;
	if (jic_julia_at_least(v, 1, 13, 0))
		jic_find(f, JIC_ADVICE, "julia", "use Julia 1.12 or older, or update jicache",
		         "Julia " JIC_PRIv " (" JIC_PRIv ") is newer than the versions that jicache was made for",
		         JIC_ARGv(facts->version_text), JIC_ARGv(facts->julia));
	else
		jic_find(f, JIC_FINE, "julia", "", "Julia " JIC_PRIv " at " JIC_PRIv, JIC_ARGv(facts->version_text),
		         JIC_ARGv(facts->julia));
}

/* The depot that came with the installation, share/julia, has the caches of the standard library (1.9+). */
static void find_bundled(struct jic_findings *f, const struct jic_facts *facts)
{
	struct jic_view depot = facts->stdlib_dir;
	for (int up = 0; up < 2 && depot.len; up++) {
		const char *slash = memrchr(depot.ptr, '/', depot.len);
		depot.len = slash ? (size_t)(slash - depot.ptr) : 0;
	}
	struct jic_view compiled = jic_arena_printf(&f->arena, JIC_PRIv "/compiled", JIC_ARGv(depot));
	if (!jic_julia_at_least(facts->version, 1, 9, 0) || !depot.len || !compiled.len || !jic_is_dir(compiled.ptr))
		return;
	for (size_t i = 0; i < facts->depot_path_count; i++) {
		struct jic_view d = facts->depot_path[i];
		if (d.len && d.ptr[d.len - 1] == '/')
			d.len--;
		if (jic_view_eq(d, depot)) {
			jic_find(f, JIC_FINE, "depot-path", "", "the caches that came with Julia are visible");
			return;
		}
	}
	struct jic_view remedy = jic_arena_printf(
	    &f->arena, "append \":" JIC_PRIv "\" to JULIA_DEPOT_PATH%s", JIC_ARGv(depot),
	    jic_julia_at_least(facts->version, 1, 11, 0) ? " (or only \":\", an empty last entry)" : "");
	jic_find(f, JIC_ADVICE, "depot-path", remedy.len ? remedy.ptr : "",
	         "DEPOT_PATH lacks the depot that came with Julia: its standard library is compiled again on this "
	         "machine, and nothing is shared with machines that see it");
}

static void find_cpu(struct jic_findings *f, const struct jic_facts *facts)
{
	const struct jic_view target = facts->cpu_target.len ? facts->cpu_target : JIC_VIEW("native");
	if (!jic_julia_at_least(facts->version, 1, 9, 0))
		return;
	if (!jic_facts_loads_images(facts)) {
		jic_find(f, JIC_FINE, "cpu", "", "this session uses no native code in caches: any processor will do");
		return;
	}
	if (jic_view_starts(target, JIC_VIEW("x86-64-v"))) {
		jic_find(f, JIC_WRONG, "cpu", "name a processor: haswell,-rdrnd is what x86-64-v3 stands for",
		         "images are compiled for \"" JIC_PRIv "\", and Julia knows no x86-64 levels: it refuses to "
		         "start for one (CX16), or makes code that other "
		         "machines take and can't run",
		         JIC_ARGv(target));
		return;
	}
	if (!jic_view_is(target, "native")) {
		jic_find(f, JIC_FINE, "cpu", "", "images are compiled for \"" JIC_PRIv "\"", JIC_ARGv(target));
		return;
	}
	const struct jic_view best = jic_facts_baseline(facts);
	const bool x86 = jic_view_is(facts->arch, "x86_64");
	struct jic_view remedy =
	    JIC_VIEW("set JULIA_CPU_TARGET=generic on all machines: for any processor of this architecture");
	if (!jic_view_is(best, "generic"))
		remedy = jic_arena_printf(&f->arena,
		                          "set the same JULIA_CPU_TARGET on all machines: \"" JIC_PRIv
		                          "\" if none is older than that, \"generic\" for any of this architecture",
		                          JIC_ARGv(best));
	/* Several targets in one image take effect from 1.11.2 on only (JuliaLang/julia#50148). */
	if (x86 && jic_julia_at_least(facts->version, 1, 11, 2))
		remedy = jic_arena_printf(&f->arena,
		                          JIC_PRIv
		                          "; or \"generic;sandybridge,-xsaveopt,clone_all;haswell,-rdrnd,base(1)\": "
		                          "fast on each, larger files",
		                          JIC_ARGv(remedy));
	jic_find(f, JIC_ADVICE, "cpu", remedy.len ? remedy.ptr : "",
	         "images are compiled for \"native\", which is " JIC_PRIv
	         " here: machines that lack any of its features can't "
	         "share them",
	         JIC_ARGv(facts->cpu_name));
}

void jic_find_julia(struct jic_findings *f, const struct jic_facts *facts)
{
	find_version(f, facts);
	find_bundled(f, facts);
	find_cpu(f, facts);
}

/* ---- the depot */

/* The nearest directory that is there. */
static struct jic_view existing(struct jic_findings *f, struct jic_view path)
{
	struct jic_view dir = jic_arena_copy(&f->arena, path);
	while (dir.len > 1 && !jic_is_dir(dir.ptr)) {
		const char *slash = memrchr(dir.ptr, '/', dir.len);
		dir = jic_arena_copy(&f->arena,
		                     jic_view_head(dir, slash && slash > dir.ptr ? (size_t)(slash - dir.ptr) : 1));
	}
	return dir;
}

static void find_room(struct jic_findings *f, const struct statvfs *fs, const char *dir)
{
	const uint64_t mb = (uint64_t)fs->f_bavail * fs->f_frsize / 1000000;
	const bool no_files = fs->f_files && fs->f_favail < 1000;
	if (mb >= ROOM_ADVICE_MB && !no_files)
		jic_find(f, JIC_FINE, "room", "", "%llu MB are free for caches", (unsigned long long)mb);
	else
		jic_find(f, mb < ROOM_WRONG_MB || no_files ? JIC_WRONG : JIC_ADVICE, "room",
		         "make room (`jicache gc` removes what no environment needs), or fill another depot with "
		         "--depot DIR",
		         "%s: only %llu MB%s are free", dir, (unsigned long long)mb,
		         no_files ? " and hardly any inode" : "");
}

static void find_mount(struct jic_findings *f, const struct jic_facts *facts, struct jic_view depot)
{
	struct jic_view compiled = jic_cachefile_compiled_dir(depot, facts->version, &f->arena);
	struct jic_view dir = existing(f, compiled);
	struct statvfs fs;
	const bool images = jic_julia_at_least(facts->version, 1, 9, 0) && jic_facts_loads_images(facts);
	if (!dir.len || statvfs(dir.ptr, &fs) != 0) {
		jic_find(f, JIC_WRONG, "depot", "fill another depot with --depot DIR", JIC_PRIv " can't be looked at",
		         JIC_ARGv(compiled));
		return;
	}
	if (access(dir.ptr, W_OK | X_OK) != 0)
		jic_find(f, JIC_WRONG, "depot", "fill another depot with --depot DIR, or make this one writable",
		         "%s can't be written to", dir.ptr);
	else if (images && (fs.f_flag & ST_NOEXEC))
		jic_find(
		    f, JIC_WRONG, "depot",
		    "mount it without noexec, fill another depot with --depot DIR, or run Julia with --pkgimages=no",
		    "%s is mounted noexec: Julia can't load native code from there", dir.ptr);
	else
		jic_find(f, JIC_FINE, "depot", "", "%s can be written to%s", dir.ptr,
		         images ? ", and native code can be loaded from it" : "");
	find_room(f, &fs, dir.ptr);
}

static uint64_t files_limit(void)
{
	const char *text = getenv("JULIA_MAX_NUM_PRECOMPILE_FILES");
	uint64_t limit = JULIA_FILES_MAX;
	return text && jic_parse_u64(jic_view_of(text), UINT32_MAX, &limit) && limit ? limit : JULIA_FILES_MAX;
}

/* Julia counts per directory and slug, deletes the oldest when it compiles one more, whoever made it. */
static void find_crowds(struct jic_findings *f, const struct jic_facts *facts)
{
	struct jic_caches caches;
	const uint64_t limit = files_limit();
	if (!facts->depot_path_count ||
	    !jic_caches_list(facts->depot_path, 1, &facts->version, &f->arena, &caches, NULL))
		return;
	uint64_t crowded = 0;
	struct jic_view example = {0};
	for (size_t i = 0; i < caches.count;) {
		const struct jic_cache *first = &caches.items[i];
		uint64_t count = 0;
		for (; i < caches.count && jic_view_eq(caches.items[i].package, first->package); i++)
			count += caches.items[i].kind != JIC_CACHE_LEFTOVER;
		if (count < limit)
			continue;
		crowded++;
		example = first->package;
	}
	if (!crowded)
		jic_find(f, JIC_FINE, "pruning", "", "no package is near Julia's limit of %llu cache files",
		         (unsigned long long)limit);
	else
		jic_find(f, JIC_ADVICE, "pruning",
		         "set JULIA_MAX_NUM_PRECOMPILE_FILES to a larger number, run `jicache gc`, or fill a depot of "
		         "its own with "
		         "--depot DIR, which Julia never prunes",
		         "%llu package%s (" JIC_PRIv
		         ") have %llu or more cache files: whenever Julia compiles one more it deletes "
		         "the oldest, also those from the server",
		         (unsigned long long)crowded, crowded == 1 ? "" : "s", JIC_ARGv(example),
		         (unsigned long long)limit);
}

void jic_find_depot(struct jic_findings *f, const struct jic_facts *facts, const char *extra)
{
	jic_autofree char *absolute = extra ? jic_path_absolute(extra) : NULL;
	if (!absolute && !facts->depot_path_count)
		jic_find(f, JIC_WRONG, "depot", "set JULIA_DEPOT_PATH, or name a depot with --depot DIR",
		         "DEPOT_PATH is empty");
	else
		find_mount(f, facts, absolute ? jic_view_of(absolute) : facts->depot_path[0]);
	find_crowds(f, facts);
}

/* ---- the server */

static void find_clock(struct jic_findings *f, const struct jic_connection *c)
{
	const int64_t theirs_s = jic_connection_date(c);
	const int64_t skew_s = theirs_s < 0 ? 0 : (int64_t)time(NULL) - theirs_s;
	if (skew_s > CLOCK_SKEW_S_MAX || skew_s < -CLOCK_SKEW_S_MAX)
		jic_find(f, JIC_WRONG, "clock", "set the clock (NTP), here or on the server",
		         "this machine's clock is %lld s %s of the server's",
		         (long long)(skew_s < 0 ? -skew_s : skew_s), skew_s > 0 ? "ahead" : "behind");
	else if (theirs_s >= 0)
		jic_find(f, JIC_FINE, "clock", "", "clocks agree");
}

static void find_rights(struct jic_findings *f, const struct jic_settings *settings, const struct jic_msg_info *info)
{
	if (!jic_settings_identify(settings))
		jic_find(f, JIC_ADVICE, "token",
		         "to publish, set JICACHE_TOKEN to one that `jicached token create` made",
		         "there is no token: this machine only fetches");
	else if (!info->can_write)
		jic_find(f, JIC_ADVICE, "token", "to publish to the default lane, ask for a token that may write",
		         "the token may not write to the server's default lane");
	else
		jic_find(f, JIC_FINE, "token", "", "the token may publish");
}

static bool ask_server(struct jic_findings *f, const struct jic_settings *settings, struct jic_connection *c,
                       struct jic_error *err)
{
	JIC_CLEAR(jic_buf) struct jic_buf answer = {0};
	struct jic_msg_info info;
	if (!jic_connection_json(c, "GET", "/v1/info", (struct jic_view){0}, &answer, err) ||
	    !jic_msg_info_read(jic_buf_view(&answer), &f->arena, &info, err))
		return false;
	jic_find(f, JIC_FINE, "server", "", "%s answers (" JIC_PRIv ")", settings->url, JIC_ARGv(info.server));
	find_rights(f, settings, &info);
	return true;
}

void jic_find_server(struct jic_findings *f, const struct jic_settings *settings)
{
	struct jic_error why = {0};
	JIC_AUTO(jic_connection) struct jic_connection *c = jic_connection_new(settings, NULL, &why);
	const bool answered = c && ask_server(f, settings, c, &why);
	f->report->server = answered || why.code == JIC_EDENIED ? JIC_SERVER_REACHED : JIC_SERVER_AWAY;
	if (!answered && why.code == JIC_EDENIED)
		jic_find(f, JIC_WRONG, "token", "get a new one (`jicached token create`) and set JICACHE_TOKEN", "%s",
		         why.text);
	else if (!answered)
		jic_find(f, JIC_WRONG, "server",
		         "start `jicached serve`, or set the right address with JICACHE_URL or --url", "%s", why.text);
	if (c)
		find_clock(f, c);
}
