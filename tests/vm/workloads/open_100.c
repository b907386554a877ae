/*
 * Opens exactly 100 files, by open, openat and openat2 in turn: 50 that exist (and stay open, so every descriptor is
 * another one) and 50 that cannot be opened, for five different reasons. Prints "FD ERRNO PATH" for each in order,
 * with -1 as FD of a failure and 0 as ERRNO of a success.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FILES = 100, PATH_SIZE = 64 };

#define DIRECTORY "/tmp/open_100"

static const struct {
	const char *name; /* printf format with the number of the file */
	int flags;
} REFUSED[] = {
	{"missing-%02d", O_RDONLY},			/* ENOENT */
	{"present-00/below-%02d", O_RDONLY},		/* ENOTDIR */
	{"directory-%02d", O_WRONLY},			/* EISDIR */
	{"link-%02d", O_RDONLY | O_NOFOLLOW},		/* ELOOP */
	{"occupied-%02d", O_WRONLY | O_CREAT | O_EXCL}, /* EEXIST */
};

struct result {
	char path[PATH_SIZE];
	long returned;
	int error;
};

static void must(int result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(1);
	}
}

/* Nothing in here calls open: mknod makes regular files too. */
static void file_prepare(const char *path)
{
	const char *name = path + sizeof(DIRECTORY);

	if ((strncmp(name, "present-", 8) == 0 && !strchr(name, '/')) || strncmp(name, "occupied-", 9) == 0)
		must(mknod(path, S_IFREG | 0644, 0), path);
	else if (strncmp(name, "directory-", 10) == 0)
		must(mkdir(path, 0755), path);
	else if (strncmp(name, "link-", 5) == 0)
		must(symlink("present-00", path), path);
}

static long file_open(int way, const char *path, int flags)
{
	/* struct open_how of openat2 */
	struct {
		uint64_t flags, mode, resolve;
	} how = {.flags = (uint64_t)flags, .mode = flags & O_CREAT ? 0600 : 0};

	switch (way) {
	case 0:
		return syscall(SYS_open, path, flags, 0600);
	case 1:
		return syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
	default:
		return syscall(437 /* SYS_openat2 */, AT_FDCWD, path, &how, sizeof(how));
	}
}

int main(void)
{
	static struct result results[FILES];
	static int flags[FILES];

	must(mkdir(DIRECTORY, 0755), DIRECTORY);
	for (int i = 0; i < FILES; i++) {
		size_t reason = (size_t)(i / 2) % (sizeof(REFUSED) / sizeof(REFUSED[0]));
		char name[PATH_SIZE / 2];

		if (i % 2 == 0) {
			snprintf(name, sizeof(name), "present-%02d", i);
		} else {
			snprintf(name, sizeof(name), REFUSED[reason].name, i);
			flags[i] = REFUSED[reason].flags;
		}
		snprintf(results[i].path, PATH_SIZE, "%s/%s", DIRECTORY, name);
		file_prepare(results[i].path);
	}
	for (int i = 0; i < FILES; i++) {
		results[i].returned = file_open(i % 3, results[i].path, flags[i]);
		results[i].error = results[i].returned < 0 ? errno : 0;
	}
	for (int i = 0; i < FILES; i++)
		printf("%ld %d %s\n", results[i].returned, results[i].error, results[i].path);
	return 0;
}
