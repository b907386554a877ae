#include "shim/core_relo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// A relocation names a root type and a path from it ("0:1:2": the index of the root itself, then members and array elements by
// their position in the local type). The path is taken in local and target type at the same time: a member is looked up by name,
// also through anonymous members of the target, and its sort must be the same.

enum { MAX_DEPTH = 32 };

// A place inside a type: what the path has led to. Bits are counted from the start of the root.
struct place {
  uint32_t type;
  uint64_t bit_offset;
  uint32_t bit_size;  // of a bitfield, else 0
};

static const struct btf_member *members_of(const struct btf_type *type) {
  return (const struct btf_member *)(type + 1);
}

static bool is_composite(const struct btf_type *type) {
  return btf_kind(type) == BTF_KIND_STRUCT || btf_kind(type) == BTF_KIND_UNION;
}

static void enter_member(struct place *place, const struct btf_type *type, uint32_t index) {
  const struct btf_member *member = &members_of(type)[index];
  bool has_sizes = btf_kind_flag(type);
  place->bit_offset += has_sizes ? member->offset & 0xffffff : member->offset;
  place->bit_size = has_sizes ? member->offset >> 24 : 0;
  place->type = member->type;
}

// Whether a target's field may stand for the local one: the same sort of value, of whatever size.
static bool fields_match(const struct btf *local, uint32_t local_id, const struct btf *target, uint32_t target_id) {
  for (int depth = 0; depth < MAX_DEPTH; depth++) {
    local_id = btf_skip_modifiers(local, local_id);
    target_id = btf_skip_modifiers(target, target_id);
    const struct btf_type *a = btf_type(local, local_id), *b = btf_type(target, target_id);
    if (is_composite(a) && is_composite(b))
      return true;
    uint32_t kind_a = btf_kind(a), kind_b = btf_kind(b);
    bool is_enum_a = kind_a == BTF_KIND_ENUM || kind_a == BTF_KIND_ENUM64;
    bool is_enum_b = kind_b == BTF_KIND_ENUM || kind_b == BTF_KIND_ENUM64;
    if (is_enum_a && is_enum_b)
      return true;
    if (kind_a != kind_b)
      return false;
    if (kind_a != BTF_KIND_ARRAY)
      return kind_a == BTF_KIND_INT || kind_a == BTF_KIND_PTR || kind_a == BTF_KIND_FLOAT || kind_a == BTF_KIND_FWD;
    local_id = ((const struct btf_array *)(a + 1))->type;
    target_id = ((const struct btf_array *)(b + 1))->type;
  }
  return false;
}

// Enters the member of the target's `place` that has the local member's name. Returns false if there is none that matches.
static bool find_member(const struct btf *local, const struct btf_member *wanted, const struct btf *target, struct place *place,
                        int depth) {
  const struct btf_type *type = btf_type(target, btf_skip_modifiers(target, place->type));
  if (!is_composite(type) || depth == MAX_DEPTH)
    return false;
  const char *name = btf_string(local, wanted->name_off);
  for (uint32_t i = 0; i < btf_vlen(type); i++) {
    const char *found = btf_string(target, members_of(type)[i].name_off);
    struct place inner = *place;
    enter_member(&inner, type, i);
    bool matches = *found ? !strcmp(found, name) && fields_match(local, wanted->type, target, inner.type)
                          : find_member(local, wanted, target, &inner, depth + 1);
    if (matches) {
      *place = inner;
      return true;
    }
  }
  return false;
}

// Enters element `index` of the array at `place`. A flexible array at the end of a structure (no elements) takes any index.
static bool enter_element(const struct btf *btf, struct place *place, uint32_t index) {
  const struct btf_type *type = btf_type(btf, btf_skip_modifiers(btf, place->type));
  if (btf_kind(type) != BTF_KIND_ARRAY)
    return false;
  const struct btf_array *array = (const struct btf_array *)(type + 1);
  int64_t size = btf_size(btf, array->type);
  if (size < 0 || (array->nelems && index >= array->nelems))
    return false;
  place->type = array->type;
  place->bit_offset += (uint64_t)index * (uint64_t)size * 8;
  place->bit_size = 0;
  return true;
}

// Takes the access path from the roots. Returns 1 with *there set, 0 if the target has no such place, or a negative errno if
// the path does not fit the local type.
static int follow(const struct btf *local, uint32_t local_root, const struct btf *target, uint32_t target_root,
                  const char *access, struct place *there) {
  struct place here = {.type = local_root};
  *there = (struct place){.type = target_root};
  char *next;
  unsigned long first = strtoul(access, &next, 10);
  int64_t size = btf_size(target, target_root);
  if (first && size < 0)
    return 0;
  there->bit_offset = first ? first * (uint64_t)size * 8 : 0;
  while (*next) {
    unsigned long index = strtoul(next + 1, &next, 10);
    const struct btf_type *type = btf_type(local, btf_skip_modifiers(local, here.type));
    if (!is_composite(type)) {
      if (!enter_element(local, &here, (uint32_t)index))
        return -EINVAL;
      if (!enter_element(target, there, (uint32_t)index))
        return 0;
      continue;
    }
    if (index >= btf_vlen(type))
      return -EINVAL;
    const struct btf_member *member = &members_of(type)[index];
    enter_member(&here, type, (uint32_t)index);
    // An anonymous member of the local type is a step that the target need not have.
    if (*btf_string(local, member->name_off) && !find_member(local, member, target, there, 0))
      return 0;
  }
  return 1;
}

// The value of a field relocation for the place that was found.
static int field_value(const struct btf *target, uint32_t kind, const struct place *place, uint64_t *value) {
  uint32_t id = btf_skip_modifiers(target, place->type);
  const struct btf_type *type = btf_type(target, id);
  int64_t size = btf_size(target, id);
  uint64_t start = place->bit_offset / 8;
  uint64_t bits = (uint64_t)size * 8;
  if (kind == PB_CORE_RELOCATION_FIELD_EXISTS) {
    *value = 1;
    return 0;
  }
  if (size <= 0 && kind != PB_CORE_RELOCATION_FIELD_BYTE_OFFSET)
    return -EINVAL;
  if (place->bit_size && size > 0) {
    // The smallest naturally aligned word of at least the type's size that holds the whole bitfield.
    bits = place->bit_size;
    start = place->bit_offset / 8 / (uint64_t)size * (uint64_t)size;
    while (place->bit_offset + bits - start * 8 > (uint64_t)size * 8) {
      if (size >= 8)
        return -EINVAL;
      size *= 2;
      start = place->bit_offset / 8 / (uint64_t)size * (uint64_t)size;
    }
  }
  switch (kind) {
    case PB_CORE_RELOCATION_FIELD_BYTE_OFFSET:
      *value = start;
      return 0;
    case PB_CORE_RELOCATION_FIELD_BYTE_SIZE:
      *value = (uint64_t)size;
      return 0;
    case PB_CORE_RELOCATION_FIELD_SIGNED: {
      uint32_t type_kind = btf_kind(type);
      if (type_kind == BTF_KIND_ENUM || type_kind == BTF_KIND_ENUM64)
        *value = btf_kind_flag(type);
      else
        *value = type_kind == BTF_KIND_INT && *(const uint32_t *)(type + 1) >> 24 & 1;
      return 0;
    }
    case PB_CORE_RELOCATION_FIELD_LSHIFT_U64:  // little-endian
      *value = 64 - (place->bit_offset + bits - start * 8);
      return 0;
    default:
      *value = 64 - bits;
      return bits > 64 ? -EINVAL : 0;
  }
}

// The name and value of an enumerator. Returns false if the type has no such one.
static bool enumerator(const struct btf *btf, const struct btf_type *type, uint32_t index, const char **name, uint64_t *value) {
  if (index >= btf_vlen(type))
    return false;
  if (btf_kind(type) == BTF_KIND_ENUM) {
    const struct btf_enum *entry = (const struct btf_enum *)(type + 1) + index;
    *name = btf_string(btf, entry->name_off);
    *value = btf_kind_flag(type) ? (uint64_t)(int64_t)entry->val : (uint32_t)entry->val;
    return true;
  }
  if (btf_kind(type) == BTF_KIND_ENUM64) {
    const struct btf_enum64 *entry = (const struct btf_enum64 *)(type + 1) + index;
    *name = btf_string(btf, entry->name_off);
    *value = entry->val_lo32 | (uint64_t)entry->val_hi32 << 32;
    return true;
  }
  return false;
}

// Tries one type of the target. Returns 1 with *value set, 0 if it does not have what is wanted, or a negative errno.
static int try_candidate(const struct btf *local, const struct btf *target, uint32_t candidate,
                         const struct pb_core_relocation *relocation, uint64_t *value) {
  uint32_t root = btf_skip_modifiers(local, relocation->btf_type);
  switch (relocation->kind) {
    case PB_CORE_RELOCATION_TYPE_ID_TARGET:
      *value = candidate;
      return 1;
    case PB_CORE_RELOCATION_TYPE_EXISTS:
      *value = 1;
      return 1;
    case PB_CORE_RELOCATION_TYPE_SIZE: {
      int64_t size = btf_size(target, candidate);
      *value = size < 0 ? 0 : (uint64_t)size;
      return size < 0 ? 0 : 1;
    }
    case PB_CORE_RELOCATION_ENUM_VALUE_EXISTS:
    case PB_CORE_RELOCATION_ENUM_VALUE: {
      const char *wanted, *found;
      uint64_t found_value;
      uint32_t index = (uint32_t)strtoul(relocation->access, NULL, 10);
      if (!enumerator(local, btf_type(local, root), index, &wanted, &found_value))
        return -EINVAL;
      size_t length = btf_essential_length(wanted);
      const struct btf_type *type = btf_type(target, btf_skip_modifiers(target, candidate));
      for (uint32_t i = 0; enumerator(target, type, i, &found, &found_value); i++) {
        if (strncmp(found, wanted, length) != 0 || btf_essential_length(found) != length)
          continue;
        *value = relocation->kind == PB_CORE_RELOCATION_ENUM_VALUE ? found_value : 1;
        return 1;
      }
      return 0;
    }
    default: {
      struct place place;
      int found = follow(local, relocation->btf_type, target, candidate, relocation->access, &place);
      if (found != 1)
        return found;
      int err = field_value(target, relocation->kind, &place, value);
      return err ? err : 1;
    }
  }
}

static bool absence_is_a_value(uint32_t kind) {
  return kind == PB_CORE_RELOCATION_FIELD_EXISTS || kind == PB_CORE_RELOCATION_ENUM_VALUE_EXISTS ||
         (kind >= PB_CORE_RELOCATION_TYPE_ID_TARGET && kind <= PB_CORE_RELOCATION_TYPE_SIZE);
}

int core_relo_resolve(const struct btf *local, const struct btf *target, const struct pb_core_relocation *relocation,
                      struct core_result *result) {
  *result = (struct core_result){0};
  if (relocation->kind == PB_CORE_RELOCATION_TYPE_ID_LOCAL) {
    result->value = relocation->btf_type;
    return 0;
  }
  const struct btf_type *root = btf_type(local, relocation->btf_type);
  uint32_t kind = btf_kind(root);
  const char *name = btf_string(local, root->name_off);
  if (kind == BTF_KIND_VOID || !*name)
    return -EINVAL;
  uint32_t kinds = 1u << kind;
  if (kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64)
    kinds = 1u << BTF_KIND_ENUM | 1u << BTF_KIND_ENUM64;

  size_t length = btf_essential_length(name);
  bool is_found = false;
  for (uint32_t id = 0; (id = btf_find(target, name, length, kinds, id));) {
    uint64_t value;
    int found = try_candidate(local, target, id, relocation, &value);
    if (found < 0)
      return found;
    if (!found)
      continue;
    // A kernel may have several types of one name; those that have the field must agree on it.
    if (is_found && value != result->value && relocation->kind != PB_CORE_RELOCATION_TYPE_ID_TARGET)
      return -ENOTUNIQ;
    if (!is_found)
      result->value = value;
    is_found = true;
  }
  result->is_absent = !is_found && !absence_is_a_value(relocation->kind);
  return 0;
}
