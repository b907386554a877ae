/*
 * Does each of these exactly 100 times, so that every provider has something to count: the system call getpgid(0), a
 * call of the function `called`, the USDT probe everything:fired, a write to the address 0x10000000 and one to 0x10000008, and,
 * between the system calls getpriority(0, 100) and getpriority(0, 0), the first touch of a page. Prints 100. With an argument, prints
 * "ready" before, and stops until it gets SIGCONT.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TIMES = 100 };

static const size_t PAGE = 4096;

#define WATCHED ((void *)0x10000000)

/* The note's format: https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation. One argument: a signed 4-byte value. */
#define USDT(provider, name, value)                                        \
	__asm__ volatile("990: nop\n"                                      \
			 ".pushsection .note.stapsdt, \"\", \"note\"\n"    \
			 ".balign 4\n"                                     \
			 ".4byte 992f-991f, 994f-993f, 3\n"                \
			 "991: .asciz \"stapsdt\"\n"                       \
			 "992: .balign 4\n"                                \
			 "993: .8byte 990b, _.stapsdt.base, 0\n"           \
			 ".asciz \"" provider "\"\n"                       \
			 ".asciz \"" name "\"\n"                           \
			 ".asciz \"-4@%0\"\n"                              \
			 "994: .balign 4\n"                                \
			 ".popsection\n"                                   \
			 :                                                 \
			 : "r"(value))

/* Where the linker puts this section tells how far the addresses of the notes have moved. */
__asm__(".pushsection .stapsdt.base, \"aG\", \"progbits\", .stapsdt.base, comdat\n"
	".weak _.stapsdt.base\n"
	".hidden _.stapsdt.base\n"
	"_.stapsdt.base: .space 1\n"
	".popsection\n");

__attribute__((noipa)) static int called(int value)
{
	return 2 * value;
}

static void pages_touch(volatile char *pages, size_t count)
{
	syscall(SYS_getpriority, 0, count);
	for (size_t i = 0; i < count; i++)
		pages[i * PAGE] = 1;
	syscall(SYS_getpriority, 0, 0);
}

int main(int argc, char **argv)
{
	(void)argv;
	volatile uint64_t *watched = mmap(WATCHED, PAGE, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	char *pages = mmap(NULL, TIMES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (watched == MAP_FAILED || pages == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	if (argc > 1) {
		puts("ready");
		fflush(stdout);
		raise(SIGSTOP);
	}
	/* Without pages, so that the code itself is there before its faults count. */
	pages_touch(pages, 0);
	for (int i = 0; i < TIMES; i++) {
		syscall(SYS_getpgid, 0);
		if (called(i) != 2 * i)
			return 1;
		USDT("everything", "fired", i);
		/*
		 * Where there are several watchpoints, QEMU may report a hit again with the next one, unless it has looked at
		 * another write to the page in between.
		 */
		watched[0] = (uint64_t)i;
		watched[2] = (uint64_t)i;
		watched[1] = (uint64_t)i;
		watched[2] = (uint64_t)i;
	}
	pages_touch(pages, TIMES);
	printf("%d\n", TIMES);
	return 0;
}
