/*
 * Runs a program once and prints what it cost:
 *
 *   measure time PROGRAM ARGUMENT...     "FIRST EXIT": nanoseconds from just before exec to the first byte on standard
 *                                        output, and to the end of the process
 *   measure memory PROGRAM ARGUMENT...   "PEAK": its peak resident memory (VmHWM) in KiB
 *
 * These are two runs, so that the debugger's stops of the second are not in the times of the first. Standard output is
 * read and dropped, standard error is left alone. Exits with 1 when the program fails or prints nothing.
 *
 * VmHWM is read when the program is about to exit. What wait4() reports instead (ru_maxrss) starts from the peak of the
 * process that called fork.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct run {
	pid_t pid;
	int output;	   /* the program's standard output */
	int64_t *started; /* shared with the child: nanoseconds just before exec */
};

static void fail(const char *what)
{
	fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t nanoseconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct run run_start(char **arguments, int traced)
{
	int ends[2];
	struct run run = {
		.started = mmap(NULL, sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
	};

	if (run.started == MAP_FAILED || pipe(ends) < 0)
		fail("pipe");
	run.pid = fork();
	if (run.pid < 0)
		fail("fork");
	if (run.pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		if (traced)
			ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		*run.started = nanoseconds_now();
		execv(arguments[0], arguments);
		fail(arguments[0]);
	}
	close(ends[1]);
	run.output = ends[0];
	return run;
}

/* Reads all output and returns when the first of it came, or 0 when there was none. */
static int64_t output_drain(int fd)
{
	static char buffer[1 << 16];
	int64_t first = 0;
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno != EINTR)
			fail("read");
		if (n > 0 && !first)
			first = nanoseconds_now();
	}
	return first;
}

static int time_measure(char **arguments)
{
	struct run run = run_start(arguments, 0);
	int64_t first = output_drain(run.output), ended;
	int status;

	if (waitpid(run.pid, &status, 0) < 0)
		fail("waitpid");
	ended = nanoseconds_now();
	if (status != 0 || !first) {
		fprintf(stderr, "measure: %s: status %#x, %s output\n", arguments[0], (unsigned int)status, first ? "some" : "no");
		return 1;
	}
	printf("%lld %lld\n", (long long)(first - *run.started), (long long)(ended - *run.started));
	return 0;
}

static long peak_read(pid_t pid)
{
	char path[64], line[256];
	long peak = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (!file)
		fail(path);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, "VmHWM:", 6) == 0)
			peak = strtol(line + 6, NULL, 10);
	fclose(file);
	return peak;
}

static int memory_measure(char **arguments)
{
	struct run run = run_start(arguments, 1);
	long peak = -1;
	int status;

	/* The first stop is the one after exec. Nobody reads the output, which has to fit into the pipe. */
	if (waitpid(run.pid, &status, 0) < 0 || !WIFSTOPPED(status))
		fail("exec");
	if (ptrace(PTRACE_SETOPTIONS, run.pid, NULL, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL) < 0)
		fail("ptrace");
	while (WIFSTOPPED(status)) {
		int deliver = WSTOPSIG(status);

		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8))
			peak = peak_read(run.pid);
		if (deliver == SIGTRAP)
			deliver = 0;
		if (ptrace(PTRACE_CONT, run.pid, NULL, deliver) < 0 || waitpid(run.pid, &status, 0) < 0)
			fail("ptrace");
	}
	if (status != 0 || peak < 0) {
		fprintf(stderr, "measure: %s: status %#x\n", arguments[0], (unsigned int)status);
		return 1;
	}
	printf("%ld\n", peak);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "time") == 0)
		return time_measure(argv + 2);
	if (argc > 2 && strcmp(argv[1], "memory") == 0)
		return memory_measure(argv + 2);
	fprintf(stderr, "usage: measure time|memory PROGRAM ARGUMENT...\n");
	return 2;
}
