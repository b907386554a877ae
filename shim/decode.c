#include "shim/decode.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

// The message is walked twice by the same code: first with arena == NULL, to learn how many bytes the structs, arrays and
// strings take, then to fill them. Nesting needs no limit of its own: a schema's messages do not contain themselves
// (c_codegen.py refuses it), and unknown fields are skipped without a look inside.
struct decoder {
  const struct message_layout *messages;
  uint8_t *arena;
  size_t used;
};

struct input {
  const uint8_t *at;
  const uint8_t *end;
};

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

// One field as it stands in the message: its number, wire type, and either a number or the bytes that it holds.
struct wire_field {
  uint64_t number;
  enum wire_type type;
  uint64_t value;
  struct input bytes;
};

static int read_varint(struct input *in, uint64_t *value) {
  *value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (in->at == in->end)
      return -EBADMSG;
    uint64_t bits = *in->at & 0x7f;
    if (shift == 63 && bits > 1)
      return -EBADMSG;
    *value |= bits << shift;
    if (!(*in->at++ & 0x80))
      return 0;
  }
  return -EBADMSG;
}

static int take_bytes(struct input *in, uint64_t size, struct input *taken) {
  if (size > (uint64_t)(in->end - in->at))
    return -EBADMSG;
  taken->at = in->at;
  taken->end = in->at += size;
  return 0;
}

static int read_field(struct input *in, struct wire_field *field) {
  uint64_t tag;
  int err = read_varint(in, &tag);
  if (err)
    return err;
  field->number = tag >> 3;
  field->type = (enum wire_type)(tag & 7);
  field->value = 0;
  switch (field->type) {
    case WIRE_VARINT:
      return read_varint(in, &field->value);
    case WIRE_FIXED64:
      return take_bytes(in, 8, &field->bytes);
    case WIRE_FIXED32:
      return take_bytes(in, 4, &field->bytes);
    case WIRE_BYTES:
      err = read_varint(in, &field->value);
      return err ? err : take_bytes(in, field->value, &field->bytes);
    default:  // groups, which proto3 does not have
      return -EBADMSG;
  }
}

// Returns NULL while measuring.
static void *arena_take(struct decoder *decoder, size_t size) {
  void *taken = decoder->arena ? decoder->arena + decoder->used : NULL;
  decoder->used += (size + 7) & ~(size_t)7;
  return taken;
}

static const struct field_layout *find_field(const struct message_layout *message, const struct wire_field *wire) {
  for (uint32_t i = 0; i < message->fields_count; i++)
    if (message->fields[i].number == wire->number)
      return &message->fields[i];
  return NULL;
}

static size_t element_size(const struct decoder *decoder, const struct field_layout *field) {
  return (field->kind & LAYOUT_KIND_MASK) == LAYOUT_MESSAGE ? decoder->messages[field->message].size : sizeof(char *);
}

static int decode_string(struct decoder *decoder, const struct input *bytes, void *value) {
  size_t size = (size_t)(bytes->end - bytes->at);
  if (memchr(bytes->at, 0, size))
    return -EBADMSG;  // it would end early in C
  char *copy = arena_take(decoder, size + 1);
  if (copy) {
    memcpy(copy, bytes->at, size);
    copy[size] = 0;
    memcpy(value, &copy, sizeof(copy));
  }
  return 0;
}

static int decode_message(struct decoder *decoder, const struct message_layout *message, struct input in, uint8_t *out);

// `out` is the struct that holds the field, NULL while measuring; arrays have been allocated.
static int decode_field(struct decoder *decoder, const struct field_layout *field, const struct wire_field *wire, uint8_t *out) {
  unsigned kind = field->kind & LAYOUT_KIND_MASK;
  if (wire->type != (kind <= LAYOUT_UINT64 ? WIRE_VARINT : WIRE_BYTES))
    return -EBADMSG;
  if (kind == LAYOUT_UINT32 && wire->value > UINT32_MAX)
    return -EBADMSG;

  uint8_t *value = out ? out + field->offset : NULL;
  if (field->kind & LAYOUT_REPEATED) {
    if (out) {
      uint32_t *count = (uint32_t *)(void *)(out + field->extra);
      uint8_t *array;
      memcpy(&array, value, sizeof(array));
      value = array + element_size(decoder, field) * (*count)++;
    } else {
      arena_take(decoder, element_size(decoder, field));
    }
  } else if (kind == LAYOUT_MESSAGE) {
    uint8_t *inner = arena_take(decoder, decoder->messages[field->message].size);
    if (out) {
      memcpy(value, &inner, sizeof(inner));
      if (field->kind & LAYOUT_ONEOF)
        *(uint32_t *)(void *)(out + field->extra) = field->number;
      value = inner;
    }
  }

  switch (kind) {
    case LAYOUT_MESSAGE:
      return decode_message(decoder, &decoder->messages[field->message], wire->bytes, value);
    case LAYOUT_STRING:
      return decode_string(decoder, &wire->bytes, value);
    default:
      break;
  }
  if (!out)
    return 0;
  switch (kind) {
    case LAYOUT_BYTES: {
      struct pb_bytes bytes = {wire->bytes.at, (uint32_t)(wire->bytes.end - wire->bytes.at)};
      memcpy(value, &bytes, sizeof(bytes));
      break;
    }
    case LAYOUT_BOOL:
      *(bool *)value = wire->value != 0;
      break;
    case LAYOUT_UINT32:
      *(uint32_t *)(void *)value = (uint32_t)wire->value;
      break;
    default:
      *(uint64_t *)(void *)value = wire->value;
      break;
  }
  return 0;
}

// Gives strings their default and repeated fields arrays of the right size, with counts back at zero for decode_field.
static int prepare_fields(struct decoder *decoder, const struct message_layout *message, struct input in, uint8_t *out) {
  struct wire_field wire;
  while (in.at < in.end) {
    int err = read_field(&in, &wire);
    if (err)
      return err;
    const struct field_layout *field = find_field(message, &wire);
    if (field && field->kind & LAYOUT_REPEATED)
      ++*(uint32_t *)(void *)(out + field->extra);
  }
  const void *const empty = "";
  for (uint32_t i = 0; i < message->fields_count; i++) {
    const struct field_layout *field = &message->fields[i];
    if (field->kind & LAYOUT_REPEATED) {
      uint32_t *count = (uint32_t *)(void *)(out + field->extra);
      void *array = *count ? arena_take(decoder, *count * element_size(decoder, field)) : NULL;
      memcpy(out + field->offset, &array, sizeof(array));
      *count = 0;
    } else if (field->kind == LAYOUT_STRING) {
      memcpy(out + field->offset, &empty, sizeof(empty));
    }
  }
  return 0;
}

static int decode_message(struct decoder *decoder, const struct message_layout *message, struct input in, uint8_t *out) {
  int err = out ? prepare_fields(decoder, message, in, out) : 0;
  while (!err && in.at < in.end) {
    struct wire_field wire;
    err = read_field(&in, &wire);
    const struct field_layout *field = err ? NULL : find_field(message, &wire);
    if (field)
      err = decode_field(decoder, field, &wire, out);
  }
  return err;
}

int message_decode(const struct message_layout *messages, uint32_t root, const uint8_t *data, uint32_t size, void **decoded) {
  struct decoder decoder = {.messages = messages};
  const struct input in = {data, data + size};
  arena_take(&decoder, messages[root].size);
  int err = decode_message(&decoder, &messages[root], in, NULL);
  if (err)
    return err;
  decoder.arena = calloc(1, decoder.used);
  if (!decoder.arena)
    return -ENOMEM;
  decoder.used = 0;
  uint8_t *out = arena_take(&decoder, messages[root].size);
  err = decode_message(&decoder, &messages[root], in, out);
  if (err) {
    free(decoder.arena);
    return err;
  }
  *decoded = decoder.arena;
  return 0;
}
