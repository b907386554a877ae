// The user-space CO-RE resolver against two BTFs made by hand: what a script was compiled with, and what a kernel has.
#include "shim/core_relo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/shim/check.h"

// Writes BTF piece by piece.
struct builder {
  uint32_t types[512];
  uint32_t used;  // words
  uint32_t count;
  char strings[1024];
  uint32_t strings_used;
  uint8_t data[4096];
};

static uint32_t add_string(struct builder *b, const char *text) {
  uint32_t at = b->strings_used;
  if (!*text)
    return 0;
  size_t size = strlen(text) + 1;
  memcpy(b->strings + at, text, size);
  b->strings_used += (uint32_t)size;
  return at;
}

static uint32_t add_type(struct builder *b, const char *name, uint32_t kind, uint32_t vlen, bool flag, uint32_t size) {
  b->types[b->used++] = add_string(b, name);
  b->types[b->used++] = vlen | kind << 24 | (uint32_t)flag << 31;
  b->types[b->used++] = size;
  return ++b->count;
}

static void add_word(struct builder *b, uint32_t word) {
  b->types[b->used++] = word;
}

static uint32_t add_int(struct builder *b, const char *name, uint32_t size, bool is_signed) {
  uint32_t id = add_type(b, name, BTF_KIND_INT, 0, false, size);
  add_word(b, (uint32_t)is_signed << 24 | size * 8);
  return id;
}

static void add_member(struct builder *b, const char *name, uint32_t type, uint32_t offset) {
  add_word(b, add_string(b, name));
  add_word(b, type);
  add_word(b, offset);
}

static uint32_t add_array(struct builder *b, uint32_t element, uint32_t count) {
  uint32_t id = add_type(b, "", BTF_KIND_ARRAY, 0, false, 0);
  add_word(b, element);
  add_word(b, 1);
  add_word(b, count);
  return id;
}

static void finish(struct builder *b, struct btf *btf) {
  struct btf_header header = {.magic = BTF_MAGIC,
                              .version = 1,
                              .hdr_len = sizeof(header),
                              .type_len = b->used * 4,
                              .str_off = b->used * 4,
                              .str_len = b->strings_used};
  memcpy(b->data, &header, sizeof(header));
  memcpy(b->data + sizeof(header), b->types, header.type_len);
  memcpy(b->data + sizeof(header) + header.type_len, b->strings, b->strings_used);
  CHECK(btf_index(btf, b->data, sizeof(header) + header.type_len + header.str_len) == 0);
}

static struct builder local_builder, target_builder;
static struct btf local, target;
static uint32_t local_task, local_gone, local_zone, local_flavoured;

// What the script was compiled with.
static void build_local(void) {
  struct builder *b = &local_builder;
  b->strings_used = 1;
  uint32_t integer = add_int(b, "int", 4, true);
  uint32_t character = add_int(b, "char", 1, true);
  uint32_t comm = add_array(b, character, 16);
  uint32_t inner = add_type(b, "inner", BTF_KIND_STRUCT, 2, false, 8);
  add_member(b, "x", integer, 0);
  add_member(b, "y", integer, 32);
  uint32_t pointer = add_type(b, "", BTF_KIND_PTR, 0, false, 0);
  local_task = add_type(b, "task", BTF_KIND_STRUCT, 8, true, 64);
  add_member(b, "pid", integer, 0);
  add_member(b, "comm", comm, 32);
  add_member(b, "in", inner, 160);
  add_member(b, "bits", integer, 5u << 24 | 224);
  add_member(b, "next", pointer, 256);
  add_member(b, "gone", integer, 320);
  add_member(b, "hidden", integer, 352);
  add_member(b, "changed", integer, 384);
  local_gone = add_type(b, "no_such_struct", BTF_KIND_STRUCT, 1, false, 4);
  add_member(b, "a", integer, 0);
  local_zone = add_type(b, "zone", BTF_KIND_ENUM, 3, false, 4);
  const char *const names[] = {"DMA", "NORMAL___old", "NOWHERE"};
  for (uint32_t i = 0; i < 3; i++) {
    add_word(b, add_string(b, names[i]));
    add_word(b, i);
  }
  local_flavoured = add_type(b, "task___new", BTF_KIND_STRUCT, 1, false, 4);
  add_member(b, "pid", integer, 0);
  finish(b, &local);
}

// What the kernel has: everything elsewhere, with typedefs, qualifiers and an anonymous union in between.
static void build_target(void) {
  struct builder *b = &target_builder;
  b->strings_used = 1;
  uint32_t integer = add_int(b, "int", 4, true);
  uint32_t character = add_int(b, "char", 1, false);
  uint32_t word = add_int(b, "unsigned long", 8, false);
  uint32_t comm = add_array(b, character, 32);
  uint32_t inner = add_type(b, "inner", BTF_KIND_STRUCT, 2, false, 24);
  add_member(b, "y", word, 64);
  add_member(b, "x", integer, 128);
  uint32_t alias = add_type(b, "inner_t", BTF_KIND_TYPEDEF, 0, false, inner);
  uint32_t constant = add_type(b, "", BTF_KIND_CONST, 0, false, alias);
  uint32_t pointer = add_type(b, "", BTF_KIND_PTR, 0, false, 0);
  uint32_t either = add_type(b, "", BTF_KIND_UNION, 2, false, 8);
  add_member(b, "other", word, 0);
  add_member(b, "hidden", integer, 0);
  add_type(b, "task", BTF_KIND_FWD, 0, false, 0);
  uint32_t task = add_type(b, "task", BTF_KIND_STRUCT, 7, true, 256);
  add_member(b, "next", pointer, 0);
  add_member(b, "comm", comm, 64);
  add_member(b, "pid", word, 512);
  add_member(b, "in", constant, 640);
  add_member(b, "bits", integer, 3u << 24 | 1001);
  add_member(b, "", either, 1024);
  add_member(b, "changed", pointer, 1088);
  CHECK(task == 11);
  add_type(b, "zone", BTF_KIND_ENUM64, 2, false, 8);
  add_word(b, add_string(b, "NORMAL"));
  add_word(b, 7);
  add_word(b, 1);
  add_word(b, add_string(b, "DMA"));
  add_word(b, 0);
  add_word(b, 0);
  finish(b, &target);
}

// Resolves; returns the value, or -1 if it is absent, or a negative errno below -1.
static int64_t resolve(uint32_t kind, uint32_t type, const char *access) {
  const struct pb_core_relocation relocation = {.kind = kind, .btf_type = type, .access = access, .description = ""};
  struct core_result result;
  int err = core_relo_resolve(&local, &target, &relocation, &result);
  if (err)
    return err;
  return result.is_absent ? -1 : (int64_t)result.value;
}

static void offsets(void) {
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_OFFSET, local_task, "0:0") == 64);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_OFFSET, local_task, "0:1") == 8);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_OFFSET, local_task, "0:1:5") == 13);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_OFFSET, local_task, "0:2:0") == 96);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_OFFSET, local_task, "0:2:1") == 88);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_OFFSET, local_task, "0:4") == 0);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_OFFSET, local_task, "0:6") == 128);  // through the anonymous union
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_OFFSET, local_task, "1:0") == 256 + 64);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_OFFSET, local_task, "0") == 0);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_OFFSET, local_flavoured, "0:0") == 64);
}

static void sizes_and_signs(void) {
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_SIZE, local_task, "0:0") == 8);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_SIZE, local_task, "0:1") == 32);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_SIZE, local_task, "0:1:0") == 1);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_SIGNED, local_task, "0:0") == 0);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_SIGNED, local_task, "0:2:0") == 1);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_LSHIFT_U64, local_task, "0:2:0") == 32);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_RSHIFT_U64, local_task, "0:2:0") == 32);
}

static void bitfields(void) {
  // Three bits from bit 1001 of a 32-bit integer: bit 9 of the word at byte 124.
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_OFFSET, local_task, "0:3") == 124);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_SIZE, local_task, "0:3") == 4);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_LSHIFT_U64, local_task, "0:3") == 64 - 12);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_RSHIFT_U64, local_task, "0:3") == 61);
}

static void absent_fields(void) {
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_EXISTS, local_task, "0:0") == 1);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_EXISTS, local_task, "0:5") == 0);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_OFFSET, local_task, "0:5") == -1);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_SIZE, local_task, "0:5") == -1);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_EXISTS, local_task, "0:7") == 0);  // now a pointer
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_EXISTS, local_gone, "0:0") == 0);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_OFFSET, local_gone, "0:0") == -1);
}

static void types(void) {
  CHECK(resolve(PB_CORE_RELOCATION_TYPE_ID_LOCAL, local_task, "0") == local_task);
  CHECK(resolve(PB_CORE_RELOCATION_TYPE_ID_TARGET, local_task, "0") == 11);
  CHECK(resolve(PB_CORE_RELOCATION_TYPE_EXISTS, local_task, "0") == 1);
  CHECK(resolve(PB_CORE_RELOCATION_TYPE_SIZE, local_task, "0") == 256);
  CHECK(resolve(PB_CORE_RELOCATION_TYPE_EXISTS, local_gone, "0") == 0);
  CHECK(resolve(PB_CORE_RELOCATION_TYPE_SIZE, local_gone, "0") == 0);
}

static void enumerators(void) {
  CHECK(resolve(PB_CORE_RELOCATION_ENUM_VALUE, local_zone, "0") == 0);
  CHECK(resolve(PB_CORE_RELOCATION_ENUM_VALUE, local_zone, "1") == (1LL << 32 | 7));
  CHECK(resolve(PB_CORE_RELOCATION_ENUM_VALUE_EXISTS, local_zone, "1") == 1);
  CHECK(resolve(PB_CORE_RELOCATION_ENUM_VALUE_EXISTS, local_zone, "2") == 0);
  CHECK(resolve(PB_CORE_RELOCATION_ENUM_VALUE, local_zone, "2") == -1);
}

static void malformed_relocations(void) {
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_OFFSET, 999, "0:0") == -EINVAL);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_OFFSET, local_task, "0:99") == -EINVAL);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_OFFSET, local_task, "0:0:0") == -EINVAL);
  CHECK(resolve(PB_CORE_RELOCATION_FIELD_BYTE_OFFSET, local_task, "0:1:16") == -EINVAL);
  CHECK(resolve(PB_CORE_RELOCATION_ENUM_VALUE, local_zone, "3") == -EINVAL);
}

static void malformed_btf(void) {
  struct btf btf;
  uint8_t data[sizeof(local_builder.data)];
  struct btf_header header;
  memcpy(&header, local_builder.data, sizeof(header));
  size_t size = sizeof(header) + header.type_len + header.str_len;
  for (size_t cut = 0; cut < size; cut++)
    CHECK(btf_index(&btf, local_builder.data, cut) == -EINVAL);
  // Any single spoilt byte is refused or harmless.
  for (size_t at = 0; at < size; at++) {
    for (int value = 1; value < 256; value += 63) {
      memcpy(data, local_builder.data, size);
      data[at] ^= (uint8_t)value;
      if (btf_index(&btf, data, size))
        continue;
      for (uint32_t kind = 0; kind <= PB_CORE_RELOCATION_ENUM_VALUE; kind++) {
        const struct pb_core_relocation relocation = {.kind = kind, .btf_type = local_task, .access = "0:2:1", .description = ""};
        struct core_result result;
        core_relo_resolve(&btf, &target, &relocation, &result);
        core_relo_resolve(&local, &btf, &relocation, &result);
      }
      btf_close(&btf);
    }
  }
}

int main(void) {
  build_local();
  build_target();
  CHECK_CASE(offsets);
  CHECK_CASE(sizes_and_signs);
  CHECK_CASE(bitfields);
  CHECK_CASE(absent_fields);
  CHECK_CASE(types);
  CHECK_CASE(enumerators);
  CHECK_CASE(malformed_relocations);
  CHECK_CASE(malformed_btf);
  btf_close(&local);
  btf_close(&target);
  return check_result();
}
