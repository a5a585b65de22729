# When to pull without being asked. Each hook calls what was there before it, and fails soft.

const enabled = Ref(false)
const fetched_here = Ref(false)            # a pull from within Julia's lock hook fetched something
const answered = Set{String}()             # pidfiles that were answered with "is there now"
const hook_lock = ReentrantLock()

"""
    JICache.enable()

For `startup.jl`: pull for the active project now, and again when another one is active or its manifest changed:

- before each input of the REPL is evaluated, and of a notebook on Julia 1.10 before it precompiles;
- on Julia 1.10 and later just before Julia compiles a package by itself (on 1.11 Julia goes past this hook when it compiles
  several at once: a script that activates another project should call `JICache.pull()`).
"""
function enable()
    (enabled[] || disabled()) && return nothing
    enabled[] = true
    softly(hook_repl)
    softly(hook_pkg)
    softly(hook_lock_file)
    softly(hook_active_project)
    pull_if_changed()
    return nothing
end

# ---- the REPL

# Pkg.activate() tells nobody, so the active project is looked at before an input is evaluated: a few stat() calls.
function before_input(ast)
    pull_if_changed()
    return ast
end

function hook_repl()
    # Julia 1.12 has the name before there is a backend.
    backend = isdefined(Base, :active_repl_backend) ? Base.active_repl_backend : nothing
    if backend !== nothing
        pushfirst!(backend.ast_transforms, before_input)
    else
        atreplinit(hook_repl_at_start)
    end
end

# Called before the backend copies the defaults.
function hook_repl_at_start(repl)
    softly() do
        frontend = parentmodule(typeof(repl))
        isdefined(frontend, :repl_ast_transforms) && pushfirst!(getfield(frontend, :repl_ast_transforms), before_input)
    end
end

# ---- Pkg, 1.10 (interactive `using` of what has no cache)

function hook_pkg()
    isdefined(Base, :PKG_PRECOMPILE_HOOK) && isassigned(Base.PKG_PRECOMPILE_HOOK) || return
    original = Base.PKG_PRECOMPILE_HOOK[]
    Base.PKG_PRECOMPILE_HOOK[] = (arguments...; options...) -> begin
        pull_if_changed()
        original(arguments...; options...)
    end
end

# ---- 1.8+: Base.set_active_project

function hook_active_project()
    isdefined(Base, :active_project_callbacks) && push!(Base.active_project_callbacks, () -> (pull_if_changed(); nothing))
end

# ---- Julia's lock file, 1.10+ (base/loading.jl:maybe_cachefile_lock)

function hook_lock_file()
    isdefined(Base, :trymkpidlock_hook) || return
    original = Base.trymkpidlock_hook
    replacement = (f, pidfile; options...) -> begin
        before_compiling(f, pidfile) ? nothing : original(f, pidfile; options...)
    end
    Core.eval(Base, Expr(:(=), :trymkpidlock_hook, QuoteNode(replacement)))
end

# Several tasks come here at once when Julia compiles in parallel: the first pulls, the others wait for it.
# @return may Julia search again instead of compiling? At most once a package, so that no search goes on for ever.
function before_compiling(f, pidfile)
    there = softly() do
        lock(hook_lock) do
            fetched_here[] |= pull_if_changed()
            # Up to 1.11 what is called under the lock searches again by itself.
            VERSION >= v"1.12-" && fetched_here[] && !(pidfile in answered) || return false
            push!(answered, pidfile)
            is_there(f, pidfile)
        end
    end
    return there === true
end

# The closure that Julia would run under the lock has captured which package it compiles, under a name that varies; the pidfile
# is in the folder of that package.
function package_of(f, pidfile)
    name = basename(dirname(pidfile))
    for i in 1:nfields(f)
        isdefined(f, i) || continue
        pkg = getfield(f, i)
        pkg isa Base.PkgId && pkg.name == name && return pkg
    end
    return nothing
end

function is_there(f, pidfile)
    pkg = package_of(f, pidfile)
    return pkg !== nothing && Base.isprecompiled(pkg)
end
