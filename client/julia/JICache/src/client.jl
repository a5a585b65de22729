# The two ways to the client, with one report: libjicache in this process, or the program `jicache`.
#
# libjicache stands on the system's libcrypto.so.3, libzstd.so.1 and libsqlite3.so.0, and loads libcurl.so.4 when a server is
# asked. A Julia that brings libraries of these names of its own can't share a process with them: the dynamic linker gives
# everybody whichever came first (JuliaLang/julia#48377 shows how that ends). The libssl.so.3 of Julia 1.12, or of OpenSSL_jll,
# asks for symbols that an older system's libcrypto lacks, and then neither Pkg nor HTTP.jl can download; the other way
# round, Julia's libcurl up to 1.11 (mbedTLS) doesn't know the system's certificates. That libcurl is loaded late changes
# neither. So the program is asked there, which needs no more than a few milliseconds to start. A Julia that uses the
# system's libcurl has the same libraries in its process as we bring.

# struct jic_session_options of jicache/jicache.h: pointers, NULL where the setting or its default applies.
struct SessionOptions
    url::Cstring
    token::Cstring
    lane::Cstring
    project::Cstring
    julia::Cstring
    julia_args::Cstring
    depot::Cstring
    progress::Ptr{Cvoid}
    progress_context::Ptr{Cvoid}
    target::Cstring
    script::Cstring
    ca_file::Cstring
    client_certificate::Cstring
    client_key::Cstring
end

# struct jic_error of jicache/error.h
struct Failure
    code::Cint
    sys::Cint
    text::NTuple{480,UInt8}
end
Failure() = Failure(0, 0, ntuple(_ -> 0x00, 480))
message(f::Failure) = String(collect(Iterators.takewhile(!=(0x00), f.text)))

const OPERATIONS = (pull = :jic_session_pull, push = :jic_session_push, status = :jic_session_status,
                    pull_compiled = :jic_session_pull)
const WORDS = (pull = `pull`, push = `push`, status = `status`, pull_compiled = `pull --compiled`)

# Base has it from 1.6 on; before, it is in every system image.
const Libdl = isdefined(Base.Libc, :Libdl) ? Base.Libc.Libdl :
              Base.root_module(Base.PkgId(Base.UUID("8f399da3-3557-5675-b5ff-fb832c97cbdb"), "Libdl"))

# ---- this session, as the client is told of it

julia_program() = joinpath(Sys.BINDIR, Base.julia_exename())

function option_text(name::Symbol)
    name in fieldnames(Base.JLOptions) || return ""
    pointer = getfield(Base.JLOptions(), name)
    return pointer == C_NULL ? "" : unsafe_string(pointer)
end
option_number(name::Symbol) = name in fieldnames(Base.JLOptions) ? Int(getfield(Base.JLOptions(), name)) : nothing

# src/jloptions.c: which number stands for which word
const NUMBERS = (
    (:opt_level, "--optimize=", Dict(0 => "0", 1 => "1", 3 => "3")),
    (:debug_level, "-g", Dict(0 => "0", 2 => "2")),
    (:check_bounds, "--check-bounds=", Dict(1 => "yes", 2 => "no")),
    (:can_inline, "--inline=", Dict(0 => "no")),
    (:use_pkgimages, "--pkgimages=", Dict(0 => "no")),
    (:code_coverage, "--code-coverage=", Dict(1 => "user", 2 => "all")),
    (:malloc_log, "--track-allocation=", Dict(1 => "user", 2 => "all")),
)

"The options of this Julia that caches depend on, as words; none for a Julia that was started plainly."
function julia_args()
    args = String[]
    image = option_text(:image_file)
    isempty(image) || is_default_image(image) || push!(args, "--sysimage=" * abspath(image))
    target = option_text(:cpu_target)
    target in ("", "native") || push!(args, "--cpu-target=" * target)
    for (name, option, words) in NUMBERS
        word = get(words, option_number(name), nothing)
        word === nothing || push!(args, option * word)
    end
    return args
end

function is_default_image(image)
    default = joinpath(Sys.BINDIR, Base.PRIVATE_LIBDIR, "sys." * Libdl.dlext)
    return !ispath(image) || (ispath(default) && realpath(image) == realpath(default))
end

# Before startup.jl is read it has its value: what "@script" in LOAD_PATH stands for.
program_file() = isfile(PROGRAM_FILE) ? abspath(PROGRAM_FILE) : ""

# As jic_session_options.julia_args is split: '…' keeps every byte but '.
quoted(word) = "'" * replace(word, "'" => "'\\''") * "'"

# ---- which way

"The path or name that opens libjicache; `nothing`: not in this process."
function library()
    brings_own_libraries() && return nothing
    given = get(ENV, "JICACHE_LIBRARY", "")
    for name in (isempty(given) ? ("libjicache.so.0", "libjicache") : (given,))
        Libdl.dlopen_e(name) == C_NULL || return name
    end
    return nothing
end

"Does this Julia come with a libcurl of its own (a file, not a link to the system's)?"
function brings_own_libraries()
    folder = abspath(joinpath(Sys.BINDIR, Base.PRIVATE_LIBDIR))
    isdir(folder) || return false
    mine(name) = dirname(realpath(joinpath(folder, name))) == realpath(folder)
    return any(name -> startswith(name, "libcurl.") && ispath(joinpath(folder, name)) && mine(name), readdir(folder))
end

"The program: `JICACHE_PROGRAM`, the one installed with `JICACHE_LIBRARY`, else `jicache` on PATH."
function program()
    given = get(ENV, "JICACHE_PROGRAM", "")
    isempty(given) || return given
    installed = joinpath(dirname(dirname(abspath(get(ENV, "JICACHE_LIBRARY", "")))), "bin", "jicache")
    return haskey(ENV, "JICACHE_LIBRARY") && isfile(installed) ? installed : Sys.which("jicache")
end

"Do one operation for the active environment. Throws when it could not be done."
function ask(operation::Symbol)
    return withenv(changed_load_path()...) do
        name = library()
        name === nothing || return report(ask_library(Libdl.dlopen(name), operation))
        path = program()
        path === nothing && error("neither libjicache nor the program jicache can be found; set JICACHE_LIBRARY or JICACHE_PROGRAM")
        return report(ask_program(path, operation))
    end
end

# The client starts from JULIA_LOAD_PATH; a startup.jl may have changed LOAD_PATH since.
function changed_load_path()
    given = get(ENV, "JULIA_LOAD_PATH", nothing)
    plain = given === nothing ? Base.DEFAULT_LOAD_PATH : Base.parse_load_path(given)
    LOAD_PATH == plain && return ()
    return ("JULIA_LOAD_PATH" => join(LOAD_PATH, Sys.iswindows() ? ';' : ':'),)
end

# ---- in this process

function ask_library(handle::Ptr{Cvoid}, operation::Symbol)
    symbol(name) = Libdl.dlsym(handle, name)
    project, julia = active_project(), julia_program()
    args = join(map(quoted, julia_args()), " ")
    failure = Ref(Failure())
    script = program_file()
    GC.@preserve project julia args script begin
        text(s) = Base.unsafe_convert(Cstring, s)
        null = Cstring(C_NULL)
        options = Ref(SessionOptions(null, null, null, text(project), text(julia), text(args), null, C_NULL, C_NULL, null,
                                     isempty(script) ? null : text(script), null, null, null))
        session = ccall(symbol(:jic_session_open), Ptr{Cvoid}, (Ref{SessionOptions}, Ref{Failure}), options, failure)
    end
    session == C_NULL && error(message(failure[]))
    try
        if operation === :pull_compiled
            noted = ccall(symbol(:jic_session_note_failed), Bool, (Ptr{Cvoid}, Ref{Failure}), session, failure)
            noted || error(message(failure[]))
        end
        found = ccall(symbol(OPERATIONS[operation]), Ptr{Cvoid}, (Ptr{Cvoid}, Ref{Failure}), session, failure)
        found == C_NULL && error(message(failure[]))
        json = unsafe_string(ccall(symbol(:jic_report_json), Cstring, (Ptr{Cvoid},), found))
        ccall(symbol(:jic_report_free), Cvoid, (Ptr{Cvoid},), found)
        return json
    finally
        ccall(symbol(:jic_session_free), Cvoid, (Ptr{Cvoid},), session)
    end
end

# ---- the program

function ask_program(path::AbstractString, operation::Symbol)
    out, complaints = IOBuffer(), IOBuffer()
    command = ignorestatus(`$(client_command(path, WORDS[operation])) --json`)
    process = run(pipeline(command; stdin = devnull, stdout = out, stderr = complaints))
    success(process) || error(strip(String(take!(complaints))))
    return String(take!(out))
end

function client_command(path::AbstractString, words::Cmd)
    args = join(map(quoted, julia_args()), " ")
    command = `$path $words --quiet --project $(active_project()) --julia $(julia_program())`
    isempty(args) || (command = `$command --julia-args $args`)
    isempty(program_file()) || (command = `$command --script $(program_file())`)
    return command
end

# ---- taking turns with other machines: the program lets them wait until its input ends

"Wait until nobody else compiles what is missing here, and pull. `nothing` without the program: then nobody is waited for."
function begin_turn()
    path = program()
    path === nothing && return nothing
    process = withenv(changed_load_path()...) do
        open(pipeline(client_command(path, `precompile --hold`); stderr = stderr), "r+")
    end
    json, word = readline(process), readline(process)
    turn = (process = process, report = report(json), publishes = word == "publish")
    isempty(json) || return turn
    end_turn(turn)
    return nothing
end

end_turn(turn) = (close(turn.process.in); wait(turn.process))

# ---- the report

"The counts of a report, by its top-level fields; a full parser for the rest is the caller's (`json`)."
function report(json::AbstractString)
    count(name) = (m = match(Regex("\"$name\":\\s*(\\d+)"), json); m === nothing ? 0 : parse(Int, m[1]))
    server = match(r"\"server\":\s*\"(\w+)\"", json)
    warnings = match(r"\"warnings\":\s*\[((?:\s*\"(?:[^\"\\]|\\.)*\",?)*)\s*\]", json)
    sentences = warnings === nothing ? String[] : [unescape(m[1]) for m in eachmatch(r"\"((?:[^\"\\]|\\.)*)\"", warnings[1])]
    packages, here, fetched = count("packages"), count("local"), count("fetched")
    missing_ = occursin("\"missing\":", json) ? count("missing") : packages - here - fetched
    summary = "$packages packages: $here local, $fetched fetched, $missing_ missing"
    return (packages = packages, var"local" = here, fetched = fetched, missing = missing_, published = count("published"),
            skipped = count("skipped"), hopeless = count("hopeless"), server = server === nothing ? "unused" : String(server[1]), warnings = sentences,
            summary = summary, json = String(json))
end

unescape(text) = replace(replace(replace(text, "\\\"" => "\""), "\\/" => "/"), "\\\\" => "\\")
