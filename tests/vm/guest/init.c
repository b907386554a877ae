/*
 * PID 1 of the test machine: makes the file systems that a tracer expects, brings up the loopback device, lets the
 * host's test work through the agent, and ends with a verdict, a line on the console:
 *
 *   success            everything went as ordered, the kernel is untainted, no BPF program, map or link is left
 *   failure: REASON    otherwise
 *
 * Whether the tracers' output was right is for the host to say, which compares it.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

/* The second serial line: its driver is built into every distribution's kernel, virtio's is a module in some. */
#define AGENT_PORT "/dev/ttyS1"

static const struct {
	const char *type;
	const char *target;
} MOUNTS[] = {
	{"proc", "/proc"},
	{"sysfs", "/sys"},
	{"devtmpfs", "/dev"},
	{"tmpfs", "/tmp"},
	{"tracefs", "/sys/kernel/tracing"},
	{"bpf", "/sys/fs/bpf"},
	{"cgroup2", "/sys/fs/cgroup"},
};

/* From the kernel's enum bpf_cmd: each finds the least object id that is greater than a given one. */
static const struct {
	int command;
	const char *what;
} LEFTOVERS[] = {
	{11 /* BPF_PROG_GET_NEXT_ID */, "a BPF program is left"},
	{12 /* BPF_MAP_GET_NEXT_ID */, "a BPF map is left"},
	{31 /* BPF_LINK_GET_NEXT_ID */, "a BPF link is left"},
};

static const char *file_systems_mount(void)
{
	static char reason[128];

	for (size_t i = 0; i < sizeof(MOUNTS) / sizeof(MOUNTS[0]); i++) {
		mkdir(MOUNTS[i].target, 0755);
		if (mount(MOUNTS[i].type, MOUNTS[i].target, MOUNTS[i].type, 0, NULL) == 0)
			continue;
		/* A kernel with CONFIG_DEVTMPFS_MOUNT has been there before us. */
		if (errno == EBUSY)
			continue;
		snprintf(reason, sizeof(reason), "mount %s: %s", MOUNTS[i].target, strerror(errno));
		return reason;
	}
	if (symlink("/proc/self/fd", "/dev/fd") < 0)
		return "symlink /dev/fd";
	return chmod("/tmp", 01777) < 0 ? "chmod /tmp" : NULL;
}

static const char *loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const char *reason = NULL;

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		reason = "the loopback device does not come up";
	if (fd >= 0)
		close(fd);
	return reason;
}

static int bpf_object_exists(int command)
{
	/* union bpf_attr, its part for *_GET_NEXT_ID */
	struct {
		unsigned int start_id, next_id, open_flags;
	} attr = {0};

	return syscall(SYS_bpf, command, &attr, sizeof(attr)) == 0;
}

/* The kernel frees programs and what hangs on them some time after the last file descriptor is closed. */
static const char *leftovers_check(void)
{
	for (size_t i = 0; i < sizeof(LEFTOVERS) / sizeof(LEFTOVERS[0]); i++) {
		int tries = 50;

		while (bpf_object_exists(LEFTOVERS[i].command)) {
			if (--tries == 0)
				return LEFTOVERS[i].what;
			nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
		}
	}
	return NULL;
}

static const char *taint_check(void)
{
	static char reason[64];
	unsigned long tainted = 0;
	FILE *file = fopen("/proc/sys/kernel/tainted", "re");
	int fields;

	if (!file)
		return "no /proc/sys/kernel/tainted";
	fields = fscanf(file, "%lu", &tainted);
	fclose(file);
	if (fields == 1 && tainted == 0)
		return NULL;
	snprintf(reason, sizeof(reason), "the kernel is tainted: %lu", tainted);
	return reason;
}

static const char *machine_run(void)
{
	const char *reason = file_systems_mount();
	int err;

	if (!reason)
		reason = loopback_up();
	if (reason)
		return reason;
	err = agent_serve(AGENT_PORT);
	if (err == -EBUSY)
		return "the host did not wait for a process that it had spawned";
	if (err)
		return strerror(-err);
	reason = taint_check();
	return reason ? reason : leftovers_check();
}

int main(void)
{
	const char *reason = machine_run();

	if (reason)
		printf("failure: %s\n", reason);
	else
		printf("success\n");
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
