# jic_layer(NAME SRC files… DEPS public… PRIVATE_DEPS private…): one static library of one layer.
# A file includes its neighbours with the folder in the name ("common/cursor.h"), so each line shows which layer it reaches;
# tests/lint checks that none reaches up or sideways.
function(jic_layer name)
  cmake_parse_arguments(A "" "" "SRC;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(jic_${name} STATIC ${A_SRC})
  target_include_directories(jic_${name} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}> $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/common/include>)
  target_link_libraries(jic_${name} PUBLIC ${A_DEPS} PRIVATE $<BUILD_INTERFACE:jic_flags> ${A_PRIVATE_DEPS})
endfunction()

# jic_unit_test(NAME SRC file LIBS layer…): a Criterion program. A leak makes LeakSanitizer print while Criterion passes,
# so its report is what fails the test.
function(jic_unit_test name)
  cmake_parse_arguments(A "" "" "SRC;LIBS" ${ARGN})
  add_executable(${name} ${A_SRC})
  target_link_libraries(${name} PRIVATE ${A_LIBS} jic_flags PkgConfig::CRITERION)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_definitions(${name} PRIVATE JIC_SOURCE_DIR="${CMAKE_SOURCE_DIR}" JIC_BINARY_DIR="${CMAKE_BINARY_DIR}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES
    LABELS unit TIMEOUT 300 FAIL_REGULAR_EXPRESSION "LeakSanitizer|AddressSanitizer|runtime error:|ThreadSanitizer")
endfunction()

# jic_fuzz_target(NAME LIBS layer…): from tests/fuzz/fuzz_NAME.c a libFuzzer program (clang) and, with any compiler, a replay
# of tests/fuzz/corpus/NAME as a plain test.
function(jic_fuzz_target name)
  cmake_parse_arguments(A "" "" "LIBS" ${ARGN})
  if(JIC_BUILD_FUZZERS)
    add_executable(fuzz_${name} fuzz_${name}.c)
    target_link_libraries(fuzz_${name} PRIVATE ${A_LIBS} jic_flags)
    target_compile_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  endif()
  add_executable(replay_${name} fuzz_${name}.c replay.c)
  target_link_libraries(replay_${name} PRIVATE ${A_LIBS} jic_flags)
  set_target_properties(replay_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  add_test(NAME fuzz_corpus_${name} COMMAND replay_${name} ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name})
  set_tests_properties(fuzz_corpus_${name} PROPERTIES LABELS fuzz TIMEOUT 300)
endfunction()
