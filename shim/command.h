// The process that is traced: the one given by -p, or the command given by -c, which is started stopped and runs once all probes are
// attached.
#ifndef SHIM_COMMAND_H
#define SHIM_COMMAND_H

#include <stdbool.h>

struct tracer;

struct command {
  int pid;        // of the child, 0 without -c or when it has been waited for
  int process_fd; // becomes readable when the traced process ends, -1 if there is none
  int go_fd;      // closing it lets the child go on
  int failure_fd; // the child writes its errno to it if it cannot execute the command
};

// Opens the process of -p, or forks the child of -c. Reports what is wrong and returns a negative errno. To be called before
// signals are blocked; command_close() is due in any case.
int command_open(struct tracer *tracer);
// Lets the child execute the command. Returns 0, or a negative errno after reporting.
int command_run(struct tracer *tracer);
// Ends the child if it is still there, and waits for it.
void command_close(struct tracer *tracer);

// The process to which probes are limited that the kernel can limit: that of -c or -p; 0 if there is none.
int command_target_pid(const struct tracer *tracer);

#endif
