/*
 * A tree of processes, three generations below the root, two children each. Every child is executed under a name of its
 * own (t0, t1, t00, t01, ...), so that comm tells its place; the root calls itself t. Each but the root prints
 * "PID COMM PARENT-PID PARENT-COMM".
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GENERATIONS = 3, CHILDREN = 2, NAME_SIZE = 16, PATH_SIZE = 64 };

static int child_run(const char *parent, int number)
{
	char name[NAME_SIZE], path[PATH_SIZE];
	int status;
	pid_t pid;

	snprintf(name, sizeof(name), "%s%d", parent, number);
	snprintf(path, sizeof(path), "/tmp/%s", name);
	/* comm is the last part of the path that is executed, also where that is a symbolic link. */
	if (symlink("/proc/self/exe", path) < 0 && errno != EEXIST)
		return -1;
	pid = fork();
	if (pid == 0) {
		execl(path, name, parent, (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[0] : "t";

	if (argc > 1) {
		printf("%d %s %d %s\n", getpid(), name, getppid(), argv[1]);
		fflush(stdout);
	} else {
		prctl(PR_SET_NAME, name);
	}
	if (strlen(name) > GENERATIONS)
		return 0;
	for (int i = 0; i < CHILDREN; i++) {
		if (child_run(name, i)) {
			fprintf(stderr, "a child of %s failed\n", name);
			return 1;
		}
	}
	return 0;
}
