#include "shim/command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/report.h"
#include "shim/tracer.h"
#include "shim/unwind/unwind.h"
#include "shim/user/path.h"

// Linked for dw_ustack: see features.h.
#pragma weak shim_unwind_stop_at_exec
#pragma weak shim_unwind_run_to_entry

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434  // the same on all architectures; musl's headers are older
#endif

static int open_process(int pid) {
  long fd = syscall(SYS_pidfd_open, pid, 0);  // close-on-exec by itself
  return fd < 0 ? -errno : (int)fd;
}

// Splits at blanks, and knows no quotes: as upstream does.
static char **split_words(const char *text) {
  size_t size = strlen(text) + 1;
  size_t most = size / 2 + 2;
  char **words = malloc(most * sizeof(*words) + size);
  if (!words)
    return NULL;
  char *copy = (char *)(words + most), *state = NULL;
  memcpy(copy, text, size);
  size_t count = 0;
  for (char *word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state))
    words[count++] = word;
  words[count] = NULL;
  return words;
}

static _Noreturn void be_child(int parent, int go_fd, int failure_fd, const char *path, char **words) {
  char byte;
  // The tracer's death ends the child too; if it came before this call, it has another parent by now.
  if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
    _exit(1);
  while (read(go_fd, &byte, 1) < 0 && errno == EINTR)
    continue;
  int err = shim_unwind_stop_at_exec ? -shim_unwind_stop_at_exec() : 0;
  if (!err) {
    execv(path, words);
    err = errno;
  }
  ssize_t ignored = write(failure_fd, &err, sizeof(err));
  (void)ignored;
  _exit(1);
}

static int fork_child(struct tracer *tracer, const char *path, char **words) {
  int go[2], failure[2], parent = getpid();
  if (pipe2(go, O_CLOEXEC) < 0)
    return -errno;
  if (pipe2(failure, O_CLOEXEC) < 0) {
    int err = -errno;
    close(go[0]);
    close(go[1]);
    return err;
  }
  int pid = fork();
  int err = pid < 0 ? -errno : 0;
  if (pid == 0) {
    close(go[1]);
    be_child(parent, go[0], failure[1], path, words);
  }
  close(go[0]);
  close(failure[1]);
  tracer->command.go_fd = go[1];
  tracer->command.failure_fd = failure[0];
  tracer->command.pid = pid > 0 ? pid : 0;
  return err;
}

static int start_command(struct tracer *tracer) {
  char **words = split_words(tracer->options.command);
  if (!words)
    return -ENOMEM;
  char path[PATH_MAX];
  const char *program = words[0] ? words[0] : "";
  int err = *program ? user_path_find(program, 0, path, sizeof(path)) : -ENOENT;
  if (!err && access(path, X_OK) < 0)
    err = -errno;
  if (err) {
    report(REPORT_ERROR, NULL, 0, "Failed to fork child: Path '%s' does not exist or is not executable", program);
  } else {
    err = fork_child(tracer, path, words);
    if (err)
      report(REPORT_ERROR, NULL, 0, "Failed to fork child: %s", report_cause(err));
  }
  free(words);
  return err;
}

int command_open(struct tracer *tracer) {
  struct command *command = &tracer->command;
  *command = (struct command){.process_fd = -1, .go_fd = -1, .failure_fd = -1};
  if (tracer->options.command) {
    int err = start_command(tracer);
    if (err)
      return err;
  }
  int pid = command_target_pid(tracer);
  if (!pid)
    return 0;
  command->process_fd = open_process(pid);
  if (command->process_fd < 0) {
    report(REPORT_ERROR, NULL, 0, "Failed to attach to pid: %d: %s", pid, report_cause(command->process_fd));
    return command->process_fd;
  }
  return 0;
}

int command_run(struct tracer *tracer) {
  struct command *command = &tracer->command;
  int failure;
  if (!command->pid)
    return 0;
  close(command->go_fd);
  command->go_fd = -1;
  // exec closes the other end: nothing to read means success.
  ssize_t size;
  do
    size = read(command->failure_fd, &failure, sizeof(failure));
  while (size < 0 && errno == EINTR);
  if (size != sizeof(failure)) {
    if (shim_unwind_run_to_entry)
      shim_unwind_run_to_entry(tracer);
    return 0;
  }
  report(REPORT_ERROR, NULL, 0, "Failed to run child: child: failed to execve: %s", report_cause(failure));
  return -failure;
}

static void close_fd(int fd) {
  if (fd >= 0)
    close(fd);
}

static bool wait_for(int pid, int *status, int flags) {
  int result;
  do
    result = waitpid(pid, status, flags);
  while (result < 0 && errno == EINTR);
  return result == pid;
}

// SIGTERM, and if that does not help in time SIGKILL.
static void end_child(const struct tracer *tracer) {
  enum { GRACE_MS = 1000 };
  const struct command *command = &tracer->command;
  int status = 0;
  if (!wait_for(command->pid, &status, WNOHANG)) {
    struct pollfd ended = {.fd = command->process_fd, .events = POLLIN};
    kill(command->pid, SIGTERM);
    if (poll(&ended, 1, GRACE_MS) <= 0)
      kill(command->pid, SIGKILL);
    wait_for(command->pid, &status, 0);
  }
  if (!tracer->options.verbose)
    return;
  if (WIFSIGNALED(status))
    report_line("Child terminated by signal: %d", WTERMSIG(status));
  else
    report_line("Child exited with code: %d", WEXITSTATUS(status));
}

void command_close(struct tracer *tracer) {
  struct command *command = &tracer->command;
  close_fd(command->failure_fd);
  if (command->pid)
    end_child(tracer);
  close_fd(command->go_fd);
  close_fd(command->process_fd);
  *command = (struct command){.process_fd = -1, .go_fd = -1, .failure_fd = -1};
}

int command_target_pid(const struct tracer *tracer) {
  return tracer->command.pid ? tracer->command.pid : tracer->options.pid;
}
