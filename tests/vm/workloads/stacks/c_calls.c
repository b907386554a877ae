/*
 * Makes the system call getppid under stack_outer() and stack_inner(), then waits for whoever wants to look at the process.
 */
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((noipa)) static long stack_inner(void)
{
	long result;

	/* The last input is not used: a function that mentions its frame has one. */
	__asm__ volatile("syscall" : "=a"(result) : "a"(SYS_getppid), "r"(__builtin_frame_address(0)) : "rcx", "r11", "memory");
	return result;
}

__attribute__((noipa)) static long stack_outer(void)
{
	return stack_inner() + 1;
}

int main(void)
{
	long result = stack_outer();

	sleep(3);
	return result < 0;
}
