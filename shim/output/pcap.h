// Files of packets in the pcap format, version 2.4 (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-03.html), in the byte
// order of the host. The packets begin with their IP header; times have microseconds.
#ifndef SHIM_OUTPUT_PCAP_H
#define SHIM_OUTPUT_PCAP_H

#include <stdint.h>

#include "shim/output/writer.h"

// Creates the file, or empties it, and writes its header; "-" is stdout. Returns 0 or a negative errno.
int pcap_open(struct writer *file, const char *path);
// Writes what is buffered. Returns file->error.
int pcap_close(struct writer *file);

// Adds a packet: `time_ns` since 1970, `captured` bytes of it out of `length`.
void pcap_put(struct writer *file, uint64_t time_ns, const void *packet, uint32_t captured, uint32_t length);

#endif
