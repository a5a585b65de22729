# jic_dashboard(OUT): the C source with the dashboard's files, made from server/dashboard by Node.js; without it one that has none.
# JIC_DASHBOARD: AUTO builds it where node and npm are and the packages of package-lock.json can be had, ON insists, OFF does not.
set(JIC_DASHBOARD AUTO CACHE STRING "Build the dashboard with Node.js: AUTO, ON or OFF")
set_property(CACHE JIC_DASHBOARD PROPERTY STRINGS AUTO ON OFF)

# npm ci into the build directory, once for each content of the lock file. → JIC_DASHBOARD_READY
function(jic_dashboard_packages from into)
  file(SHA256 ${from}/package-lock.json lock)
  set(stamp ${into}/packages-${lock})
  if(NOT EXISTS ${stamp})
    file(COPY ${from}/package.json ${from}/package-lock.json DESTINATION ${into})
    execute_process(COMMAND ${JIC_NPM} ci --ignore-scripts --no-audit --no-fund WORKING_DIRECTORY ${into}
      RESULT_VARIABLE failed OUTPUT_QUIET ERROR_VARIABLE said)
    if(failed)
      message(STATUS "Dashboard: npm ci did not work: ${said}")
    else()
      file(TOUCH ${stamp})
    endif()
  endif()
  if(EXISTS ${stamp})
    set(JIC_DASHBOARD_READY ON PARENT_SCOPE)
  endif()
endfunction()

function(jic_dashboard out)
  set(from ${CMAKE_SOURCE_DIR}/server/dashboard)
  set(into ${CMAKE_BINARY_DIR}/dashboard)
  set(${out} ${CMAKE_SOURCE_DIR}/server/http/dashboard_none.c PARENT_SCOPE)
  if(JIC_DASHBOARD STREQUAL "OFF")
    return()
  endif()
  find_program(JIC_NODE node)
  find_program(JIC_NPM npm)
  if(JIC_NODE AND JIC_NPM)
    jic_dashboard_packages(${from} ${into})
  endif()
  if(NOT JIC_DASHBOARD_READY)
    if(JIC_DASHBOARD STREQUAL "ON")
      message(FATAL_ERROR "JIC_DASHBOARD=ON needs node, npm and the packages of server/dashboard/package-lock.json")
    endif()
    message(STATUS "Dashboard: not built; jicached's first page says how to get it")
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${from}/src/*)
  # The compiler of types looks for packages beside what it reads; the bundler asks it for nothing and takes types away.
  file(CREATE_LINK ${from}/src ${into}/src SYMBOLIC)
  file(CREATE_LINK ${from}/tsconfig.json ${into}/tsconfig.json SYMBOLIC)
  add_custom_command(OUTPUT ${into}/assets.c
    COMMAND ${JIC_NODE} ${into}/node_modules/typescript/bin/tsc --noEmit --preserveSymlinks -p ${into}
    COMMAND ${CMAKE_COMMAND} -E env JIC_NODE_MODULES=${into}/node_modules ${JIC_NODE} ${from}/build.mjs ${into}/assets.c
    DEPENDS ${from}/build.mjs ${from}/package-lock.json ${from}/tsconfig.json ${sources}
    COMMENT "Dashboard" VERBATIM)
  set(${out} ${into}/assets.c PARENT_SCOPE)
endfunction()
