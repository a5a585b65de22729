"""
    JICache

Fetch Julia's precompile caches from a shared server before Julia would compile them.

In `~/.julia/config/startup.jl`:

    try
        using JICache
        JICache.enable()
    catch
    end

Nothing here throws: what goes wrong is said once, as a warning, and Julia compiles for itself. `ENV["JICACHE_DISABLE"] = "1"`
switches everything off. Only Base is used, so that loading this package compiles and loads nothing else.
"""
module JICache

# Before 1.9 no native code is kept: interpreting what runs once is quicker than compiling it at every start.
@static if VERSION < v"1.9-" && isdefined(Base.Experimental, Symbol("@compiler_options"))
    Base.Experimental.@compiler_options compile=min optimize=0 infer=false
end

include("client.jl")
include("hooks.jl")

# What the last pull of this session was about, so that it is not repeated for an environment that did not change.
const last_environment = Ref{Any}(nothing)
const warned = Ref(false)
const said = Set{String}()                 # warnings of reports: a server that is away is said once

disabled() = get(ENV, "JICACHE_DISABLE", "0") ∉ ("", "0") || generating_output()
generating_output() = ccall(:jl_generating_output, Cint, ()) != 0

"Run `f`; what it throws becomes one warning a session."
function softly(f)
    try
        return f()
    catch err
        err isa InterruptException && rethrow()
        warned[] || @warn "JICache: $(sprint(showerror, err))"
        warned[] = true
        return nothing
    end
end

"The environments and all that decides what their packages are: equal as long as a pull would find the same."
function environment()
    files = Any[]
    for path in [active_project(); Base.load_path()]
        push!(files, stamp(path))
        isfile(path) || continue
        for name in ("JuliaManifest.toml", "Manifest.toml", "Manifest-v$(VERSION.major).$(VERSION.minor).toml")
            push!(files, stamp(joinpath(dirname(path), name)))
        end
    end
    return (active_project(), copy(LOAD_PATH), copy(DEPOT_PATH), files)
end

"The active project's file; \"\" without one, as before anything was ever added to the default environment."
active_project() = (project = Base.active_project(); project !== nothing && isfile(project) ? project : "")
has_environment() = any(path -> path != Sys.STDLIB && ispath(path), Base.load_path())

stamp(path) = (s = stat(path); (path, mtime(s), filesize(s)))

function operate(operation::Symbol; quiet::Bool = false)
    disabled() && return nothing
    return softly() do
        has_environment() || return nothing
        report = Base.invokelatest(ask, operation)
        quiet || tell(report)
        report
    end
end

"Say what is worth a line: what was fetched, and warnings."
function tell(report)
    for text in setdiff(report.warnings, said)
        push!(said, text)
        @warn "JICache: $text"
    end
    report.fetched > 0 && @info "JICache: $(report.summary)"
    return nothing
end

"""
    JICache.pull()

Fetch what the active environment needs and has not, and put it where Julia takes it. Returns a named tuple (`packages`, `local`,
`fetched`, `missing`, `published`, `skipped`, `hopeless`, `server`, `warnings`, `summary`, `json`), or `nothing` when nothing could be done.
"""
function pull(; quiet::Bool = false)
    last_environment[] = softly(environment)
    return operate(:pull; quiet = quiet)
end

"""
    JICache.push()

Publish what Julia compiled and the server lacks; needs a token (`JICACHE_TOKEN`). Returns as `pull`.
"""
push() = operate(:push)

"""
    JICache.status()

What of the active environment is local, on the server, nowhere. Returns as `pull`.
"""
status() = operate(:status)

"""
    JICache.precompile()

`pull`, `Pkg.precompile()` when something is missing, `push` when there is a token. Returns what the last pull before compiling did.
Of machines that start together on the same packages each is compiled by one, and the others wait for it, as with `jicache
precompile`. What failed to compile is remembered: it is not tried again within an hour, unless it changes.
"""
function precompile()
    disabled() && return nothing
    turn = has_environment() ? softly(() -> Base.invokelatest(begin_turn)) : nothing
    turn === nothing || (last_environment[] = softly(environment); tell(turn.report))
    before = turn === nothing ? pull() : turn.report
    # What is hopeless counts as missing or skipped.
    trying = before === nothing || before.missing + before.skipped > before.hopeless
    try
        trying && compile()
        may_push = turn === nothing ? !isempty(get(ENV, "JICACHE_TOKEN", "")) : turn.publishes
        may_push && push()
    finally
        turn === nothing || softly(() -> Base.invokelatest(end_turn, turn))
    end
    trying && operate(:pull_compiled)
    return before
end

function compile()
    softly() do
        pkg = Base.require(Base.PkgId(Base.UUID("44cfe95a-1eb2-52ea-b672-e2afdf69b78f"), "Pkg"))
        # 1.7+ would instantiate first, which asks for registries and is for who installs packages.
        options = VERSION >= v"1.7" ? (already_instantiated = true,) : NamedTuple()
        Base.invokelatest(getfield(pkg, :precompile); options...)
    end
end

"Pull if the environment is not the one of the last pull. Returns whether anything was fetched."
function pull_if_changed()
    disabled() && return false
    now = softly(environment)
    (now === nothing || now == last_environment[]) && return false
    report = pull()
    return report !== nothing && report.fetched > 0
end

# What startup.jl calls is compiled with this package, as far as this Julia keeps native code (1.9+).
Base.precompile(enable, ())
Base.precompile(pull, ())
Base.precompile(pull_if_changed, ())
Base.precompile(ask, (Symbol,))
Base.precompile(report, (String,))
Base.precompile(before_input, (Expr,))

end
