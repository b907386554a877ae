// A harness for tests in C: one line a case, and a count at the end.
#ifndef TESTS_SHIM_CHECK_H
#define TESTS_SHIM_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

static int check_failures;
static bool check_case_failed;

#define CHECK(condition)                                                          \
  do {                                                                            \
    if (!(condition)) {                                                           \
      printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);              \
      check_case_failed = true;                                                   \
    }                                                                             \
  } while (0)

static inline void check_case(const char *name, void (*test)(void)) {
  check_case_failed = false;
  test();
  check_failures += check_case_failed;
  printf("%s %s\n", check_case_failed ? "FAIL" : "ok  ", name);
}

// The same numbers in every run, on every host.
static inline uint32_t random_below(uint32_t bound) {
  static uint64_t state = 0x9e3779b97f4a7c15;  // xorshift64
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)((state >> 32) * bound >> 32);
}

#define CHECK_CASE(test) check_case(#test, test)

// What main() returns.
static inline int check_result(void) {
  printf("%d failed\n", check_failures);
  return check_failures != 0;
}

#endif
