/*
 * Calls functions with the names that a C++ compiler gives to overloads of app::Server::handle: that for (int) 3 times, with 0, 1 and
 * 2, and that for (char const*) once. Prints the sum of what they return.
 */
#include <stdio.h>

long handle_int(int number) __asm__("_ZN3app6Server6handleEi");
long handle_text(const char *text) __asm__("_ZN3app6Server6handleEPKc");

__attribute__((noipa)) long handle_int(int number)
{
	return number;
}

__attribute__((noipa)) long handle_text(const char *text)
{
	return text[0];
}

int main(void)
{
	long sum = handle_text("x");

	for (int i = 0; i < 3; i++)
		sum += handle_int(i);
	printf("%ld\n", sum);
	return 0;
}
