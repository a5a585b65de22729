/**
 * The environment that Pkg.test makes for the active project's package: a sandbox whose project is test/Project.toml
 * with the package itself, or the package's dependencies with [extras] and [targets].test, and whose manifest is the
 * active one with what only test/Manifest.toml has (Pkg: src/Operations.jl, test, gen_target_project, sandbox). Only
 * that is in its LOAD_PATH. On 1.12+ a test/ that is a member of the workspace is an environment of its own.
 *
 * Here the sandbox is made in memory; no file is written.
 */
#ifndef JIC_CLIENT_TEST_TARGET_H
#define JIC_CLIENT_TEST_TARGET_H

#include "client/lib/environment/environment.h"
#include "client/lib/environment/preferences.h"

/**
 * Make the environment and the preferences of the package's tests from those that are active.
 * @param e           as jic_environment_open() left it; warned of is each test dependency that no manifest has
 * @param preferences of that environment
 * @return false with JIC_EUSAGE (the active project is no package), JIC_EFORMAT (names file and line), JIC_ELIMIT,
 * JIC_EIO, JIC_EMEMORY
 */
jic_must_check bool jic_test_target_apply(struct jic_environment *e, struct jic_preferences *preferences,
                                          struct jic_error *err);

#endif
