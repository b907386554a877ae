// Decodes a protobuf message into C structs, by the tables that proto/c_codegen.py writes.
#ifndef SHIM_DECODE_H
#define SHIM_DECODE_H

#include <stddef.h>
#include <stdint.h>

struct pb_bytes {
  const uint8_t *data;
  uint32_t size;
};

enum {
  LAYOUT_BOOL,
  LAYOUT_UINT32,
  LAYOUT_UINT64,
  LAYOUT_STRING,
  LAYOUT_BYTES,
  LAYOUT_MESSAGE,
  LAYOUT_KIND_MASK = 0x0f,
  LAYOUT_REPEATED = 0x10,
  LAYOUT_ONEOF = 0x20,
};

struct field_layout {
  uint8_t number;
  uint8_t kind;     // LAYOUT_BOOL..LAYOUT_MESSAGE and LAYOUT_REPEATED, LAYOUT_ONEOF
  uint16_t message; // of LAYOUT_MESSAGE: index into the table of messages
  uint16_t offset;  // of the value in the struct
  uint16_t extra;   // of the count of a repeated field, or of the case of a oneof
};

struct message_layout {
  const struct field_layout *fields;
  uint16_t fields_count;
  uint16_t size;
};

// Decodes `data` as messages[root]. On success *decoded is one allocation that holds everything except for `bytes` fields,
// which point into `data`; release it with free(). Unknown fields are skipped. Returns 0, -EBADMSG if the data is not a
// well-formed message of this schema, or -ENOMEM.
int message_decode(const struct message_layout *messages, uint32_t root, const uint8_t *data, uint32_t size, void **decoded);

#endif
