#include "shim/payload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/report.h"

enum { HEADER_SIZE = 24 };

static uint32_t read_u32(const uint8_t *data) {
  return data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

// CRC-32 of IEEE 802.3.
static uint32_t crc32(const uint8_t *data, size_t size) {
  static const uint32_t table[16] = {
      // by nibble: a sixteenth of the usual table, at a quarter of its speed
      0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
      0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
  };
  uint32_t crc = ~0u;
  for (size_t i = 0; i < size; i++) {
    crc = table[(crc ^ data[i]) & 15] ^ (crc >> 4);
    crc = table[(crc ^ (data[i] >> 4)) & 15] ^ (crc >> 4);
  }
  return ~crc;
}

static int refuse(const char *why) {
  report(REPORT_ERROR, NULL, 0, "payload: read tracer: %s", why);
  return -EBADMSG;
}

int payload_open(const uint8_t *data, size_t size, struct pb_required_resources **resources) {
  if (size < HEADER_SIZE || memcmp(data, "BPFTRACE", 8) != 0)
    return refuse("no payload header");
  uint32_t version = read_u32(data + 8);
  uint32_t length = read_u32(data + 12);
  if (version != PAYLOAD_FORMAT_VERSION) {
    report(REPORT_ERROR, NULL, 0,
           "payload: read tracer: it has format version %u, but this shim reads version %d: compile the script again", version,
           PAYLOAD_FORMAT_VERSION);
    return -EBADMSG;
  }
  if (length != size - HEADER_SIZE)
    return refuse("the length does not match: it is truncated or corrupt");
  if (read_u32(data + 16) != crc32(data + HEADER_SIZE, length) || read_u32(data + 20))
    return refuse("the checksum does not match: it is corrupt");

  void *decoded;
  int err = message_decode(message_layouts, PB_REQUIRED_RESOURCES_MESSAGE, data + HEADER_SIZE, length, &decoded);
  if (err)
    return refuse(err == -ENOMEM ? "not enough memory" : "it is not a well-formed message");
  const char *why = resources_validate(decoded);
  if (why) {
    free(decoded);
    return refuse(why);
  }
  *resources = decoded;
  return 0;
}
