/*
 * Makes one system call exactly 10,000 times: getppid, or the one whose number is given, with zeros for arguments.
 * Prints "NUMBER COUNT".
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CALLS = 10000 };

int main(int argc, char **argv)
{
	long number = argc > 1 ? atol(argv[1]) : SYS_getppid;

	for (int i = 0; i < CALLS; i++)
		syscall(number, 0, 0, 0, 0, 0, 0);
	printf("%ld %d\n", number, CALLS);
	return 0;
}
