/*
 * Runs a program once and prints what it cost:
 *
 *   measure time PROGRAM ARGUMENT...     "FIRST EXIT": nanoseconds from just before exec to the first byte on standard
 *                                        output, and to the end of the process
 *   measure memory PROGRAM ARGUMENT...   "PEAK": its peak resident memory in KiB
 *
 * These are two runs, so that the debugger's stops of the second are not in the times of the first. Standard output is
 * read and dropped, standard error is left alone. Exits with 1 when the program fails or prints nothing.
 *
 * Memory only shrinks by system calls, so the peak is the largest VmRSS or VmHWM at the entry of any of them. VmHWM at the
 * end alone would be too low: the kernel notes it from per-CPU counters that it does not add up. And what wait4() reports
 * (ru_maxrss) starts from the peak of the process that called fork.
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

/* The larger of the process's VmRSS and VmHWM. */
static long resident_read(pid_t pid)
{
	char path[64], line[256];
	long resident = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (!file)
		fail(path);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "VmRSS:", 6) == 0 || strncmp(line, "VmHWM:", 6) == 0) {
			long kilobytes = strtol(line + 6, NULL, 10);

			resident = kilobytes > resident ? kilobytes : resident;
		}
	}
	fclose(file);
	return resident;
}

static int memory_measure(char **arguments)
{
	struct run run = run_start(arguments, 1);
	long peak = 0;
	int status;

	/* The first stop is the one after exec. Nobody reads the output, which has to fit into the pipe. */
	if (waitpid(run.pid, &status, 0) < 0 || !WIFSTOPPED(status))
		fail("exec");
	if (ptrace(PTRACE_SETOPTIONS, run.pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) < 0)
		fail("ptrace");
	while (WIFSTOPPED(status)) {
		int signal = WSTOPSIG(status);

		if (signal == (SIGTRAP | 0x80)) {
			long resident = resident_read(run.pid);

			peak = resident > peak ? resident : peak;
		}
		if ((signal & 0x7f) == SIGTRAP)
			signal = 0;
		if (ptrace(PTRACE_SYSCALL, run.pid, NULL, signal) < 0 || waitpid(run.pid, &status, 0) < 0)
			fail("ptrace");
	}
	if (status != 0) {
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
