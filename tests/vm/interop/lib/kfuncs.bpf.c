#include <vmlinux.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <stdbool.h>

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

bool has_arguments(struct pt_regs *registers, unsigned long first, unsigned long second) {
  return PT_REGS_PARM1(registers) == first && PT_REGS_PARM2(registers) == second && PT_REGS_IP(registers);
}
