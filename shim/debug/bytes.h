// Reads numbers and texts from data that nobody has checked: what would lie outside of it is zero, and is remembered.
#ifndef SHIM_DEBUG_BYTES_H
#define SHIM_DEBUG_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
  const uint8_t *start;
  const uint8_t *at;
  const uint8_t *end;
  bool is_bad;  // something was outside
};

static inline bool bytes_has(const struct bytes *bytes, uint64_t size) {
  return size <= (uint64_t)(bytes->end - bytes->at);
}

static inline void bytes_fail(struct bytes *bytes) {
  bytes->is_bad = true;
  bytes->at = bytes->end;
}

static inline void bytes_skip(struct bytes *bytes, uint64_t size) {
  if (bytes_has(bytes, size))
    bytes->at += size;
  else
    bytes_fail(bytes);
}

static inline uint64_t bytes_number(struct bytes *bytes, unsigned size) {
  uint64_t value = 0;
  if (size > sizeof(value) || !bytes_has(bytes, size)) {
    bytes_fail(bytes);
    return 0;
  }
  memcpy(&value, bytes->at, size);
  bytes->at += size;
  return value;
}

// LEB128
static inline uint64_t bytes_unsigned(struct bytes *bytes) {
  uint64_t value = 0;
  for (unsigned shift = 0; bytes->at < bytes->end; shift += 7) {
    uint8_t byte = *bytes->at++;
    if (shift < 64)
      value |= (uint64_t)(byte & 0x7f) << shift;
    if (!(byte & 0x80))
      return value;
  }
  bytes_fail(bytes);
  return 0;
}

static inline int64_t bytes_signed(struct bytes *bytes) {
  const uint8_t *start = bytes->at;
  uint64_t value = bytes_unsigned(bytes);
  unsigned bits = 7 * (unsigned)(bytes->at - start);
  if (!bytes->is_bad && bits < 64 && value >> (bits - 1))
    value |= ~UINT64_C(0) << bits;
  return (int64_t)value;
}

static inline const char *bytes_text(struct bytes *bytes) {
  const char *text = (const char *)bytes->at;
  const uint8_t *nul = bytes->at < bytes->end ? memchr(bytes->at, 0, (size_t)(bytes->end - bytes->at)) : NULL;
  if (!nul) {
    bytes_fail(bytes);
    return "";
  }
  bytes->at = nul + 1;
  return text;
}

// The same data from an offset on.
static inline struct bytes bytes_from(const struct bytes *bytes, uint64_t offset) {
  struct bytes from = {.start = bytes->start, .at = bytes->end, .end = bytes->end};
  if (bytes->start && offset <= (uint64_t)(bytes->end - bytes->start))
    from.at = bytes->start + offset;
  else
    from.is_bad = true;
  return from;
}

#endif
