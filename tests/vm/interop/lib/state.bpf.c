#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "shared.h"

struct {
  __uint(type, 1);
  __uint(max_entries, 16);
  __type(key, int);
  __type(value, long);
} totals SEC(".maps");

static long calls;
static long next = 100;
const volatile long step = 5;

int add(int a, int b) { return a + b; }

bool is_even(unsigned char x) { return x % 2 == 0; }

long tally(int key, long by) {
  long *total = bpf_map_lookup_elem(&totals, &key);
  calls++;
  if (!total) {
    bpf_map_update_elem(&totals, &key, &by, 0);
    return by;
  }
  return *total += by;
}

static long visit(void *map, const int *key, long *value, long *sum) {
  *sum += *value;
  return 0;
}

long sum_of_all(void) {
  long sum = 0;
  bpf_for_each_map_elem(&totals, visit, &sum, 0);
  return sum;
}

long number_of_calls(void) { return calls; }

long ticket(void) { return next += step; }

void set(struct pair *pair, int first) {
  pair->first = first;
  pair->second = -first;
}
