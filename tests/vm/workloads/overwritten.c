/* Calls receive() with memory of its own, and prints what is in it afterwards. The tracer write_user writes there. */
#include <stdint.h>
#include <stdio.h>

__attribute__((noipa)) static void receive(char *text, uint64_t *first, uint64_t *second)
{
	__asm__ volatile("" : : "r"(text), "r"(first), "r"(second) : "memory");
}

int main(void)
{
	char text[] = "before.";
	uint64_t first = 1, second = 2;

	receive(text, &first, &second);
	printf("%s %llu %llu\n", text, (unsigned long long)first, (unsigned long long)second);
	return 0;
}
