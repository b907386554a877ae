// Entries and their attributes.
#include "shim/debug/dwarf.h"

enum {
  DW_AT_SIBLING = 0x01, DW_AT_NAME = 0x03, DW_AT_STMT_LIST = 0x10, DW_AT_LOW_PC = 0x11, DW_AT_HIGH_PC = 0x12, DW_AT_COMP_DIR = 0x1b,
  DW_AT_ABSTRACT_ORIGIN = 0x31, DW_AT_SPECIFICATION = 0x47, DW_AT_RANGES = 0x55, DW_AT_CALL_FILE = 0x58, DW_AT_CALL_LINE = 0x59,
  DW_AT_LINKAGE_NAME = 0x6e, DW_AT_STR_OFFSETS_BASE = 0x72, DW_AT_ADDR_BASE = 0x73, DW_AT_RNGLISTS_BASE = 0x74,
  DW_AT_MIPS_LINKAGE_NAME = 0x2007,
};

enum {
  DW_FORM_ADDR = 0x01, DW_FORM_BLOCK2 = 0x03, DW_FORM_BLOCK4 = 0x04, DW_FORM_DATA2 = 0x05, DW_FORM_DATA4 = 0x06,
  DW_FORM_DATA8 = 0x07, DW_FORM_STRING = 0x08, DW_FORM_BLOCK = 0x09, DW_FORM_BLOCK1 = 0x0a, DW_FORM_DATA1 = 0x0b,
  DW_FORM_FLAG = 0x0c, DW_FORM_SDATA = 0x0d, DW_FORM_STRP = 0x0e, DW_FORM_UDATA = 0x0f, DW_FORM_REF_ADDR = 0x10,
  DW_FORM_REF1 = 0x11, DW_FORM_REF2 = 0x12, DW_FORM_REF4 = 0x13, DW_FORM_REF8 = 0x14, DW_FORM_REF_UDATA = 0x15,
  DW_FORM_INDIRECT = 0x16, DW_FORM_SEC_OFFSET = 0x17, DW_FORM_EXPRLOC = 0x18, DW_FORM_FLAG_PRESENT = 0x19, DW_FORM_STRX = 0x1a,
  DW_FORM_ADDRX = 0x1b, DW_FORM_REF_SUP4 = 0x1c, DW_FORM_STRP_SUP = 0x1d, DW_FORM_DATA16 = 0x1e, DW_FORM_LINE_STRP = 0x1f,
  DW_FORM_REF_SIG8 = 0x20, DW_FORM_IMPLICIT_CONST = 0x21, DW_FORM_LOCLISTX = 0x22, DW_FORM_RNGLISTX = 0x23, DW_FORM_REF_SUP8 = 0x24,
  DW_FORM_STRX1 = 0x25, DW_FORM_STRX2 = 0x26, DW_FORM_STRX3 = 0x27, DW_FORM_STRX4 = 0x28, DW_FORM_ADDRX1 = 0x29,
  DW_FORM_ADDRX2 = 0x2a, DW_FORM_ADDRX3 = 0x2b, DW_FORM_ADDRX4 = 0x2c, DW_FORM_GNU_REF_ALT = 0x1f20, DW_FORM_GNU_STRP_ALT = 0x1f21,
};

// How forms are read. The size is in bytes, or one of these:
enum { IS_LEB128 = 16, IS_SIGNED = 17, IS_OFFSET = 18, IS_ADDRESS = 19, IS_TEXT = 20, IS_BLOCK = 24 };  // a block: and the size of its size
// A number is taken as it is, or:
enum { PLAIN = DWARF_NUMBER, STRING_AT = 32, LINE_STRING_AT, STRING_INDEX, IN_UNIT, ELSEWHERE };

// By their code.
static const struct form {
  uint8_t size;
  uint8_t meaning;  // 0 for what is no form
} forms[] = {
    [DW_FORM_ADDR] = {IS_ADDRESS, DWARF_ADDRESS}, [DW_FORM_DATA1] = {1, PLAIN}, [DW_FORM_DATA2] = {2, PLAIN},
    [DW_FORM_DATA4] = {4, PLAIN}, [DW_FORM_DATA8] = {8, PLAIN}, [DW_FORM_FLAG] = {1, PLAIN}, [DW_FORM_FLAG_PRESENT] = {0, PLAIN},
    [DW_FORM_UDATA] = {IS_LEB128, PLAIN}, [DW_FORM_SDATA] = {IS_SIGNED, PLAIN}, [DW_FORM_SEC_OFFSET] = {IS_OFFSET, DWARF_OFFSET},
    [DW_FORM_RNGLISTX] = {IS_LEB128, DWARF_OFFSET}, [DW_FORM_LOCLISTX] = {IS_LEB128, ELSEWHERE},
    [DW_FORM_STRING] = {IS_TEXT, DWARF_TEXT}, [DW_FORM_STRP] = {IS_OFFSET, STRING_AT},
    [DW_FORM_LINE_STRP] = {IS_OFFSET, LINE_STRING_AT}, [DW_FORM_STRX] = {IS_LEB128, STRING_INDEX},
    [DW_FORM_STRX1] = {1, STRING_INDEX}, [DW_FORM_STRX2] = {2, STRING_INDEX}, [DW_FORM_STRX3] = {3, STRING_INDEX},
    [DW_FORM_STRX4] = {4, STRING_INDEX}, [DW_FORM_ADDRX] = {IS_LEB128, DWARF_ADDRESS_INDEX},
    [DW_FORM_ADDRX1] = {1, DWARF_ADDRESS_INDEX}, [DW_FORM_ADDRX2] = {2, DWARF_ADDRESS_INDEX},
    [DW_FORM_ADDRX3] = {3, DWARF_ADDRESS_INDEX}, [DW_FORM_ADDRX4] = {4, DWARF_ADDRESS_INDEX}, [DW_FORM_REF1] = {1, IN_UNIT},
    [DW_FORM_REF2] = {2, IN_UNIT}, [DW_FORM_REF4] = {4, IN_UNIT}, [DW_FORM_REF8] = {8, IN_UNIT},
    [DW_FORM_REF_UDATA] = {IS_LEB128, IN_UNIT}, [DW_FORM_REF_ADDR] = {IS_OFFSET, DWARF_REFERENCE},
    [DW_FORM_REF_SIG8] = {8, ELSEWHERE}, [DW_FORM_REF_SUP4] = {4, ELSEWHERE}, [DW_FORM_REF_SUP8] = {8, ELSEWHERE},
    [DW_FORM_STRP_SUP] = {IS_OFFSET, ELSEWHERE}, [DW_FORM_BLOCK1] = {IS_BLOCK + 1, ELSEWHERE},
    [DW_FORM_BLOCK2] = {IS_BLOCK + 2, ELSEWHERE}, [DW_FORM_BLOCK4] = {IS_BLOCK + 4, ELSEWHERE},
    [DW_FORM_BLOCK] = {IS_BLOCK, ELSEWHERE}, [DW_FORM_EXPRLOC] = {IS_BLOCK, ELSEWHERE},
};

static const struct form *form_of(uint64_t code) {
  if (code == DW_FORM_GNU_REF_ALT || code == DW_FORM_GNU_STRP_ALT)
    code = DW_FORM_STRP_SUP;  // which they became
  return code < sizeof(forms) / sizeof(*forms) && forms[code].meaning ? &forms[code] : NULL;
}

static const char *text_at(const struct bytes *section, uint64_t offset) {
  struct bytes at = bytes_from(section, offset);
  return bytes_text(&at);
}

static uint64_t read_raw(const struct dwarf_unit *unit, struct bytes *at, unsigned size) {
  if (size == IS_LEB128)
    return bytes_unsigned(at);
  if (size == IS_SIGNED)
    return (uint64_t)bytes_signed(at);
  if (size >= IS_BLOCK) {
    bytes_skip(at, size == IS_BLOCK ? bytes_unsigned(at) : bytes_number(at, size - IS_BLOCK));
    return 0;
  }
  return bytes_number(at, size == IS_OFFSET ? unit->offset_size : size == IS_ADDRESS ? unit->address_size : size);
}

struct dwarf_value dwarf_read_value(const struct dwarf *dwarf, const struct dwarf_unit *unit, struct bytes *at, uint64_t code,
                                    int64_t implicit) {
  struct dwarf_value value = {.kind = DWARF_NONE};
  for (int i = 0; code == DW_FORM_INDIRECT && i < 4; i++)
    code = bytes_unsigned(at);
  if (code == DW_FORM_IMPLICIT_CONST)
    return (struct dwarf_value){.kind = DWARF_NUMBER, .number = (uint64_t)implicit};
  if (code == DW_FORM_DATA16) {
    bytes_skip(at, 16);
    return value;
  }
  const struct form *form = form_of(code);
  if (!form) {
    bytes_fail(at);
    return value;
  }
  value.form = (uint8_t)code;
  if (form->size == IS_TEXT) {
    value.kind = DWARF_TEXT;
    value.text = bytes_text(at);
    return value;
  }
  // Before version 3 a reference into the whole section had the size of an address.
  bool is_old_reference = form->meaning == DWARF_REFERENCE && unit->version < 3;
  value.number = read_raw(unit, at, is_old_reference ? IS_ADDRESS : form->size);
  struct bytes offset;
  switch (form->meaning) {
    case STRING_AT:
    case LINE_STRING_AT:
      value.kind = DWARF_TEXT;
      value.text = text_at(&dwarf->sections[form->meaning == STRING_AT ? DWARF_STR : DWARF_LINE_STR], value.number);
      break;
    case STRING_INDEX:
      offset = bytes_from(&dwarf->sections[DWARF_STR_OFFSETS], unit->string_offsets + value.number * unit->offset_size);
      value.kind = DWARF_TEXT;
      value.text = text_at(&dwarf->sections[DWARF_STR], bytes_number(&offset, unit->offset_size));
      break;
    case IN_UNIT:
      value.kind = DWARF_REFERENCE;
      value.number += unit->offset;
      break;
    case ELSEWHERE:
      break;
    default:
      value.kind = form->meaning;
  }
  return value;
}

bool dwarf_address(const struct dwarf *dwarf, const struct dwarf_unit *unit, const struct dwarf_value *value, uint64_t *address) {
  *address = value->number;
  if (value->kind == DWARF_ADDRESS)
    return true;
  if (value->kind != DWARF_ADDRESS_INDEX)
    return false;
  struct bytes at = bytes_from(&dwarf->sections[DWARF_ADDR], unit->addresses + value->number * unit->address_size);
  *address = bytes_number(&at, unit->address_size);
  return !at.is_bad;
}

// The abbreviation of a code: *at is set to its tag.
static bool find_abbreviation(const struct dwarf *dwarf, const struct dwarf_unit *unit, uint64_t wanted, struct bytes *at) {
  struct dwarf_abbreviation *known = &dwarf->abbreviations[wanted % DWARF_ABBREVIATIONS];
  if (known->code == wanted && known->table == unit->abbreviations) {
    *at = bytes_from(&dwarf->sections[DWARF_ABBREV], known->place);
    return true;
  }
  *at = bytes_from(&dwarf->sections[DWARF_ABBREV], unit->abbreviations);
  for (uint64_t code; (code = bytes_unsigned(at));) {
    if (code == wanted) {
      *known = (struct dwarf_abbreviation){unit->abbreviations, code, (uint64_t)(at->at - at->start)};
      return true;
    }
    bytes_unsigned(at);
    bytes_skip(at, 1);
    for (uint64_t name = 1, form = 1; (name || form) && !at->is_bad;) {
      name = bytes_unsigned(at);
      form = bytes_unsigned(at);
      if (form == DW_FORM_IMPLICIT_CONST)
        bytes_signed(at);
    }
  }
  return false;
}

static struct dwarf_value *value_of(struct dwarf_entry *entry, uint64_t name) {
  switch (name) {
    case DW_AT_SIBLING:
      return &entry->sibling;
    case DW_AT_NAME:
      return &entry->name;
    case DW_AT_STMT_LIST:
      return &entry->lines;
    case DW_AT_LOW_PC:
      return &entry->low;
    case DW_AT_HIGH_PC:
      return &entry->high;
    case DW_AT_COMP_DIR:
      return &entry->folder;
    case DW_AT_ABSTRACT_ORIGIN:
    case DW_AT_SPECIFICATION:
      return &entry->origin;
    case DW_AT_RANGES:
      return &entry->ranges;
    case DW_AT_CALL_FILE:
      return &entry->call_file;
    case DW_AT_CALL_LINE:
      return &entry->call_line;
    case DW_AT_STR_OFFSETS_BASE:
      return &entry->string_offsets;
    case DW_AT_ADDR_BASE:
      return &entry->addresses;
    case DW_AT_RNGLISTS_BASE:
      return &entry->range_lists;
    case DW_AT_LINKAGE_NAME:
    case DW_AT_MIPS_LINKAGE_NAME:
      return &entry->linkage_name;
    default:
      return NULL;
  }
}

bool dwarf_read_entry(const struct dwarf *dwarf, const struct dwarf_unit *unit, struct bytes *at, struct dwarf_entry *entry) {
  struct bytes abbreviation;
  *entry = (struct dwarf_entry){.offset = (uint64_t)(at->at - at->start)};
  if (entry->offset >= unit->end)
    return false;
  uint64_t code = bytes_unsigned(at);
  if (!code)
    return !at->is_bad;
  if (!find_abbreviation(dwarf, unit, code, &abbreviation))
    return false;
  entry->tag = (uint32_t)bytes_unsigned(&abbreviation);
  entry->has_children = bytes_number(&abbreviation, 1);
  for (;;) {
    uint64_t name = bytes_unsigned(&abbreviation), form = bytes_unsigned(&abbreviation);
    int64_t implicit = form == DW_FORM_IMPLICIT_CONST ? bytes_signed(&abbreviation) : 0;
    if (abbreviation.is_bad || at->is_bad)
      return false;
    if (!name && !form)
      return true;
    struct dwarf_value value = dwarf_read_value(dwarf, unit, at, form, implicit);
    struct dwarf_value *wanted = value_of(entry, name);
    if (wanted)
      *wanted = value;
  }
}
