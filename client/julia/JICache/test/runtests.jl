# Of JICache alone: no server, no network. A script in place of `jicache` says what it is asked and answers as told.
# With a real server and real packages: tests/e2e/test_hooks.py.
using JICache
using Test

const folder = mktempdir()
const asked = joinpath(folder, "asked")
const answer = joinpath(folder, "answer")
const fake = joinpath(folder, "jicache")
write(fake, """#!/bin/sh
printf '%s\\n' "\$@" > '$asked'
. '$answer'
""")
chmod(fake, 0o755)

says(script) = write(answer, script)
reports(json) = says("cat <<'END'\n$json\nEND\n")
forget() = (JICache.last_environment[] = nothing; JICache.warned[] = false; rm(asked, force = true))

# As if this Julia could not share a process with libjicache.
through_program(f) = withenv(f, "JICACHE_LIBRARY" => joinpath(folder, "no-such-library"), "JICACHE_PROGRAM" => fake,
                             "JICACHE_DISABLE" => nothing, "JICACHE_TOKEN" => nothing)

const PULLED = """{"command":"pull","packages":5,"local":2,"fetched":3,"missing":0,"skipped":1,"server":"reached","warnings":["a \\"b\\" c"]}"""

@testset "a report has its counts, server and warnings" begin
    report = JICache.report(PULLED)
    @test (report.packages, report.local, report.fetched, report.missing, report.skipped) == (5, 2, 3, 0, 1)
    @test report.server == "reached"
    @test report.warnings == ["a \"b\" c"]
    @test report.json == PULLED
    @test JICache.report("{}").server == "unused"
end

@testset "the client is told of this Julia and its active project" begin
    through_program() do
        forget()
        reports(PULLED)
        report = JICache.pull(quiet = true)
        @test report !== nothing && report.fetched == 3
        words = readlines(asked)
        @test words[1] == "pull"
        @test words[findfirst(==("--project"), words) + 1] == Base.active_project()
        @test words[findfirst(==("--julia"), words) + 1] == JICache.julia_program()
        JICache.status()
        @test first(readlines(asked)) == "status"
        JICache.push()
        @test first(readlines(asked)) == "push"
    end
end

@testset "a LOAD_PATH that this session changed is passed on" begin
    saved = copy(LOAD_PATH)
    try
        withenv("JULIA_LOAD_PATH" => nothing) do
            copy!(LOAD_PATH, Base.DEFAULT_LOAD_PATH)
            @test JICache.changed_load_path() == ()
            push!(LOAD_PATH, folder)
            @test JICache.changed_load_path() == ("JULIA_LOAD_PATH" => join([Base.DEFAULT_LOAD_PATH; folder], ':'),)
        end
        withenv("JULIA_LOAD_PATH" => "@:$folder") do
            copy!(LOAD_PATH, ["@", folder])
            @test JICache.changed_load_path() == ()
        end
    finally
        copy!(LOAD_PATH, saved)
    end
end

@testset "options of this Julia that caches depend on are passed on, quoted" begin
    @test JICache.quoted("a b") == "'a b'"
    @test JICache.quoted("it's") == "'it'\\''s'"
    plain = `$(Base.julia_cmd()[1]) --startup-file=no --project=$(Base.active_project())`
    code = "push!(LOAD_PATH, $(repr(dirname(dirname(pathof(JICache))))));" *
           "using JICache; print(join(JICache.julia_args(), \" \"))"
    @test read(`$plain -e $code`, String) == ""
    @test read(`$plain --check-bounds=yes -O3 -g2 --inline=no -e $code`, String) ==
          "--optimize=3 -g2 --check-bounds=yes --inline=no"
end

@testset "an environment is pulled once, until it changes" begin
    through_program() do
        forget()
        reports(PULLED)
        @test JICache.pull_if_changed()
        rm(asked)
        @test !JICache.pull_if_changed()
        @test !isfile(asked)
        @test JICache.before_input(:(using Foo)) == :(using Foo)
        @test !isfile(asked)
        project = mktempdir()
        write(joinpath(project, "Project.toml"), "[deps]\n")
        before = Base.ACTIVE_PROJECT[]
        Base.ACTIVE_PROJECT[] = project
        try
            JICache.before_input(:(using Foo))
            words = readlines(asked)
            @test realpath(words[findfirst(==("--project"), words) + 1]) == realpath(joinpath(project, "Project.toml"))
            rm(asked)
            write(joinpath(project, "Manifest.toml"), "\n")
            @test JICache.pull_if_changed()
        finally
            Base.ACTIVE_PROJECT[] = before
        end
    end
end

@testset "what goes wrong is one warning, and nothing is thrown" begin
    through_program() do
        forget()
        says("echo 'jicache: no such thing' >&2; exit 1\n")
        @test (@test_logs (:warn, r"no such thing") JICache.pull()) === nothing
        @test (@test_logs JICache.pull()) === nothing
        forget()
        says("echo not json\n")
        @test JICache.pull(quiet = true).packages == 0
        forget()
        says("kill -9 \$\$\n")
        @test (@test_logs (:warn,) JICache.pull()) === nothing
    end
    withenv("JICACHE_LIBRARY" => joinpath(folder, "no"), "JICACHE_PROGRAM" => nothing, "PATH" => folder * "/none") do
        forget()
        @test (@test_logs (:warn, r"JICACHE_LIBRARY") JICache.pull()) === nothing
        @test (@test_logs JICache.status()) === nothing
    end
end

@testset "what a report warns of is said once a session" begin
    through_program() do
        empty!(JICache.said)
        reports(replace(PULLED, "\"fetched\":3" => "\"fetched\":0"))
        @test (@test_logs (:warn, r"a \"b\" c") JICache.pull()) !== nothing
        @test (@test_logs JICache.pull()) !== nothing
    end
end

@testset "what would fail to compile again is not tried" begin
    through_program() do
        forget()
        reports(replace(PULLED, "\"missing\":0" => "\"missing\":2,\"hopeless\":3"))
        @test JICache.precompile().hopeless == 3
        @test readlines(asked)[1:2] == ["precompile", "--hold"] && "--compiled" ∉ readlines(asked)
        JICache.operate(:pull_compiled)
        @test readlines(asked)[1:2] == ["pull", "--compiled"]
    end
end

@testset "a turn lasts until it is ended, and says whether to publish" begin
    through_program() do
        forget()
        ended = joinpath(folder, "ended")
        says("echo '$PULLED'\necho publish\ncat\necho > '$ended'\n")
        turn = JICache.begin_turn()
        @test turn.report.fetched == 3 && turn.publishes
        @test process_running(turn.process) && !isfile(ended)
        JICache.end_turn(turn)
        @test isfile(ended)
        says("echo 'jicache: no such option' >&2; exit 2\n")
        @test JICache.begin_turn() === nothing
    end
end

@testset "JICACHE_DISABLE switches everything off" begin
    through_program() do
        withenv("JICACHE_DISABLE" => "1") do
            forget()
            @test JICache.pull() === nothing
            @test JICache.enable() === nothing
            @test !JICache.enabled[]
            @test !isfile(asked)
        end
    end
end

@testset "the package that is about to be compiled is known from Julia's closure" begin
    wanted, other = Base.PkgId(Base.UUID(1), "Wanted"), Base.PkgId(Base.UUID(2), "Other")
    compile(pkg, others...) = () -> (pkg, others)
    @test JICache.package_of(compile(other, 1, "x"), "/depot/compiled/v1.12/Wanted/abcde_12345.ji.pidfile") === nothing
    closure = let a = other, b = wanted
        () -> (a, b)
    end
    @test JICache.package_of(closure, "/depot/compiled/v1.12/Wanted/abcde_12345.ji.pidfile") == wanted
end

@testset "enable pulls, and puts itself before what was there" begin
    through_program() do
        forget()
        reports(replace(PULLED, "\"fetched\":3" => "\"fetched\":0"))
        @test JICache.enable() === nothing
        @test first(readlines(asked)) == "pull"
        if isdefined(Base, :trymkpidlock_hook)
            ran = Ref(false)
            pidfile = joinpath(folder, "some.pidfile")
            @test Base.invokelatest(Base.trymkpidlock_hook, () -> (ran[] = true; "made"), pidfile; stale_age = 10) == "made"
            @test ran[]
        end
        # A failing client does not keep Julia from compiling.
        forget()
        says("exit 1\n")
        if isdefined(Base, :trymkpidlock_hook)
            pidfile = joinpath(folder, "other.pidfile")
            made = @test_logs (:warn,) Base.invokelatest(Base.trymkpidlock_hook, () -> "made", pidfile; stale_age = 10)
            @test made == "made"
        end
    end
end
