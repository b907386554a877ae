// Calls without frame pointers, in all the ways in which compilers leave it to call frame information how a function is left.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// What follows a call keeps it from becoming a jump.
static volatile uintptr_t sink;

__attribute__((noinline)) void unwound_leaf(void) {
  long parent, group;
  __asm__ volatile("syscall" : "=a"(parent) : "a"(SYS_getppid) : "rcx", "r11", "memory");
  __asm__ volatile("syscall" : "=a"(group) : "a"(SYS_getpgid), "D"(0) : "rcx", "r11", "memory");
  sink += (uintptr_t)(parent + group);
}

// Saves all registers that a function has to save, and pushes arguments.
__attribute__((noinline)) void unwound_saving(long a, long b, long c, long d, long e, long f, long g, long h) {
  unwound_leaf();
  sink += (uintptr_t)(a + b * c - d * e + f * g - h);
}

// The stack grows by what is known only while it runs: a register has to hold the frame.
__attribute__((noinline)) void unwound_growing(size_t size) {
  char *room = __builtin_alloca(size);
  memset(room, 1, size);
  unwound_saving(room[0], 2, 3, 4, 5, 6, 7, (long)size);
  sink += (uintptr_t)room[size - 1];
}

// The stack is aligned, and there are arguments on it: where the frame was is in memory.
__attribute__((noinline)) void unwound_aligned(size_t size, long b, long c, long d, long e, long f, long g, long h) {
  _Alignas(64) char line[64];
  memset(line, (int)size, sizeof(line));
  unwound_growing(size + (size_t)line[1]);
  sink += (uintptr_t)line[2] + (uintptr_t)line + (uintptr_t)(b * c + d * e + f * g + h);
}

__attribute__((noinline)) void unwound_busy(long milliseconds) {
  struct timespec start, now;
  clock_gettime(CLOCK_MONOTONIC, &start);
  do {
    for (int i = 0; i < 100000; i++)
      sink++;
    clock_gettime(CLOCK_MONOTONIC, &now);
  } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < milliseconds);
}

int main(int argc, char **argv) {
  unwound_aligned((size_t)argc * 100, 2, 3, 4, 5, 6, 7, 8);
  unwound_busy(argc > 1 ? atoi(argv[1]) : 0);
  usleep(100000);  // until its stacks are printed
  return sink == 0;
}
