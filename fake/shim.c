#include <stdio.h>
extern const char bpftrace_payload[], bpftrace_payload_end[];
int main(void){ printf("payload %d bytes: %s\n", (int)(bpftrace_payload_end-bpftrace_payload), bpftrace_payload); return 0; }
