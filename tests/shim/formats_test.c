// Small readers of text: tracepoint formats, integer parameters, CPU lists.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/host.h"
#include "shim/parameters.h"
#include "shim/tracepoint_format.h"
#include "tests/shim/check.h"

static const char format[] =
    "name: sched_switch\nID: 316\nformat:\n"
    "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
    "\n"
    "\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
    "\tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;\n"
    "\tfield:const char * filename;\toffset:32;\tsize:8;\tsigned:0;\n"
    "\tfield:char *argv;\toffset:40;\tsize:8;\tsigned:0;\n"
    "\tfield:__data_loc char[] name;\toffset:48;\tsize:4;\tsigned:0;\n"
    "\tfield:unsigned long args[6];\toffset:56;\tsize:48;\tsigned:0;\n"
    "\nprint fmt: \"field:prev_pid=%d offset:99\"\n";

static void check_field(const char *name, uint32_t offset, uint32_t size) {
  struct tracepoint_field field;
  bool is_found = tracepoint_format_find(format, name, &field);
  CHECK(is_found);
  CHECK(is_found && field.offset == offset && field.size == size);
}

static void tracepoint_fields(void) {
  check_field("common_type", 0, 2);
  check_field("prev_comm", 8, 16);
  check_field("prev_pid", 24, 4);
  check_field("filename", 32, 8);
  check_field("argv", 40, 8);
  check_field("name", 48, 4);
  check_field("args", 56, 48);
  struct tracepoint_field field;
  CHECK(!tracepoint_format_find(format, "pid", &field));  // the end of another name
  CHECK(!tracepoint_format_find(format, "short", &field));
  CHECK(!tracepoint_format_find("", "pid", &field));
}

static void check_integer(const char *text, int64_t expected) {
  int64_t value;
  const char *problem = parameter_parse_integer(text, &value);
  if (problem || value != expected)
    printf("%s: %s\n", text, problem ? problem : "another value");
  CHECK(!problem && value == expected);
}

static void integers(void) {
  check_integer("0", 0);
  check_integer("123", 123);
  check_integer("-5", -5);
  check_integer("0x1F", 31);
  check_integer("0b101", 5);
  check_integer("017", 15);
  check_integer("1_000_000", 1000000);
  check_integer("1e6", 1000000);
  check_integer("5s", 5000000000);
  check_integer("10us", 10000);
  check_integer("18446744073709551615", -1);  // as a u64
  check_integer("-9223372036854775808", INT64_MIN);
}

static void malformed_integers(void) {
  static const char *const texts[] = {"", "-",   "abc", "12abc", "0x",  "1e",  "12e3", "+5", "--5", " 5",
                                      "0b2", "1ee", "18446744073709551616", "-9223372036854775809", "1e30", "9999999999u"};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    int64_t value;
    const char *problem = parameter_parse_integer(texts[i], &value);
    if (!problem)
      printf("accepted: \"%s\"\n", texts[i]);
    CHECK(problem);
  }
}

static int read_list(const char *text, struct cpu_list *list) {
  *list = (struct cpu_list){0};
  const char *folder = getenv("TEST_TMPDIR");
  char path[256];
  snprintf(path, sizeof(path), "%s/cpus", folder ? folder : "/tmp");
  FILE *file = fopen(path, "w");
  if (!file)
    return -errno;
  fputs(text, file);
  fclose(file);
  int err = host_read_cpu_list(path, list);
  unlink(path);
  return err;
}

static void cpu_lists(void) {
  struct cpu_list list;
  CHECK(read_list("0\n", &list) == 0 && list.lowest == 0 && list.highest == 0 && list.count == 1);
  CHECK(read_list("0-3\n", &list) == 0 && list.highest == 3 && list.count == 4);
  CHECK(read_list("1-2,8,10-11\n", &list) == 0 && list.lowest == 1 && list.highest == 11 && list.count == 5);
  CHECK(read_list("\n", &list) == -EINVAL);
  CHECK(read_list("3-1\n", &list) == -EINVAL);
  CHECK(host_read_cpu_list("/nonexistent", &list) == -ENOENT);
}

int main(void) {
  CHECK_CASE(tracepoint_fields);
  CHECK_CASE(integers);
  CHECK_CASE(malformed_integers);
  CHECK_CASE(cpu_lists);
  return check_result();
}
