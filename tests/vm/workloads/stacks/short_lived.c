/*
 * Makes the system call getppid under short_outer() and short_inner(), and ends at once. With the argument "fork", a child that has
 * the parent's memory does it; with "wait", it waits for SIGUSR1 before.
 */
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noipa)) static long short_inner(void)
{
	long result;

	/* The last input is not used: a function that mentions its frame has one. */
	__asm__ volatile("syscall" : "=a"(result) : "a"(SYS_getppid), "r"(__builtin_frame_address(0)) : "rcx", "r11", "memory");
	return result;
}

__attribute__((noipa)) static long short_outer(void)
{
	return short_inner() + 1;
}

static int wait_for_signal(void)
{
	static const char ready[] = "ready\n";
	sigset_t wanted;
	int number;

	if (sigemptyset(&wanted) < 0 || sigaddset(&wanted, SIGUSR1) < 0 || sigprocmask(SIG_BLOCK, &wanted, NULL) < 0)
		return 1;
	if (write(STDOUT_FILENO, ready, sizeof(ready) - 1) < 0)
		return 1;
	return sigwait(&wanted, &number);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	int status = 0;

	if (!strcmp(mode, "wait") && wait_for_signal())
		return 1;
	if (!strcmp(mode, "fork")) {
		pid_t child = fork();
		if (child)
			return child < 0 || waitpid(child, &status, 0) < 0 || status;
	}
	return short_outer() < 0;
}
