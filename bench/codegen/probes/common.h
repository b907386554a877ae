// What the C probes share: helpers by number, maps by the names that the compiler gives them, and the same reports of
// errors and losses that generated programs make.
#ifndef PROBES_COMMON_H
#define PROBES_COMMON_H

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long s64;

#define PROGRAM __attribute__((section("program.probe"), used))
#define FUNCTION(name) static __attribute__((noinline, section("function." name)))
// A parameter that a probe does not look at.
#define UNUSED __attribute__((unused))
// NOLINTNEXTLINE(bugprone-macro-parentheses): a declarator takes none
#define MAP(variable, name) extern char variable __asm__("map:" name) __attribute__((weak))

// Members are found by name on the kernel that a program is loaded into; what else reads this file need not know.
#ifdef __bpf__
#define RELOCATED __attribute__((preserve_access_index))
#else
#define RELOCATED
#endif

static void *(*map_lookup_elem)(void *, const void *) = (void *)1;
static long (*map_update_elem)(void *, const void *, const void *, u64) = (void *)2;
static u64 (*get_current_pid_tgid)(void) = (void *)14;
static long (*get_current_comm)(void *, u32) = (void *)16;
static void *(*get_current_task)(void) = (void *)35;
static long (*probe_read_kernel)(void *, u32, const void *) = (void *)113;
static long (*probe_read_user_str)(void *, u32, u64) = (void *)114;
static long (*ringbuf_output)(void *, void *, u64, u64) = (void *)130;
static long (*for_each_map_elem)(void *, void *, void *, u64) = (void *)164;

MAP(ringbuf, "ringbuf");
MAP(event_loss, "event_loss");

FUNCTION("count_lost_event") u64 count_lost_event(void) {
  u32 key = 0;
  u64 *lost = map_lookup_elem(&event_loss, &key);
  if (lost)
    ++*lost;
  return 0;
}

FUNCTION("report_error") u64 report_error(u64 action, u64 result) {
  u64 event[2] = {action, result};
  if (ringbuf_output(&ringbuf, event, sizeof(event), 0) < 0)
    count_lost_event();
  return 0;
}

static inline void count(void *map, const void *key) {
  u64 *value = map_lookup_elem(map, key);
  if (value) {
    ++*value;
    return;
  }
  u64 one = 1;
  int err = (int)map_update_elem(map, key, &one, 0);
  if (err < 0)
    report_error(0, (u64)err);
}

#endif
