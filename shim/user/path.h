// Which file of this host a script means by the target of a user-space probe.
#ifndef SHIM_USER_PATH_H
#define SHIM_USER_PATH_H

#include <stdint.h>

// `name` is a path, a program that PATH has, or a library that the dynamic linker's cache has ("libc", "libc.so.6"). With a `pid`
// a path is looked up in the file system that the process sees. Returns 0, or -ENOENT.
int user_path_find(const char *name, int pid, char *path, uint32_t size);

#endif
