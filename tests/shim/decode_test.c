// The protobuf decoder against messages written out by hand (https://protobuf.dev/programming-guides/encoding/).
#include "shim/decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shim/resources.h"
#include "tests/shim/check.h"

// The fields of RequiredResources that are used: 1 format_version, 2 compiler_version, 7 types, 13 probes, 14 btf.
static int decode(const char *data, uint32_t size, struct pb_required_resources **resources) {
  void *decoded = NULL;
  int err = message_decode(message_layouts, PB_REQUIRED_RESOURCES_MESSAGE, (const uint8_t *)data, size, &decoded);
  *resources = decoded;
  return err;
}

#define DECODE(data) decode(data, sizeof(data) - 1, &resources)

static void empty_message(void) {
  struct pb_required_resources *resources;
  CHECK(DECODE("") == 0);
  CHECK(resources->format_version == 0);
  CHECK(!strcmp(resources->compiler_version, ""));
  CHECK(resources->script == NULL);
  CHECK(resources->types_count == 0 && resources->types == NULL);
  free(resources);
}

static void scalars_strings_and_bytes(void) {
  struct pb_required_resources *resources;
  CHECK(DECODE("\x08\xac\x02\x12\x03" "abc" "\x72\x02\x00\xff") == 0);
  CHECK(resources->format_version == 300);
  CHECK(!strcmp(resources->compiler_version, "abc"));
  CHECK(resources->btf.size == 2 && resources->btf.data[1] == 0xff);
  free(resources);
}

static void repeated_messages_in_order(void) {
  struct pb_required_resources *resources;
  // types { size: 1 } compiler_version: "x" types { name: "T" lhist_min: -1 fields { offset: 5 } fields {} }
  CHECK(DECODE("\x3a\x02\x10\x01" "\x12\x01x" "\x3a\x14\x22\x01T" "\x68\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
               "\x3a\x02\x18\x05" "\x3a\x00") == 0);
  CHECK(resources->types_count == 2);
  CHECK(resources->types[0].size == 1 && !strcmp(resources->types[0].name, ""));
  CHECK(!strcmp(resources->types[1].name, "T") && resources->types[1].lhist_min == -1);
  CHECK(resources->types[1].fields_count == 2 && resources->types[1].fields[0].offset == 5);
  free(resources);
}

static void oneof_keeps_the_last_member(void) {
  struct pb_required_resources *resources;
  // probes { special { kind: END } interval { period_ns: 7 } }
  CHECK(DECODE("\x6a\x08\x22\x02\x08\x01\x2a\x02\x08\x07") == 0);
  CHECK(resources->probes_count == 1);
  CHECK(resources->probes[0].attach_case == PB_PROBE_ATTACH_INTERVAL);
  CHECK(resources->probes[0].interval->period_ns == 7);
  free(resources);
}

static void unknown_fields_are_skipped(void) {
  struct pb_required_resources *resources;
  // fields 200 (varint), 201 (fixed64), 202 (bytes), 203 (fixed32), then format_version: 1
  CHECK(DECODE("\xc0\x0c\x05" "\xc9\x0c" "12345678" "\xd2\x0c\x01z" "\xdd\x0c" "1234" "\x08\x01") == 0);
  CHECK(resources->format_version == 1);
  free(resources);
}

static void malformed_messages_are_refused(void) {
  struct pb_required_resources *resources;
  CHECK(DECODE("\x08") == -EBADMSG);                                           // no value
  CHECK(DECODE("\x08\x80") == -EBADMSG);                                       // varint cut
  CHECK(DECODE("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02") == -EBADMSG);   // more than 64 bits
  CHECK(DECODE("\x08\xff\xff\xff\xff\x1f") == -EBADMSG);                       // more than 32 bits
  CHECK(DECODE("\x12\x04" "abc") == -EBADMSG);                                 // string cut
  CHECK(DECODE("\x12\x03" "a\0c") == -EBADMSG);                                // NUL in a string
  CHECK(DECODE("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01") == -EBADMSG);   // length of 2^64 - 1
  CHECK(DECODE("\x0a\x01x") == -EBADMSG);                                      // number as bytes
  CHECK(DECODE("\x10\x01") == -EBADMSG);                                       // string as number
  CHECK(DECODE("\x0b\x0c") == -EBADMSG);                                       // group
  CHECK(DECODE("\x3a\x02\x10") == -EBADMSG);                                   // message cut
  CHECK(DECODE("\x3a\x01\x10") == -EBADMSG);                                   // malformed inside
}

int main(void) {
  CHECK_CASE(empty_message);
  CHECK_CASE(scalars_strings_and_bytes);
  CHECK_CASE(repeated_messages_in_order);
  CHECK_CASE(oneof_keeps_the_last_member);
  CHECK_CASE(unknown_fields_are_skipped);
  CHECK_CASE(malformed_messages_are_refused);
  return check_result();
}
