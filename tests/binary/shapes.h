// Included by shapes.c: a function whose lines are not that file's own.
static inline int included(int value) {
  return value + 1;
}
