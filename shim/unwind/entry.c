// Of the child of -c: lets it go on until its own code is about to run. Then the dynamic linker has mapped its libraries.
#if defined(__x86_64__)

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "shim/host.h"
#include "shim/report.h"
#include "shim/small_printf.h"
#include "shim/tracer.h"
#include "shim/unwind/unwind.h"
#include "shim/user/elf.h"

enum { BREAKPOINT = 0xcc };

struct breakpoint {
  uint64_t address;
  long word;            // that was there
  bool is_in_register;  // in one of the processor's, because a probe is at the address
};

int shim_unwind_stop_at_exec(void) {
  return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? -errno : 0;
}

// Where the program begins, which the kernel has told the process.
static int read_entry(int pid, uint64_t *entry) {
  char path[64];
  char *text;
  size_t size;
  struct elf elf;
  small_snprintf(path, sizeof(path), "/proc/%d/exe", pid);
  int err = elf_open(path, &elf);
  if (err)
    return err;
  elf_close(&elf);
  small_snprintf(path, sizeof(path), "/proc/%d/auxv", pid);
  err = host_read_file(path, &text, &size);
  if (err)
    return err;
  err = -ENOENT;
  for (size_t at = 0; at + sizeof(Elf64_auxv_t) <= size && err; at += sizeof(Elf64_auxv_t)) {
    Elf64_auxv_t value;
    memcpy(&value, text + at, sizeof(value));
    if (value.a_type == AT_ENTRY) {
      *entry = value.a_un.a_val;
      err = 0;
    }
  }
  free(text);
  return err;
}

static int set_debug_register(int pid, size_t number, uint64_t value) {
  size_t place = offsetof(struct user, u_debugreg) + number * sizeof(((struct user *)NULL)->u_debugreg[0]);
  return ptrace(PTRACE_POKEUSER, pid, (void *)place, (void *)value) < 0 ? -errno : 0;
}

// Number 7 says which of the others are in use, and for what: number 0, for what is executed.
static int place_in_register(int pid, struct breakpoint *breakpoint) {
  breakpoint->is_in_register = true;
  int err = set_debug_register(pid, 0, breakpoint->address);
  return err ? err : set_debug_register(pid, 7, 1);
}

static int place_breakpoint(int pid, struct breakpoint *breakpoint) {
  *breakpoint = (struct breakpoint){0};
  int err = read_entry(pid, &breakpoint->address);
  if (err)
    return err;
  errno = 0;
  breakpoint->word = ptrace(PTRACE_PEEKTEXT, pid, (void *)breakpoint->address, NULL);
  if (errno)
    return -errno;
  if ((breakpoint->word & 0xff) == BREAKPOINT)
    return place_in_register(pid, breakpoint);
  long word = (breakpoint->word & ~0xffL) | BREAKPOINT;
  return ptrace(PTRACE_POKETEXT, pid, (void *)breakpoint->address, (void *)word) < 0 ? -errno : 0;
}

static bool is_at(int pid, const struct breakpoint *breakpoint) {
  struct user_regs_struct registers;
  uint64_t place = breakpoint->address + !breakpoint->is_in_register;  // an instruction has been executed, or not yet
  return ptrace(PTRACE_GETREGS, pid, NULL, &registers) == 0 && registers.rip == place;
}

// The process stands at the breakpoint: takes it away, and lets the process begin there.
static int remove_breakpoint(int pid, const struct breakpoint *breakpoint) {
  struct user_regs_struct registers;
  if (breakpoint->is_in_register)
    return set_debug_register(pid, 7, 0);
  if (ptrace(PTRACE_POKETEXT, pid, (void *)breakpoint->address, (void *)breakpoint->word) < 0 ||
      ptrace(PTRACE_GETREGS, pid, NULL, &registers) < 0)
    return -errno;
  registers.rip = breakpoint->address;
  return ptrace(PTRACE_SETREGS, pid, NULL, &registers) < 0 ? -errno : 0;
}

// Waits for the next stop. Returns its signal, or 0 if the process has ended; it stays to be waited for.
static int wait_for_stop(int pid) {
  siginfo_t info = {0};
  int result;
  do
    result = waitid(P_PID, (id_t)pid, &info, WEXITED | WSTOPPED | WNOWAIT);
  while (result < 0 && errno == EINTR);
  if (result < 0 || (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED))
    return 0;
  waitid(P_PID, (id_t)pid, &info, WSTOPPED);
  return info.si_status;
}

// From the stop at exec on. Returns 0 when it is at its entry, 1 if it has ended, or a negative errno.
static int run_to_entry(int pid) {
  struct breakpoint breakpoint;
  int err = wait_for_stop(pid) ? place_breakpoint(pid, &breakpoint) : 1;
  int delivered = 0;
  while (!err) {
    if (ptrace(PTRACE_CONT, pid, NULL, (void *)(long)delivered) < 0)
      return -errno;
    delivered = wait_for_stop(pid);
    if (!delivered)
      return 1;
    if (delivered != SIGTRAP)
      continue;
    if (is_at(pid, &breakpoint))
      return remove_breakpoint(pid, &breakpoint);
    err = place_breakpoint(pid, &breakpoint);  // it has executed something else
    delivered = 0;
  }
  return err;
}

void shim_unwind_run_to_entry(struct tracer *tracer) {
  int pid = tracer->command.pid;
  int err = run_to_entry(pid);
  if (err > 0)
    return;
  // Where it could not be stopped later, its libraries are read when the first stack has one of them.
  if (err && tracer->options.verbose)
    report_line("unwind: stop process %d at its entry: %s", pid, report_cause(err));
  err = unwind_read_process(tracer, (uint32_t)pid);
  if (err)
    report(REPORT_WARNING, NULL, 0, "unwind: read process %d: %s: it has no stacks by call frame information", pid, report_cause(err));
  ptrace(PTRACE_DETACH, pid, NULL, NULL);
}

#endif
