/* What the parts of the library for LD_PRELOAD share (syscalls.c says how it is used). */
#ifndef JIC_TESTS_SYSCALLS_H
#define JIC_TESTS_SYSCALLS_H

#include <stdbool.h>

/* Counts one call of that name. @return whether it is to fail; errno is set, to 0 where it is to do half of its work */
bool jic_syscall_fails(const char *name);

#endif
