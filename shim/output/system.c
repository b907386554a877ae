// system(format, ...): the output of a command that the shell runs.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/output/format.h"
#include "shim/output/output.h"
#include "shim/report.h"

enum { CHUNK = 4096, NOT_STARTED = 127 };

// In the child: becomes the shell, which must not outlive the tracer, and has none of its signal handling.
static _Noreturn void become_shell(const char *command, int output, pid_t tracer) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() == tracer && dup2(output, STDOUT_FILENO) >= 0 && dup2(output, STDERR_FILENO) >= 0)
    execlp("sh", "sh", "-c", command, (char *)NULL);
  _exit(NOT_STARTED);
}

// Returns the status of waitpid(2), or a negative errno.
static int run(const char *command, int output) {
  pid_t tracer = getpid();
  pid_t child = fork();
  if (child < 0)
    return -errno;
  if (!child)
    become_shell(command, output, tracer);
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return -errno;
  return status;
}

static void print_output(struct writer *out, int fd) {
  char chunk[CHUNK];
  off_t at = 0;
  for (ssize_t got; (got = pread(fd, chunk, sizeof(chunk), at)) > 0; at += got)
    writer_put(out, chunk, (size_t)got);
  writer_put(out, "\n", 1);
}

int shim_action_system(struct tracer *tracer, const struct pb_action *action, const uint8_t *event, uint32_t size) {
  (void)size;
  if (tracer->interrupted)  // there may be thousands left, and each takes a process
    return 0;
  char *command;
  int err = format_text(tracer, action->system->command, event, &command);
  if (err)
    return err;
  writer_flush(&tracer->out);
  // A file and not a pipe: what the command writes is shown only if it succeeds, and what it leaves running holds nobody up.
  int output = memfd_create("output", MFD_CLOEXEC);
  int status = output < 0 ? -errno : run(command, output);
  if (status < 0)
    report(REPORT_ERROR, tracer->resources, action->span, "system: run command: %s", report_cause(status));
  else if (!WIFEXITED(status))
    report(REPORT_ERROR, tracer->resources, action->span, "child process did not exit normally");
  else if (WEXITSTATUS(status))
    report(REPORT_ERROR, tracer->resources, action->span, "command exited with code %d", WEXITSTATUS(status));
  else
    print_output(&tracer->out, output);
  if (output >= 0)
    close(output);
  free(command);
  return writer_settle(&tracer->out);
}
