#include <vmlinux.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

extern const struct rq runqueues __ksym;

unsigned int first_cpu(void) {
  struct rq *rq = bpf_per_cpu_ptr(&runqueues, 0);
  return rq ? rq->cpu : 12345;
}

int parent(struct task_struct *task) { return BPF_CORE_READ(task, real_parent, tgid); }

unsigned int is_forked(struct task_struct *task) { return BPF_CORE_READ_BITFIELD_PROBED(task, in_execve); }

/* The kernel has neither; a test for them must not keep the program from loading. */
struct task_struct___other {
  int no_such_member;
} __attribute__((preserve_access_index));

int absent(struct task_struct *task) {
  struct task_struct___other *other = (void *)task;
  if (bpf_core_field_exists(other->no_such_member))
    return BPF_CORE_READ(other, no_such_member);
  return -1;
}

unsigned long ring_buffer_type(void) { return bpf_core_enum_value(enum bpf_map_type, BPF_MAP_TYPE_RINGBUF); }
