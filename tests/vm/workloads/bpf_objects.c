/*
 * Prints what the kernel has of BPF and of its probe events, a line each: "program ID", "map ID", "link ID", and the
 * lines of the files of tracefs that list probes and functions that are traced.
 */
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	int command;
	const char *name;
} KINDS[] = {
	{11 /* BPF_PROG_GET_NEXT_ID */, "program"},
	{12 /* BPF_MAP_GET_NEXT_ID */, "map"},
	{31 /* BPF_LINK_GET_NEXT_ID */, "link"},
};

static const char *const FILES[] = {
	"/sys/kernel/tracing/kprobe_events",
	"/sys/kernel/tracing/uprobe_events",
	"/sys/kernel/tracing/dynamic_events",
	"/sys/kernel/tracing/enabled_functions",
};

static void objects_print(int command, const char *name)
{
	/* union bpf_attr, its part for *_GET_NEXT_ID */
	struct {
		unsigned int start_id, next_id, open_flags;
	} attr = {0};

	while (syscall(SYS_bpf, command, &attr, sizeof(attr)) == 0) {
		printf("%s %u\n", name, attr.next_id);
		attr.start_id = attr.next_id;
	}
}

static int lines_print(const char *path)
{
	char line[4096];
	FILE *file = fopen(path, "re");

	if (!file) {
		perror(path);
		return 1;
	}
	while (fgets(line, sizeof(line), file))
		printf("%s: %s", path, line);
	fclose(file);
	return 0;
}

int main(void)
{
	int failures = 0;

	for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++)
		objects_print(KINDS[i].command, KINDS[i].name);
	for (size_t i = 0; i < sizeof(FILES) / sizeof(FILES[0]); i++)
		failures += lines_print(FILES[i]);
	return failures > 0;
}
