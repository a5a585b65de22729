/* Read from the environment, best effort: shown to people, trusted by nobody. */
#include "client/lib/session/provenance.h"

#include <pwd.h>
#include <time.h>
#include <unistd.h>

static const char *variable(const char *name)
{
	const char *value = getenv(name);
	return value ? value : "";
}

static struct jic_view host(struct jic_arena *arena)
{
	char name[256] = "";
	if (gethostname(name, sizeof name - 1) != 0)
		name[0] = '\0';
	return jic_arena_copy(arena, jic_view_of(name));
}

static struct jic_view user(struct jic_arena *arena)
{
	struct passwd entry, *found = NULL;
	char space[4096];
	if (getpwuid_r(geteuid(), &entry, space, sizeof space, &found) == 0 && found)
		return jic_arena_copy(arena, jic_view_of(found->pw_name));
	return jic_arena_copy(arena, jic_view_of(variable("USER")));
}

/* GitHub gives parts; GitLab, Buildkite and Jenkins a whole address; Slurm a number. */
static struct jic_view run(struct jic_arena *arena)
{
	static const char *const addresses[] = {"CI_JOB_URL", "BUILDKITE_BUILD_URL", "BUILD_URL"};
	if (*variable("GITHUB_RUN_ID"))
		return jic_arena_printf(arena, "%s/%s/actions/runs/%s", variable("GITHUB_SERVER_URL"),
		                        variable("GITHUB_REPOSITORY"), variable("GITHUB_RUN_ID"));
	for (size_t i = 0; i < JIC_COUNT(addresses); i++)
		if (*variable(addresses[i]))
			return jic_arena_copy(arena, jic_view_of(variable(addresses[i])));
	if (*variable("SLURM_JOB_ID"))
		return jic_arena_printf(arena, "slurm:%s", variable("SLURM_JOB_ID"));
	return JIC_VIEW("");
}

void jic_provenance_here(struct jic_arena *arena, struct jic_msg_provenance *out)
{
	*out = (struct jic_msg_provenance){
	    .host = host(arena),
	    .user = user(arena),
	    .run = run(arena),
	    .client = JIC_VIEW("jicache " JIC_VERSION),
	    .created_s = (uint64_t)time(NULL),
	};
}
