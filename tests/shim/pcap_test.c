// Files of packets, byte by byte.
#include "shim/output/pcap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/output/output.h"
#include "shim/packets.h"
#include "tests/shim/check.h"

static char path[] = "pcap_test.XXXXXX";

// What the file holds, up to `capacity` bytes. Returns their number.
static size_t content(uint8_t *data, size_t capacity) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  CHECK(fd >= 0);
  ssize_t size = read(fd, data, capacity);
  close(fd);
  CHECK(size >= 0);
  return (size_t)size;
}

static const uint8_t file_header[24] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 101, 0, 0, 0};

static void test_header(void) {
  struct writer file;
  uint8_t data[64];
  CHECK(pcap_open(&file, path) == 0);
  CHECK(pcap_close(&file) == 0);
  CHECK(content(data, sizeof(data)) == sizeof(file_header));
  CHECK(!memcmp(data, file_header, sizeof(file_header)));
}

static void test_packets(void) {
  static const uint8_t expected[] = {
      1, 0, 0, 0, 0x3f, 0x42, 0x0f, 0, 3, 0, 0, 0, 5, 0, 0, 0, 'a', 'b', 'c',  // 1.999999 s, cut
      2, 0, 0, 0, 0,    0,    0,    0, 1, 0, 0, 0, 1, 0, 0, 0, 'd',
  };
  struct writer file;
  uint8_t data[128];
  CHECK(pcap_open(&file, path) == 0);  // what was there before is gone
  pcap_put(&file, 1999999999, "abc", 3, 5);
  pcap_put(&file, 2000000999, "d", 1, 1);
  CHECK(pcap_close(&file) == 0);
  CHECK(content(data, sizeof(data)) == sizeof(file_header) + sizeof(expected));
  CHECK(!memcmp(data, file_header, sizeof(file_header)));
  CHECK(!memcmp(data + sizeof(file_header), expected, sizeof(expected)));
}

static void test_large_packet(void) {
  enum { SIZE = 3 * WRITER_CAPACITY };
  static uint8_t packet[SIZE], data[2 * SIZE];
  struct writer file;
  memset(packet, 'x', sizeof(packet));
  CHECK(pcap_open(&file, path) == 0);
  pcap_put(&file, 0, packet, SIZE, SIZE);
  CHECK(pcap_close(&file) == 0);
  CHECK(content(data, sizeof(data)) == sizeof(file_header) + 16 + SIZE);
  CHECK(!memcmp(data + sizeof(file_header) + 16, packet, SIZE));
}

static void test_no_such_directory(void) {
  struct writer file;
  CHECK(pcap_open(&file, "no such directory/packets.pcap") == -ENOENT);
}

// A program may send it through the ring buffer too, which pads what is missing.
static void test_cut_event(void) {
  const struct pb_source_span span = {.file = ""};
  const struct pb_skb_output output = {.path = path};
  const struct pb_action action = {.kind_case = PB_ACTION_KIND_SKB_OUTPUT, .skb_output = &output};
  const struct pb_map info = {.role = PB_MAP_PACKETS};
  const struct pb_required_resources resources = {.spans = &span, .spans_count = 1, .actions = &action, .actions_count = 1};
  const struct map map = {.info = &info, .fd = -1};
  struct tracer tracer = {.resources = &resources};
  uint8_t *event = calloc(1, 24);
  CHECK(event);
  event[16] = event[20] = 200;  // captured, and of how many
  CHECK(shim_packets_open(&tracer, &map, -1) < 0);  // there are no rings, but files
  CHECK(shim_action_skb_output(&tracer, &action, event, 16) == -EBADMSG);
  CHECK(shim_action_skb_output(&tracer, &action, event, 24) == -EBADMSG);
  free(event);
  shim_packets_close();
}

int main(void) {
  int fd = mkstemp(path);
  CHECK(fd >= 0);
  close(fd);
  CHECK_CASE(test_header);
  CHECK_CASE(test_packets);
  CHECK_CASE(test_large_packet);
  CHECK_CASE(test_no_such_directory);
  CHECK_CASE(test_cut_event);
  unlink(path);
  return check_result();
}
