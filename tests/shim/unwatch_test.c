// unwatch(): which targets it detaches.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/attach/attach.h"
#include "shim/output/output.h"
#include "tests/shim/check.h"

enum { TARGETS = 5 };

extern const uint8_t bpftrace_payload[1];
const uint8_t bpftrace_payload[1] = {0};
extern const uint8_t bpftrace_payload_end[1];
const uint8_t bpftrace_payload_end[1] = {0};

static const struct pb_watchpoint first = {.address = 0x1000, .length = 8, .mode = "w"};
static const struct pb_watchpoint shorter = {.address = 0x1000, .length = 4, .mode = "rw"};
static const struct pb_watchpoint second = {.address = 0x1000 + (1ull << 32), .length = 8, .mode = "w"};
static const struct pb_interval interval = {0};

// Two of one address, one whose address has the same lower half, and one of another kind.
static const struct pb_probe probes[] = {
    {.attach_case = PB_PROBE_ATTACH_WATCHPOINT, .watchpoint = &first},
    {.attach_case = PB_PROBE_ATTACH_WATCHPOINT, .watchpoint = &shorter},
    {.attach_case = PB_PROBE_ATTACH_WATCHPOINT, .watchpoint = &second},
    {.attach_case = PB_PROBE_ATTACH_INTERVAL, .interval = &interval},
};
static const struct pb_required_resources resources = {.probes = (struct pb_probe *)probes, .probes_count = 4};
static struct target targets[TARGETS];
static struct tracer tracer = {.resources = &resources, .targets = targets, .targets_count = TARGETS, .options.no_warnings = true};

static int open_fd(void) {
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  CHECK(fd >= 0);
  return fd;
}

static bool is_open(int fd) {
  return fcntl(fd, F_GETFD) >= 0;
}

static void unwatch(uint64_t address) {
  const struct pb_argument argument = {.offset = 8};
  const struct pb_unwatch call = {.address = &argument};
  const struct pb_action action = {.kind_case = PB_ACTION_KIND_UNWATCH, .unwatch = &call};
  uint64_t event[2] = {0, address};
  CHECK(shim_action_unwatch(&tracer, &action, (const uint8_t *)event, sizeof(event)) == 0);
}

static void test_targets_of_the_address(void) {
  int per_cpu[] = {open_fd(), open_fd()};
  int copies[] = {per_cpu[0], per_cpu[1]};
  const int fds[TARGETS] = {-1, open_fd(), open_fd(), open_fd(), -1};
  const uint32_t of[TARGETS] = {0, 1, 2, 3, 0};  // the last could not be attached
  for (int i = 0; i < TARGETS; i++)
    targets[i] = (struct target){.probe = of[i], .program_fd = -1, .fd = fds[i], .is_attached = i < TARGETS - 1};
  targets[0].more = per_cpu;
  targets[0].more_count = 2;

  unwatch(0x2000);
  CHECK(targets[0].is_attached && targets[1].is_attached && targets[2].is_attached && targets[3].is_attached);
  for (int time = 0; time < 2; time++) {  // the second changes nothing
    unwatch(0x1000);
    CHECK(!is_open(copies[0]) && !is_open(copies[1]) && !targets[0].more_count && !targets[0].is_attached);
    CHECK(!is_open(fds[1]) && targets[1].fd == -1 && !targets[1].is_attached);
    CHECK(is_open(fds[2]) && targets[2].is_attached);
    CHECK(is_open(fds[3]) && targets[3].is_attached);
  }
  unwatch(second.address);
  CHECK(!is_open(fds[2]) && !targets[2].is_attached);
  detach_all(&tracer);
  CHECK(!is_open(fds[3]) && !targets[3].is_attached);
}

int main(void) {
  CHECK_CASE(test_targets_of_the_address);
  return check_result();
}
