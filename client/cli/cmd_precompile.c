/*
 * jicache precompile: pull ▸ Pkg.precompile() if anything is missing ▸ push ▸ pull again, which says what is there now
 * and, where another machine published first, takes its builds. Julia runs once: what it could not compile this time
 * it could not compile a second time. That is remembered for a while, so neither does the next precompile try it.
 *
 * The first pull takes turns with other machines (jic_session_turn()); a lease that it got is held until the push
 * ended.
 */
#include "client/cli/child.h"
#include "client/cli/cli.h"

#include <jansson.h>
#include <sys/wait.h>

enum { ARGS_MAX = 256, WAIT_S = 600, WAIT_S_MAX = 86400 };

/* Pkg by its UUID, because LOAD_PATH need not have it by name; two statements, because a method that was loaded by the
 * first is not yet callable in it. Not instantiated first (1.7+ would): that asks for registries, and is for who
 * installs packages. */
static const char script[] =
    "pkg = Base.require(Base.PkgId(Base.UUID(\"44cfe95a-1eb2-52ea-b672-e2afdf69b78f\"), \"Pkg\"))\n"
    "try\n"
    "    VERSION >= v\"1.7\" ? pkg.precompile(already_instantiated = true) : pkg.precompile()\n"
    "catch err\n"
    "    showerror(stderr, err)\n"
    "    println(stderr)\n"
    "    exit(1)\n"
    "end";

/*
 * --target test: in the environment that Pkg.test makes, with this process's own flags; Pkg calls `test_fn` there
 * before it would start the tests, which never happens. A test/ in the workspace (1.12+) is a project like any other.
 */
static const char test_script[] =
    "pkg = Base.require(Base.PkgId(Base.UUID(\"44cfe95a-1eb2-52ea-b672-e2afdf69b78f\"), \"Pkg\"))\n"
    "compile() = VERSION >= v\"1.7\" ? pkg.precompile(already_instantiated = true) : pkg.precompile()\n"
    "tests = joinpath(dirname(Base.active_project()), \"test\")\n"
    "try\n"
    "    file = isdefined(Base, :base_project) ? Base.locate_project_file(tests) : nothing\n"
    "    if file isa String && isfile(file) && Base.base_project(file) !== nothing\n"
    "        pkg.activate(tests)\n"
    "        compile()\n"
    "    else\n"
    "        pkg.test(test_fn = () -> (compile(); exit(0)))\n"
    "    end\n"
    "catch err\n"
    "    showerror(stderr, err)\n"
    "    println(stderr)\n"
    "    exit(1)\n"
    "end";

JIC_DEFINE_AUTO(jic_session, jic_session_free)
JIC_DEFINE_AUTO(jic_report, jic_report_free)

static void give_back(struct jic_lease **lease)
{
	jic_lease_free(*lease);
	*lease = NULL;
}

/* ---- Julia */

/* @return an exit status to end with; negative: go on */
static int run_julia(struct jic_cli *cli, const struct jic_session *s, const struct jic_session_options *o,
                     struct jic_lease **lease)
{
	const char *argv[ARGS_MAX + 6], *const *args = jic_session_julia_args(s);
	size_t count = 0;
	int status, ended_by = 0;
	jic_autofree char *project_option = o->project ? jic_asprintf("--project=%s", o->project) : NULL;
	argv[count++] = jic_session_julia(s);
	for (size_t i = 0; args[i] && i < ARGS_MAX; i++)
		argv[count++] = args[i];
	argv[count++] = "--startup-file=no";
	if (project_option)
		argv[count++] = project_option;
	argv[count++] = "-e";
	argv[count++] = o->target ? test_script : script;
	argv[count] = NULL;
	if (!jic_child_run(argv, jic_session_depot_path(s), &status, &ended_by))
		return JIC_EXIT_FAILED;
	/* A signal is somebody who wants an end, though Julia may end by itself then; packages that fail are not. */
	if (WIFSIGNALED(status))
		ended_by = WTERMSIG(status);
	if (ended_by) {
		give_back(lease);
		return jic_child_die_of(ended_by);
	}
	if (WEXITSTATUS(status))
		jic_cli_warn(cli, "Julia could not precompile every package");
	return -1;
}

/* ---- the steps */

static struct jic_report *pull(struct jic_cli *cli, struct jic_session *s, struct jic_error *err)
{
	JIC_AUTO(jic_report) struct jic_report *r = jic_session_pull(s, err);
	jic_progress_bar_end(&cli->bar);
	if (r)
		jic_cli_tell(cli, r);
	return JIC_TAKE(r);
}

/* With --hold, too, where --quiet is about what the holder tells in its own way. */
static void say_waiting(void *context, const struct jic_waiting *w)
{
	struct jic_cli *cli = context;
	const bool holds = jic_options_has(cli->options, "hold"), minutes = w->wait_s % 60 == 0;
	jic_progress_bar_end(&cli->bar);
	if (!cli->quiet || holds)
		fprintf(stderr, "jicache: waiting for %u package%s that %s compiles; at most %u %s%s\n", w->packages,
		        w->packages == 1 ? "" : "s", *w->who ? w->who : "another machine",
		        minutes ? w->wait_s / 60 : w->wait_s, minutes ? "min" : "s", holds ? "" : ", --wait 0 doesn't");
}

static void say_pulled(void *context, const struct jic_report *r)
{
	struct jic_cli *cli = context;
	jic_progress_bar_end(&cli->bar);
	jic_cli_tell(cli, r);
}

/* The pull before Julia. @return as jic_session_turn() */
static struct jic_report *take_turn(struct jic_cli *cli, struct jic_session *s, struct jic_lease **lease,
                                    struct jic_error *err)
{
	const char *text = jic_options_text(cli->options, "wait", NULL);
	uint64_t wait_s = WAIT_S;
	if (text && !jic_parse_duration(jic_view_of(text), WAIT_S_MAX, &wait_s)) {
		(void)jic_fail(err, JIC_EUSAGE, "--wait takes seconds, or a duration such as 5m, not \"%s\"", text);
		return NULL;
	}
	const struct jic_turn_options options = {
	    .wait_s = (uint32_t)wait_s, .waiting = say_waiting, .pulled = say_pulled, .context = cli};
	JIC_AUTO(jic_report) struct jic_report *r = jic_session_turn(s, &options, lease, err);
	jic_progress_bar_end(&cli->bar);
	cli->json = jic_options_has(cli->options, "hold");
	if (r)
		jic_cli_tell(cli, r);
	return JIC_TAKE(r);
}

/* What can't be pushed is no failure of precompiling. @return was everything that was to be published? */
static bool push(struct jic_cli *cli, struct jic_session *s)
{
	struct jic_error err = {0};
	if (!jic_session_can_publish(s))
		return true;
	JIC_AUTO(jic_report) struct jic_report *r = jic_session_push(s, &err);
	jic_progress_bar_end(&cli->bar);
	if (r)
		jic_cli_tell(cli, r);
	else
		jic_cli_warn(cli, err.text);
	return r && jic_report_server(r) != JIC_SERVER_AWAY;
}

static uint32_t number(const struct jic_report *r, const char *field)
{
	json_t *report = json_loads(jic_report_json(r), 0, NULL);
	const json_int_t n = json_integer_value(json_object_get(report, field));
	json_decref(report);
	return n > 0 && n < UINT32_MAX ? (uint32_t)n : 0;
}

/* Packages that fail: named, so that nobody wonders. */
static void name_missing(const struct jic_cli *cli, const struct jic_report *r)
{
	JIC_CLEAR(jic_buf) struct jic_buf text = {0};
	json_t *report = json_loads(jic_report_json(r), 0, NULL), *name;
	size_t i;
	json_array_foreach(json_object_get(report, "missing_packages"), i, name)
	    jic_buf_printf(&text, "%s%s", i ? ", " : "left to be compiled when loaded: ", json_string_value(name));
	json_decref(report);
	if (text.len)
		jic_cli_warn(cli, jic_buf_str(&text));
}

/* In a session of its own: Pkg may have installed packages. */
static int finish(struct jic_cli *cli, const struct jic_session_options *o, struct jic_lease **lease)
{
	struct jic_error err = {0};
	JIC_AUTO(jic_session) struct jic_session *s = jic_session_open(o, &err);
	if (!s)
		return jic_cli_fail(&err);
	bool pushed = push(cli, s);
	give_back(lease);
	if (!jic_session_note_failed(s, &err))
		return jic_cli_fail(&err);
	JIC_AUTO(jic_report) struct jic_report *r = pull(cli, s, &err);
	if (!r)
		return jic_cli_fail(&err);
	name_missing(cli, r);
	return cli->require && (!pushed || jic_report_counts(r)->missing) ? JIC_EXIT_MISSING : JIC_EXIT_DONE;
}

/* For who compiles in a process of its own, and says by ending our standard input that it has. It has the report by
 * now; a second line says whether there is anything to publish with. */
static int hold(const struct jic_session *s)
{
	char dropped[256];
	puts(jic_session_can_publish(s) ? "publish" : "");
	fflush(stdout);
	while (fread(dropped, 1, sizeof dropped, stdin) > 0)
		;
	return JIC_EXIT_DONE;
}

static int compile(struct jic_cli *cli, struct jic_session *s, const struct jic_session_options *o,
                   const struct jic_report *r, struct jic_lease **lease)
{
	const struct jic_counts *c = jic_report_counts(r);
	if (c->missing + c->skipped == number(r, "hopeless")) {
		name_missing(cli, r);
		return (push(cli, s) && !c->missing) || !cli->require ? JIC_EXIT_DONE : JIC_EXIT_MISSING;
	}
	int status = run_julia(cli, s, o, lease);
	return status < 0 ? finish(cli, o, lease) : status;
}

int jic_cmd_precompile(struct jic_cli *cli)
{
	const bool holds = jic_options_has(cli->options, "hold");
	struct jic_lease *lease = NULL;
	struct jic_error err = {0};
	struct jic_session_options o;
	jic_cli_session_options(cli, &o);
	JIC_AUTO(jic_session) struct jic_session *s = jic_session_open(&o, &err);
	JIC_AUTO(jic_report) struct jic_report *r = s ? take_turn(cli, s, &lease, &err) : NULL;
	const int status = !r ? jic_cli_fail(&err) : holds ? hold(s) : compile(cli, s, &o, r, &lease);
	give_back(&lease);
	return status;
}
