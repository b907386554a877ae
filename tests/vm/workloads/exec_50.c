/*
 * Runs itself exactly 50 times, one after the other, with 1 to 8 arguments that differ every time, and between them
 * tries ten times to execute a file that does not exist. Prints "PID ARGV..." for each process that was executed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXECS = 50, ARGUMENTS_MAX = 8, ARGUMENT_SIZE = 32 };

static char arguments[ARGUMENTS_MAX][ARGUMENT_SIZE];
static char *vector[ARGUMENTS_MAX + 1];

static int arguments_make(int number)
{
	int count = 1 + number % ARGUMENTS_MAX;

	memset(vector, 0, sizeof(vector));
	for (int i = 0; i < count; i++) {
		snprintf(arguments[i], ARGUMENT_SIZE, i == 0 ? "child-%d" : "--option=%d/%d", number, i);
		vector[i] = arguments[i];
	}
	return count;
}

static int child_run(const char *program, int number)
{
	int status;
	pid_t pid;
	int count = arguments_make(number);

	/* Otherwise the child would print what is buffered once more. */
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (number % 5 == 0)
			execv("/nonexistent/program", vector);
		execv(program, vector);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		return -1;
	printf("%d", pid);
	for (int i = 0; i < count; i++)
		printf(" %s", vector[i]);
	printf("\n");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 1 || strncmp(argv[0], "child-", 6) == 0)
		return 0;
	for (int number = 0; number < EXECS; number++) {
		if (child_run(argv[0], number)) {
			fprintf(stderr, "exec %d failed\n", number);
			return 1;
		}
	}
	return 0;
}
