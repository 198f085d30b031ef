# cmake -D COMPILER=… -D SOURCE=… -D INCLUDE_DIR=… -P must_not_compile.cmake
# The sentence to be found is on the source's first line, after "// Expected: ".
file(READ ${SOURCE} text)
if(NOT text MATCHES "^// Expected: ([^\n]+)\n")
  message(FATAL_ERROR "${SOURCE} does not begin with \"// Expected: \" and a sentence")
endif()
set(sentence "${CMAKE_MATCH_1}")

set(compile ${COMPILER} -std=c++20 -fsyntax-only -I${INCLUDE_DIR} ${SOURCE})
execute_process(COMMAND ${compile} RESULT_VARIABLE result ERROR_VARIABLE diagnostics)
if(NOT result EQUAL 0)
  message("${diagnostics}")
  message(FATAL_ERROR "does not compile even without its mistake")
endif()

execute_process(COMMAND ${compile} -DDFORMER_WRONG RESULT_VARIABLE result ERROR_VARIABLE diagnostics)
if(result EQUAL 0)
  message(FATAL_ERROR "compiles with its mistake; expected: ${sentence}")
endif()
string(FIND "${diagnostics}" "${sentence}" found)
if(found EQUAL -1)
  message("${diagnostics}")
  message(FATAL_ERROR "fails without saying: ${sentence}")
endif()
