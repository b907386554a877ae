/*
 * Calls receive() with memory of its own, which makes the text's first letter large and adds 1 to the numbers, and prints what is
 * there afterwards. The tracer write_user writes there before.
 */
#include <stdint.h>
#include <stdio.h>

__attribute__((noipa)) static void receive(char *text, uint64_t *first, uint64_t *second)
{
	text[0] = (char)(text[0] - 'a' + 'A');
	*first += 1;
	*second += 1;
}

int main(void)
{
	char text[] = "before.";
	uint64_t first = 1, second = 2;

	receive(text, &first, &second);
	printf("%s %llu %llu\n", text, (unsigned long long)first, (unsigned long long)second);
	return 0;
}
