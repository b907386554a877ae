/*
 * Calls counted_first(I, 7) for I from 0 to 6, and counted_second(1, 2) 5 times. Prints "NAME CALLS SUM", where SUM is that of the
 * results.
 */
#include <stdio.h>

__attribute__((noipa)) static long counted_first(long left, long right)
{
	return left + right;
}

__attribute__((noipa)) static long counted_second(long left, long right)
{
	return left - right;
}

int main(void)
{
	long first = 0, second = 0;

	for (long i = 0; i < 7; i++)
		first += counted_first(i, 7);
	for (int i = 0; i < 5; i++)
		second += counted_second(1, 2);
	printf("counted_first 7 %ld\ncounted_second 5 %ld\n", first, second);
	return 0;
}
