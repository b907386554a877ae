// small_snprintf against libc's snprintf.
#include <limits.h>
#include <string.h>

#include "shim/small_printf.h"
#include "tests/shim/check.h"

#define CHECK_SAME(...)                                                       \
  do {                                                                        \
    char ours[64], theirs[64];                                                \
    int length = small_snprintf(ours, sizeof(ours), __VA_ARGS__);             \
    CHECK(length == snprintf(theirs, sizeof(theirs), __VA_ARGS__));           \
    CHECK(!strcmp(ours, theirs));                                             \
  } while (0)

static void test_conversions(void) {
  CHECK_SAME("%s", "no conversion but one");
  CHECK_SAME("%s:%s %c%%", "a", "", 'x');
  CHECK_SAME("%d %d %d %d", 0, -1, INT_MIN, INT_MAX);
  CHECK_SAME("%u %x", UINT_MAX, UINT_MAX);
  CHECK_SAME("%lld %llu %llx", LLONG_MIN, ULLONG_MAX, ULLONG_MAX);
  CHECK_SAME("%ld %lu %zu", LONG_MIN, ULONG_MAX, sizeof(int));
}

static void test_padding(void) {
  CHECK_SAME("[%5s][%-5s][%1s]", "abc", "abc", "abc");
  CHECK_SAME("[%5d][%-5d][%02x][%04u]", -12, -12, 7u, 12345u);
  CHECK_SAME("$%-23u|", 3u);
}

static void test_too_long(void) {
  char text[4] = "zzz";
  CHECK(small_snprintf(text, sizeof(text), "%s%d", "ab", 345) == 5);
  CHECK(!strcmp(text, "ab3"));
  CHECK(small_snprintf(text, 1, "abc") == 3);
  CHECK(!text[0]);
  CHECK(small_snprintf(NULL, 0, "%d", 12345) == 5);
}

int main(void) {
  CHECK_CASE(test_conversions);
  CHECK_CASE(test_padding);
  CHECK_CASE(test_too_long);
  return check_result();
}
