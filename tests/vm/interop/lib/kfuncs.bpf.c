#include <vmlinux.h>

#include <bpf/bpf_helpers.h>

/* Since Linux 6.2, and not for programs of all types. */
extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;

int task_exists(int pid) {
  struct task_struct *task = bpf_task_from_pid(pid);
  if (!task)
    return 0;
  bpf_task_release(task);
  return 1;
}
