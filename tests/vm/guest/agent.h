#ifndef RULES_BPFTRACE_TESTS_VM_GUEST_AGENT_H
#define RULES_BPFTRACE_TESTS_VM_GUEST_AGENT_H

/*
 * Serves the host's requests that arrive on the character device PORT until the host asks to power off.
 *
 * Returns 0 when every process that was spawned has been waited for by then, otherwise a negative errno:
 * -EBUSY when a spawned process still runs, -EPROTO for a malformed request, or what reading the port gave.
 */
int agent_serve(const char *port);

#endif
