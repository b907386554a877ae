// What the reader of debug information is tested with; its tests name lines of this file.
#include "shapes.h"

enum color { RED = 1, GREEN = 2, NEVER = -1 };
enum { NAMELESS = 7 };
typedef unsigned short port_t;

struct elsewhere;

struct inner {
  char name[8];
  unsigned char bytes[4];
};

struct shape {
  int id;
  unsigned low : 3;
  unsigned high : 5;
  enum color color;
  struct inner inner;
  struct inner *next;
  int matrix[2][3];
  const port_t port;
  union {
    long number;
    struct {
      int first;
      int second;
    };
  };
  double weight;
  void (*call)(int);
  struct elsewhere *hidden;
  char tail[];
};

union both {
  int whole;
  char parts[4];
};

struct two_words {
  long a, b;
};
struct three_words {
  long a, b, c;
};
struct floats {
  double a, b;
};
struct mixed {
  double a;
  int b;
};

int plain(int a, char b, struct shape *c, enum color d, void *e, const char *f, int on_stack) {
  return a + b + c->id + (int)d + (e == f) + on_stack;
}

int with_floats(float a, int b, double c, long d) {
  return (int)a + b + (int)c + (int)d;
}

long by_value(struct two_words a, struct three_words b, struct floats c, struct mixed d, int e) {
  return a.a + b.a + (long)c.a + d.b + e;
}

struct three_words returns_in_memory(int a) {
  return (struct three_words){a, a, a};
}

long double returns_long_double(int a) {
  return a;
}

_Complex double returns_complex(_Complex double a, int b) {
  return a + b;
}

typedef int vector __attribute__((vector_size(16)));
vector returns_vector(vector a, int b) {
  return a + b;
}

int wide(int a, __int128 b, int c) {
  return a + (int)b + c;
}

static int __attribute__((noinline)) local(union both *a, port_t b) {
  return a->whole + b;
}

int calls(union both *value) {
  int sum = local(value, NAMELESS);
  sum += included(sum);
  return sum;
}
