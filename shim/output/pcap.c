#include "shim/output/pcap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { PCAP_MAJOR = 2, PCAP_MINOR = 4, PCAP_SNAPLEN = 65535, PCAP_LINKTYPE_RAW = 101 };
#define PCAP_MAGIC 0xa1b2c3d4u  // with microseconds

struct pcap_file_header {
  uint32_t magic;
  uint16_t major;
  uint16_t minor;
  uint32_t reserved[2];
  uint32_t snaplen;
  uint32_t linktype;
};

struct pcap_packet_header {
  uint32_t seconds;
  uint32_t microseconds;
  uint32_t captured;
  uint32_t length;
};

int pcap_open(struct writer *file, const char *path) {
  int fd = strcmp(path, "-") ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)
                             : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  if (fd < 0)
    return -errno;
  const struct pcap_file_header header = {
      .magic = PCAP_MAGIC, .major = PCAP_MAJOR, .minor = PCAP_MINOR, .snaplen = PCAP_SNAPLEN, .linktype = PCAP_LINKTYPE_RAW};
  writer_init(file, fd, WRITER_FULL);
  writer_put(file, &header, sizeof(header));
  return 0;
}

int pcap_close(struct writer *file) {
  int err = writer_flush(file);
  close(file->fd);
  return err;
}

void pcap_put(struct writer *file, uint64_t time_ns, const void *packet, uint32_t captured, uint32_t length) {
  const struct pcap_packet_header header = {
      .seconds = (uint32_t)(time_ns / 1000000000),
      .microseconds = (uint32_t)(time_ns % 1000000000 / 1000),
      .captured = captured,
      .length = length,
  };
  writer_put(file, &header, sizeof(header));
  writer_put(file, packet, captured);
}
