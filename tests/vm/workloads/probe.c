/*
 * What the harness's own tests do in the machine:
 *
 *   print WORD...   prints its arguments, a line each, and its user id on standard error; exits with 3
 *   getenv NAME     prints a variable, and its user id on standard error
 *   count N         prints the numbers from 0 to N - 1
 *   sleep           prints "ready" and sleeps until a signal comes
 *   leave-map       pins a BPF map, so that it outlives the process, and prints "ready"
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int map_leave(void)
{
	/* the parts of union bpf_attr for BPF_MAP_CREATE (0) and BPF_OBJ_PIN (6) */
	struct {
		uint32_t type, key_size, value_size, max_entries;
	} create = {.type = 2 /* BPF_MAP_TYPE_ARRAY */, .key_size = 4, .value_size = 4, .max_entries = 1};
	struct {
		uint64_t path;
		uint32_t fd, flags;
	} pin = {.path = (uintptr_t)"/sys/fs/bpf/left"};
	long fd = syscall(SYS_bpf, 0, &create, sizeof(create));

	pin.fd = (uint32_t)fd;
	return fd < 0 || syscall(SYS_bpf, 6, &pin, sizeof(pin)) < 0;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	fprintf(stderr, "uid %d\n", (int)getuid());
	if (strcmp(command, "print") == 0) {
		for (int i = 0; i < argc; i++)
			puts(argv[i]);
		return 3;
	}
	if (strcmp(command, "getenv") == 0 && argc == 3) {
		const char *value = getenv(argv[2]);

		puts(value ? value : "(unset)");
		return 0;
	}
	if (strcmp(command, "count") == 0 && argc == 3) {
		for (int i = 0; i < atoi(argv[2]); i++)
			printf("%d\n", i);
		return 0;
	}
	if (strcmp(command, "leave-map") == 0 && map_leave())
		return 1;
	puts("ready");
	fflush(stdout);
	if (strcmp(command, "sleep") == 0)
		pause();
	return 0;
}
