#include "common.h"

MAP(counts, "@");

struct task_struct {
  int tgid;
  struct task_struct *real_parent;
  struct task_struct *group_leader;
} RELOCATED;

PROGRAM long probe(UNUSED void *ctx) {
  const struct task_struct *task = get_current_task();
  const struct task_struct *parent;
  const struct task_struct *leader;
  int tgid;
  probe_read_kernel(&parent, sizeof(void *), &task->real_parent);
  probe_read_kernel(&leader, sizeof(void *), &parent->group_leader);
  probe_read_kernel(&tgid, sizeof(tgid), &leader->tgid);
  count(&counts, &tgid);
  return 1;
}
