/*
 * Work for the scheduler: eight processes, more than the machine has processors, each of which sleeps for a moment and
 * computes for a moment 100 times. Prints how often a process was woken at least.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES = 8, ROUNDS = 100, SPINS = 20000 };

int main(void)
{
	int failures = 0;

	for (int i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("fork");
			return 1;
		}
		if (pid > 0)
			continue;
		for (int round = 0; round < ROUNDS; round++) {
			nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
			for (volatile int spin = 0; spin < SPINS; spin++)
				;
		}
		_exit(0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status = 1;

		wait(&status);
		failures += status != 0;
	}
	printf("%d\n", PROCESSES * ROUNDS);
	return failures > 0;
}
