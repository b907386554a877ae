/*
 * Connects to listeners of its own on the loopback device: five times over IPv4, five times over IPv6. Prints
 * "LOCAL-ADDRESS LOCAL-PORT REMOTE-ADDRESS REMOTE-PORT" of each connection, as the connecting side sees it.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 5 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static void must(int result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(1);
	}
}

static union address loopback(int family, socklen_t *size)
{
	union address address = {.any.sa_family = (sa_family_t)family};

	if (family == AF_INET) {
		address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		*size = sizeof(address.v4);
	} else {
		address.v6.sin6_addr = in6addr_loopback;
		*size = sizeof(address.v6);
	}
	return address;
}

static void address_print(const union address *address, const char *end)
{
	int v4 = address->any.sa_family == AF_INET;
	const void *bytes = v4 ? (const void *)&address->v4.sin_addr : (const void *)&address->v6.sin6_addr;
	char text[INET6_ADDRSTRLEN];

	inet_ntop(address->any.sa_family, bytes, text, sizeof(text));
	printf("%s %d%s", text, ntohs(v4 ? address->v4.sin_port : address->v6.sin6_port), end);
}

static void connections_make(int family)
{
	socklen_t size;
	union address remote = loopback(family, &size), local = remote;
	int listener = socket(family, SOCK_STREAM, 0);

	must(listener, "socket");
	must(bind(listener, &remote.any, size), "bind");
	must(listen(listener, CONNECTIONS), "listen");
	must(getsockname(listener, &remote.any, &size), "getsockname");
	for (int i = 0; i < CONNECTIONS; i++) {
		int fd = socket(family, SOCK_STREAM, 0);

		must(fd, "socket");
		must(connect(fd, &remote.any, size), "connect");
		must(getsockname(fd, &local.any, &size), "getsockname");
		address_print(&local, " ");
		address_print(&remote, "\n");
	}
}

int main(void)
{
	connections_make(AF_INET);
	connections_make(AF_INET6);
	return 0;
}
