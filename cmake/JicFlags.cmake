# jic_flags: what every target of ours is compiled with. Nothing is set globally but the language level.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(JIC_WERROR "Warnings are errors" ON)
set(JIC_SANITIZE "" CACHE STRING "Comma-separated sanitizers: address,undefined or thread")
option(JIC_COVERAGE "Instrument for gcov" OFF)

add_library(jic_flags INTERFACE)
target_compile_definitions(jic_flags INTERFACE _GNU_SOURCE JIC_VERSION="${PROJECT_VERSION}")
target_compile_options(jic_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wcast-qual -Wundef
  -fno-strict-aliasing
  # A fused multiply-add rounds once where Julia rounds twice: file times would differ in the last bit.
  -ffp-contract=off
  $<$<BOOL:${JIC_WERROR}>:-Werror>)
if(JIC_SANITIZE)
  target_compile_options(jic_flags INTERFACE -fsanitize=${JIC_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(jic_flags INTERFACE -fsanitize=${JIC_SANITIZE})
endif()
if(JIC_BUILD_FUZZERS)
  # The layers too: without their edges libFuzzer is blind and only throws dice.
  target_compile_options(jic_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(JIC_COVERAGE)
  target_compile_options(jic_flags INTERFACE --coverage -O0)
  target_link_options(jic_flags INTERFACE --coverage)
endif()
