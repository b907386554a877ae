#include "common.h"

MAP(scratch, "scratch0");

struct event {
  u64 action;
  u32 pid;
  char path[1024];
};

PROGRAM long probe(const u64 *ctx) {
  u32 zero = 0;
  struct event *event = map_lookup_elem(&scratch, &zero);
  if (!event)
    return 1;
  event->action = 0;
  event->pid = get_current_pid_tgid() >> 32;
  s64 used = probe_read_user_str(event->path, sizeof(event->path), ctx[3]);
  if (used < 1)
    used = 1;
  if (used > (s64)sizeof(event->path))
    used = sizeof(event->path);
  if (ringbuf_output(&ringbuf, event, (u64)(12 + used), 0) < 0)
    count_lost_event();
  return 1;
}
