// What dwarf_test.c looks for, by the numbers of these lines. It is never run.
static volatile int number = 5;

static inline __attribute__((always_inline)) int inner(void) {
  return number * number;
}

int outer(void);
int outer(void) {
  return inner() + number;
}
