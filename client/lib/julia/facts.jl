# Asked by client/lib/julia/facts_ask.c: prints what this Julia says of itself as one line of JSON behind a marker. Runs on 1.5 to 1.12.
# Uses Base only, so that no package gets loaded and Base.loaded_modules is what the system image provides.
module JICacheFacts

json(io::IO, s::AbstractString) = begin
    print(io, '"')
    for c in s
        if c == '"' || c == '\\'
            print(io, '\\', c)
        elseif c < ' ' || !isvalid(c)
            print(io, "\\u", string(isvalid(c) ? UInt32(c) : 0xfffd, base = 16, pad = 4))
        else
            print(io, c)
        end
    end
    print(io, '"')
end
json(io::IO, n::Integer) = print(io, n)
json(io::IO, list::Vector) = begin
    print(io, '[')
    for (i, x) in enumerate(list)
        i > 1 && print(io, ',')
        json(io, x)
    end
    print(io, ']')
end
json(io::IO, object::Tuple) = begin
    print(io, '{')
    for (i, (name, value)) in enumerate(object)
        i > 1 && print(io, ',')
        json(io, name)
        print(io, ':')
        json(io, value)
    end
    print(io, '}')
end

text(p) = p == C_NULL ? "" : unsafe_string(p)
or_nothing(f) = try
    f()
catch
    nothing
end

option(name) = name in fieldnames(Base.JLOptions) ? text(getfield(Base.JLOptions(), name)) : ""

# 1.9+: 128 bits, of which the upper half is the image's checksum.
build_id(m::Module) = string(Base.module_build_id(m), base = 16, pad = VERSION >= v"1.9-" ? 32 : 16)

function modules()
    list = Any[]
    for (id, m) in Base.loaded_modules
        # What a site's own options load besides is not in the image: 1.9+ marks the image's modules.
        VERSION >= v"1.9-" && (Base.module_build_id(m) >> 96) != 0xfdfcfbfa && continue
        push!(list, ("name" => id.name, "uuid" => id.uuid === nothing ? "" : string(id.uuid), "id" => build_id(m)))
    end
    return list
end

cache_flags() = VERSION >= v"1.9-" ? Int(ccall(:jl_cache_flags, UInt8, ())) : 0

# 1.10+ has it by name; in 1.9 LLVM is asked as Julia does.
function cpu_features()
    VERSION >= v"1.9-" || return ""
    found = or_nothing(() -> ccall(:jl_get_cpu_features, Ref{String}, ()))
    found === nothing || return found
    found = or_nothing(() -> unsafe_string(ccall(:LLVMGetHostCPUFeatures, Cstring, ())))
    return found === nothing ? "" : found
end

# 1.10+: what this session's own code is compiled for, and what it must not use, as package images say it.
function jit_target()
    VERSION >= v"1.10-" || return ""
    found = or_nothing(() -> ccall(:jl_reflect_clone_targets, Vector{UInt8}, ()))
    return found === nothing ? "" : bytes2hex(found)
end

# How it hashes what preferences hold: samples that tell one rule from another, and its own numbers of types (1.6+).
function hashes()
    types = or_nothing(() -> [getfield(Base.TOML, name).hash % UInt32 for name in (:Date, :Time, :DateTime)])
    samples = [hash(1, UInt(0)), hash(Any[], UInt(0)), hash(Any["a", 1, 1], UInt(0)), objectid(AbstractArray)]
    return String[string(UInt64(n), base = 16, pad = 16) for n in [samples; types === nothing ? [0, 0, 0] : types]]
end

function main()
    git = Base.GIT_VERSION_INFO
    io = IOBuffer()
    json(io, (
        "version" => string(VERSION),
        "branch" => string(git.branch),
        "commit" => string(git.commit),
        "uname" => string(Sys.KERNEL),
        "arch" => string(Sys.ARCH),
        "triplet" => string(Sys.MACHINE),
        "word_bits" => Sys.WORD_SIZE,
        "julia_bin" => option(:julia_bin),
        "image_file" => option(:image_file),
        "bindir" => string(Sys.BINDIR),
        "stdlib_dir" => string(Sys.STDLIB),
        "depot_path" => String[abspath(d) for d in DEPOT_PATH],
        "load_path" => String[string(p) for p in LOAD_PATH],
        "flags" => cache_flags(),
        "cpu_target" => get(ENV, "JULIA_CPU_TARGET", option(:cpu_target)),
        "existing_images" => VERSION >= v"1.11-" && Base.JLOptions().use_pkgimages == 2 ? 1 : 0,
        "session_target" => option(:cpu_target),
        "jit_target" => jit_target(),
        "cpu_name" => string(Sys.CPU_NAME),
        "cpu_features" => cpu_features(),
        "hashes" => hashes(),
        "modules" => modules(),
    ))
    println("\njicache-facts-1 ", String(take!(io)))
end

main()
end
