# pad.jl SIZES < paths: make cache files as large as a real environment's. For each path of a .ji on standard input, the size in
# bytes is on the same line of the file SIZES. Up to Julia 1.8 the serialized data grow (the source text after them moves), later
# the image does; the checksums are made anew, so that the files stay what Julia and jicache accept as whole.

# zstd -3 makes about a fifth of it: some noise, then a copy of what was there before.
function filling(size, seed)
    bytes = Vector{UInt8}(undef, size)
    state = UInt64(seed) * 0x9e3779b97f4a7c15 | 1
    for i in 1:size
        if i > 4096 && (i >> 6) % 5 != 0
            bytes[i] = bytes[i-4096+((i>>6)&1)*64]
        else
            state ⊻= state << 13; state ⊻= state >> 7; state ⊻= state << 17
            bytes[i] = state % UInt8
        end
    end
    return bytes
end

le(x) = reinterpret(UInt8, [x])
at(bytes, position, T) = reinterpret(T, bytes[position:position+sizeof(T)-1])[1]
with_crc(bytes) = vcat(bytes, le(Base._crc32c(bytes)))

# Position of the field `srctextpos`, the last of the dependency block.
function srctextpos(bytes)
    position = 8 + 2 + 2 + 1 + 1
    for _ in 1:5
        position = findnext(isequal(0x00), bytes, position) + 1
    end
    while (len = at(bytes, position, Int32)) != 0
        position += 4 + len + 24
    end
    return position + 4 + 8 + Int(at(bytes, position + 4, UInt64)) - 8
end

function pad_data(path, size, seed)
    bytes = read(path)[1:end-4]
    field = srctextpos(bytes)
    text = Int(at(bytes, field, UInt64))
    extra = max(0, size - length(bytes) - 4)
    bytes[field:field+7] = le(UInt64(text + extra))
    return write(path, with_crc(vcat(bytes[1:text], filling(extra, seed), bytes[text+1:end])))
end

function pad_image(path, size, seed)
    image = path[1:end-2] * "so"
    bytes = read(image)
    bytes = vcat(bytes, filling(max(0, size - length(bytes) - filesize(path)), seed))
    write(image, bytes)
    write(path, with_crc(vcat(read(path)[1:end-8], le(Base._crc32c(bytes)))))
end

for (seed, (path, size)) in enumerate(zip(eachline(stdin), eachline(ARGS[1])))
    VERSION < v"1.9-" ? pad_data(path, parse(Int, size), seed) : pad_image(path, parse(Int, size), seed)
end
