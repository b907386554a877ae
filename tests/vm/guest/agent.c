/*
 * The guest's side of the conversation with the test on the host: spawn processes, wait for them, signal them, read
 * and write files. tests/vm/machine.py is the other side.
 *
 * A request is a little-endian u32 length and so many bytes: words, each ended by a NUL. A reply is the same with a
 * status byte ('+' or '-') before its data; after '-' the data is the text of the error.
 *
 *   spawn UID VARIABLES [NAME=VALUE]... ARGV...   reply: pid; output goes to /out/PID.stdout and /out/PID.stderr
 *   wait PID MILLISECONDS                         reply: "running", "exited CODE" or "signaled NUMBER"
 *   signal PID NUMBER                             reply: nothing
 *   read PATH OFFSET                              reply: the file from there, READ_MAX bytes at most
 *   write PATH BYTES                              reply: nothing; the last word may hold any bytes
 *   off                                           reply: nothing; the conversation is over
 */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { FRAME_MAX = 1 << 20, READ_MAX = 1 << 16, WORDS_MAX = 256, CHILDREN_MAX = 1024 };

struct child {
	pid_t pid;
	int status;
	int running;
};

struct request {
	char *words[WORDS_MAX];
	int count;
	const char *end;
};

struct agent {
	int port;
	int child_count;
	struct child children[CHILDREN_MAX];
	char frame[FRAME_MAX + 1];
	char reply[READ_MAX];
};

static int port_open(const char *path)
{
	struct termios mode;
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (tcgetattr(fd, &mode) == 0) {
		cfmakeraw(&mode);
		cfsetspeed(&mode, B115200);
		if (tcsetattr(fd, TCSANOW, &mode) == 0)
			return fd;
	}
	close(fd);
	return -EIO;
}

static int port_read(int fd, void *buffer, size_t size)
{
	char *at = buffer;

	while (size > 0) {
		ssize_t n = read(fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

static int port_write(int fd, const void *buffer, size_t size)
{
	const char *at = buffer;

	while (size > 0) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

static int agent_reply(const struct agent *agent, char status, const void *data, size_t size)
{
	uint32_t length = (uint32_t)size + 1;
	char head[5] = {(char)length, (char)(length >> 8), (char)(length >> 16), (char)(length >> 24), status};
	int err = port_write(agent->port, head, sizeof(head));

	return err ? err : port_write(agent->port, data, size);
}

static int agent_reply_text(const struct agent *agent, char status, const char *text)
{
	return agent_reply(agent, status, text, strlen(text));
}

/* Notes every child that has ended; orphans that PID 1 inherited are reaped and forgotten. */
static void agent_reap(struct agent *agent)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (int i = 0; i < agent->child_count; i++) {
			struct child *child = &agent->children[i];

			if (child->pid == pid && child->running) {
				child->running = 0;
				child->status = status;
			}
		}
	}
}

/* The youngest child of that pid: pids are reused. */
static struct child *agent_child(struct agent *agent, const char *pid)
{
	for (int i = agent->child_count; i-- > 0;)
		if (agent->children[i].pid == atoi(pid))
			return &agent->children[i];
	return NULL;
}

static int redirect(const char *path, int flags, int fd)
{
	int opened = open(path, flags, 0644);

	if (opened < 0)
		return -errno;
	if (dup2(opened, fd) < 0)
		return -errno;
	if (opened != fd)
		close(opened);
	return 0;
}

static void child_exec(uid_t uid, char **environment, char **arguments)
{
	char path[64];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	redirect("/dev/null", O_RDONLY, STDIN_FILENO);
	snprintf(path, sizeof(path), "/out/%d.stdout", getpid());
	redirect(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, STDOUT_FILENO);
	snprintf(path, sizeof(path), "/out/%d.stderr", getpid());
	redirect(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, STDERR_FILENO);
	if (uid != 0 && (setgroups(0, NULL) || setgid(uid) || setuid(uid)))
		_exit(126);
	execve(arguments[0], arguments, environment);
	dprintf(STDERR_FILENO, "agent: exec %s: %s\n", arguments[0], strerror(errno));
	_exit(127);
}

static int request_spawn(struct agent *agent, struct request *request)
{
	char *environment[WORDS_MAX] = {NULL};
	int variables = request->count > 2 ? atoi(request->words[2]) : 0;
	struct child *child;
	char text[16];
	int started[2];
	pid_t pid;

	if (variables < 0 || request->count < 4 + variables)
		return -EINVAL;
	if (agent->child_count == CHILDREN_MAX)
		return -ENOSPC;
	memcpy(environment, request->words + 3, (size_t)variables * sizeof(char *));
	request->words[request->count] = NULL;
	if (pipe2(started, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		child_exec((uid_t)atoi(request->words[1]), environment, request->words + 3 + variables);
	close(started[1]);
	/* Closed in the child by exec: from then on its output files are there. */
	if (pid > 0)
		port_read(started[0], text, 1);
	close(started[0]);
	if (pid < 0)
		return -EAGAIN;
	child = &agent->children[agent->child_count++];
	*child = (struct child){.pid = pid, .running = 1};
	snprintf(text, sizeof(text), "%d", pid);
	return agent_reply_text(agent, '+', text);
}

static long milliseconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int request_wait(struct agent *agent, struct request *request)
{
	struct child *child = request->count == 3 ? agent_child(agent, request->words[1]) : NULL;
	char text[32] = "running";
	sigset_t child_ended;
	long deadline;

	if (!child)
		return -ECHILD;
	sigemptyset(&child_ended);
	sigaddset(&child_ended, SIGCHLD);
	deadline = milliseconds_now() + atol(request->words[2]);
	for (agent_reap(agent); child->running; agent_reap(agent)) {
		long left = deadline - milliseconds_now();

		if (left <= 0)
			break;
		sigtimedwait(&child_ended, NULL, &(struct timespec){left / 1000, left % 1000 * 1000000});
	}
	if (!child->running && WIFEXITED(child->status))
		snprintf(text, sizeof(text), "exited %d", WEXITSTATUS(child->status));
	else if (!child->running)
		snprintf(text, sizeof(text), "signaled %d", WTERMSIG(child->status));
	return agent_reply_text(agent, '+', text);
}

static int request_signal(struct agent *agent, struct request *request)
{
	struct child *child = request->count == 3 ? agent_child(agent, request->words[1]) : NULL;

	agent_reap(agent);
	if (!child || !child->running)
		return -ESRCH;
	if (kill(child->pid, atoi(request->words[2])) < 0)
		return -errno;
	return agent_reply(agent, '+', NULL, 0);
}

static int request_read(struct agent *agent, struct request *request)
{
	ssize_t size;
	int fd, err;

	if (request->count != 3)
		return -EINVAL;
	fd = open(request->words[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Files of procfs and tracefs need not be seekable: then only offset 0 works, by read(). */
	size = pread(fd, agent->reply, READ_MAX, atol(request->words[2]));
	err = size < 0 ? -errno : 0;
	close(fd);
	return err ? err : agent_reply(agent, '+', agent->reply, (size_t)size);
}

static int request_write(struct agent *agent, struct request *request)
{
	int fd, err;

	if (request->count < 3)
		return -EINVAL;
	fd = open(request->words[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	/* The host ends the content with a NUL as it does every word. */
	err = port_write(fd, request->words[2], (size_t)(request->end - request->words[2]) - 1);
	close(fd);
	return err ? err : agent_reply(agent, '+', NULL, 0);
}

static const struct {
	const char *name;
	int (*serve)(struct agent *agent, struct request *request);
} REQUESTS[] = {
	{"spawn", request_spawn}, {"wait", request_wait},   {"signal", request_signal},
	{"read", request_read},	  {"write", request_write},
};

static int request_receive(struct agent *agent, struct request *request)
{
	unsigned char head[4];
	size_t length;
	char *word;
	int err = port_read(agent->port, head, sizeof(head));

	if (err)
		return err;
	length = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
	if (length == 0 || length > FRAME_MAX)
		return -EPROTO;
	err = port_read(agent->port, agent->frame, length);
	if (err)
		return err;
	agent->frame[length] = '\0';
	request->end = agent->frame + length;
	request->count = 0;
	for (word = agent->frame; word < request->end && request->count < WORDS_MAX - 1; word += strlen(word) + 1)
		request->words[request->count++] = word;
	return 0;
}

static int agent_dispatch(struct agent *agent, struct request *request)
{
	for (size_t i = 0; i < sizeof(REQUESTS) / sizeof(REQUESTS[0]); i++)
		if (strcmp(request->words[0], REQUESTS[i].name) == 0)
			return REQUESTS[i].serve(agent, request);
	return -ENOSYS;
}

static int agent_all_waited_for(struct agent *agent)
{
	agent_reap(agent);
	for (int i = 0; i < agent->child_count; i++)
		if (agent->children[i].running)
			return -EBUSY;
	return 0;
}

int agent_serve(const char *port)
{
	static struct agent agent;
	struct request request;
	sigset_t child_ended;
	int err;

	/* Blocked, so that sigtimedwait() sees the end of a child. */
	sigemptyset(&child_ended);
	sigaddset(&child_ended, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child_ended, NULL);
	if (mkdir("/out", 0755) < 0 && errno != EEXIST)
		return -errno;
	agent.port = port_open(port);
	if (agent.port < 0)
		return agent.port;
	/* The greeting: whatever the host does, it does after this. */
	err = agent_reply(&agent, '+', NULL, 0);
	while (!err) {
		err = request_receive(&agent, &request);
		if (err)
			break;
		if (strcmp(request.words[0], "off") == 0) {
			err = agent_reply(&agent, '+', NULL, 0);
			if (!err)
				tcdrain(agent.port);
			break;
		}
		err = agent_dispatch(&agent, &request);
		if (err)
			err = agent_reply_text(&agent, '-', strerror(-err));
	}
	close(agent.port);
	return err ? err : agent_all_waited_for(&agent);
}
