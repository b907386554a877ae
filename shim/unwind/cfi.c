#include "shim/unwind/cfi.h"

#include <errno.h>
#include <string.h>

#include "shim/debug/bytes.h"
#include "shim/unwind/rules.h"

// Operations of call frame programs, and ways to write a pointer.
enum {
  CFA_ADVANCE_LOC = 1,  // these three in the upper two bits, with an operand in the lower six
  CFA_OFFSET = 2,
  CFA_RESTORE = 3,
  CFA_NOP = 0x00,
  CFA_SET_LOC = 0x01,
  CFA_ADVANCE_LOC1 = 0x02,
  CFA_ADVANCE_LOC2 = 0x03,
  CFA_ADVANCE_LOC4 = 0x04,
  CFA_OFFSET_EXTENDED = 0x05,
  CFA_RESTORE_EXTENDED = 0x06,
  CFA_UNDEFINED = 0x07,
  CFA_SAME_VALUE = 0x08,
  CFA_REGISTER = 0x09,
  CFA_REMEMBER_STATE = 0x0a,
  CFA_RESTORE_STATE = 0x0b,
  CFA_DEF_CFA = 0x0c,
  CFA_DEF_CFA_REGISTER = 0x0d,
  CFA_DEF_CFA_OFFSET = 0x0e,
  CFA_DEF_CFA_EXPRESSION = 0x0f,
  CFA_EXPRESSION = 0x10,
  CFA_OFFSET_EXTENDED_SF = 0x11,
  CFA_DEF_CFA_SF = 0x12,
  CFA_DEF_CFA_OFFSET_SF = 0x13,
  CFA_VAL_OFFSET = 0x14,
  CFA_VAL_OFFSET_SF = 0x15,
  CFA_VAL_EXPRESSION = 0x16,
  CFA_GNU_ARGS_SIZE = 0x2e,
  CFA_GNU_NEGATIVE_OFFSET_EXTENDED = 0x2f,

  POINTER_ABSOLUTE = 0x00,
  POINTER_ULEB128 = 0x01,
  POINTER_UDATA2 = 0x02,
  POINTER_UDATA4 = 0x03,
  POINTER_UDATA8 = 0x04,
  POINTER_SLEB128 = 0x09,
  POINTER_SDATA2 = 0x0a,
  POINTER_SDATA4 = 0x0b,
  POINTER_SDATA8 = 0x0c,
  POINTER_FORMAT = 0x0f,
  POINTER_RELATIVE = 0x10,
  POINTER_OMITTED = 0xff,

  MOST_REMEMBERED = 16,
};

// What several functions have in common.
struct common {
  bool is_known;
  uint64_t offset;          // in the section, of the one that this is
  uint64_t code_alignment;
  int64_t data_alignment;
  uint8_t pointers;         // how the addresses of its functions are written
  bool has_augmentation;    // its functions have data of that length
  bool is_signal;
  struct cfi_row row;       // what holds at the start of its functions
};

struct reader {
  const struct cfi_section *section;
  struct unwind_table *table;
  struct common common;
};

// The state of a program of operations.
struct machine {
  const struct reader *reader;
  const struct common *common;
  struct cfi_row row;
  struct cfi_row remembered[MOST_REMEMBERED];
  unsigned depth;
  uint64_t address;
  bool emits;   // a function's program, not a common one's
  int err;
};

static uint64_t read_pointer(const struct reader *reader, struct bytes *bytes, unsigned encoding) {
  uint64_t here = reader->section->address + (uint64_t)(bytes->at - bytes->start), value = 0;
  switch (encoding & POINTER_FORMAT) {
    case POINTER_ABSOLUTE:
    case POINTER_UDATA8:
    case POINTER_SDATA8:
      value = bytes_number(bytes, 8);
      break;
    case POINTER_ULEB128:
      value = bytes_unsigned(bytes);
      break;
    case POINTER_SLEB128:
      value = (uint64_t)bytes_signed(bytes);
      break;
    case POINTER_UDATA2:
      value = bytes_number(bytes, 2);
      break;
    case POINTER_UDATA4:
      value = bytes_number(bytes, 4);
      break;
    case POINTER_SDATA2:
      value = (uint64_t)(int64_t)(int16_t)bytes_number(bytes, 2);
      break;
    case POINTER_SDATA4:
      value = (uint64_t)(int64_t)(int32_t)bytes_number(bytes, 4);
      break;
    default:
      bytes_fail(bytes);
  }
  unsigned origin = encoding & ~(unsigned)POINTER_FORMAT;
  if (origin == POINTER_RELATIVE)
    value += here;
  else if (origin)
    bytes_fail(bytes);  // of data, of a function, or where the address of the value is: nobody writes these here
  return value;
}

static void put_row(struct machine *machine) {
  struct unwind_rule rule;
  cfi_rule(&machine->row, machine->common->is_signal, &rule);
  if (machine->emits && !machine->err)
    machine->err = unwind_table_add(machine->reader->table, machine->address, &rule);
}

static void advance(struct machine *machine, uint64_t delta) {
  if (!delta)
    return;
  put_row(machine);
  machine->address += delta * machine->common->code_alignment;
}

static void set_place(struct machine *machine, struct bytes *bytes, uint64_t number, enum cfi_kind kind, int64_t value) {
  // The others (vector registers) are of no use to find a caller.
  if (number < CFI_REGISTERS && !bytes->is_bad)
    machine->row.registers[number] = (struct cfi_place){.kind = kind, .number = value};
}

static struct cfi_place read_expression(struct bytes *bytes, enum cfi_kind kind) {
  uint64_t size = bytes_unsigned(bytes);
  struct cfi_place place = {.kind = kind, .expression = bytes->at, .expression_size = size};
  bytes_skip(bytes, size);
  if (bytes->is_bad)
    place.expression_size = 0;
  return place;
}

static void set_expression(struct machine *machine, struct bytes *bytes, enum cfi_kind kind) {
  uint64_t number = bytes_unsigned(bytes);
  struct cfi_place place = read_expression(bytes, kind);
  if (number < CFI_REGISTERS)
    machine->row.registers[number] = place;
}

static int64_t scaled(const struct machine *machine, int64_t number) {
  return (int64_t)((uint64_t)number * (uint64_t)machine->common->data_alignment);
}

static void restore(struct machine *machine, uint64_t number) {
  if (number < CFI_REGISTERS)
    machine->row.registers[number] = machine->common->row.registers[number];
}

static void set_cfa(struct machine *machine, uint64_t number, int64_t offset) {
  machine->row.cfa = (struct cfi_place){.kind = CFI_REGISTER, .number = (int64_t)(number & 0xffff)};
  machine->row.cfa_offset = offset;
}

static void remember(struct machine *machine, struct bytes *bytes) {
  if (machine->depth == MOST_REMEMBERED)
    bytes_fail(bytes);
  else
    machine->remembered[machine->depth++] = machine->row;
}

static void recall(struct machine *machine, struct bytes *bytes) {
  if (machine->depth)
    machine->row = machine->remembered[--machine->depth];
  else
    bytes_fail(bytes);
}

// Operations of which the operand is not in the opcode.
static void run_extended(struct machine *machine, struct bytes *bytes, unsigned operation) {
  uint64_t number;
  switch (operation) {
    case CFA_NOP:
      break;
    case CFA_SET_LOC:
      number = read_pointer(machine->reader, bytes, machine->common->pointers);
      put_row(machine);
      machine->address = number;
      break;
    case CFA_ADVANCE_LOC1:
      advance(machine, bytes_number(bytes, 1));
      break;
    case CFA_ADVANCE_LOC2:
      advance(machine, bytes_number(bytes, 2));
      break;
    case CFA_ADVANCE_LOC4:
      advance(machine, bytes_number(bytes, 4));
      break;
    case CFA_OFFSET_EXTENDED:
      number = bytes_unsigned(bytes);
      set_place(machine, bytes, number, CFI_OFFSET, scaled(machine, (int64_t)bytes_unsigned(bytes)));
      break;
    case CFA_OFFSET_EXTENDED_SF:
      number = bytes_unsigned(bytes);
      set_place(machine, bytes, number, CFI_OFFSET, scaled(machine, bytes_signed(bytes)));
      break;
    case CFA_GNU_NEGATIVE_OFFSET_EXTENDED:
      number = bytes_unsigned(bytes);
      set_place(machine, bytes, number, CFI_OFFSET, scaled(machine, -(int64_t)(bytes_unsigned(bytes) & INT64_MAX)));
      break;
    case CFA_VAL_OFFSET:
      number = bytes_unsigned(bytes);
      set_place(machine, bytes, number, CFI_VALUE_OFFSET, scaled(machine, (int64_t)bytes_unsigned(bytes)));
      break;
    case CFA_VAL_OFFSET_SF:
      number = bytes_unsigned(bytes);
      set_place(machine, bytes, number, CFI_VALUE_OFFSET, scaled(machine, bytes_signed(bytes)));
      break;
    case CFA_RESTORE_EXTENDED:
      restore(machine, bytes_unsigned(bytes));
      break;
    case CFA_UNDEFINED:
      set_place(machine, bytes, bytes_unsigned(bytes), CFI_UNDEFINED, 0);
      break;
    case CFA_SAME_VALUE:
      set_place(machine, bytes, bytes_unsigned(bytes), CFI_UNSPECIFIED, 0);
      break;
    case CFA_REGISTER:
      number = bytes_unsigned(bytes);
      set_place(machine, bytes, number, CFI_REGISTER, (int64_t)bytes_unsigned(bytes));
      break;
    case CFA_EXPRESSION:
      set_expression(machine, bytes, CFI_EXPRESSION);
      break;
    case CFA_VAL_EXPRESSION:
      set_expression(machine, bytes, CFI_VALUE_EXPRESSION);
      break;
    case CFA_REMEMBER_STATE:
      remember(machine, bytes);
      break;
    case CFA_RESTORE_STATE:
      recall(machine, bytes);
      break;
    case CFA_DEF_CFA:
      number = bytes_unsigned(bytes);
      set_cfa(machine, number, (int64_t)bytes_unsigned(bytes));
      break;
    case CFA_DEF_CFA_SF:
      number = bytes_unsigned(bytes);
      set_cfa(machine, number, scaled(machine, bytes_signed(bytes)));
      break;
    case CFA_DEF_CFA_REGISTER:
      set_cfa(machine, bytes_unsigned(bytes), machine->row.cfa_offset);
      break;
    case CFA_DEF_CFA_OFFSET:
      machine->row.cfa_offset = (int64_t)bytes_unsigned(bytes);
      break;
    case CFA_DEF_CFA_OFFSET_SF:
      machine->row.cfa_offset = scaled(machine, bytes_signed(bytes));
      break;
    case CFA_DEF_CFA_EXPRESSION:
      machine->row.cfa = read_expression(bytes, CFI_EXPRESSION);
      break;
    case CFA_GNU_ARGS_SIZE:
      bytes_unsigned(bytes);
      break;
    default:
      bytes_fail(bytes);
  }
}

// Returns whether all operations are known.
static bool run(struct machine *machine, struct bytes *bytes) {
  while (bytes->at < bytes->end && !machine->err) {
    unsigned byte = (unsigned)bytes_number(bytes, 1), operand = byte & 0x3f;
    switch (byte >> 6) {
      case CFA_ADVANCE_LOC:
        advance(machine, operand);
        break;
      case CFA_OFFSET:
        set_place(machine, bytes, operand, CFI_OFFSET, scaled(machine, (int64_t)bytes_unsigned(bytes)));
        break;
      case CFA_RESTORE:
        restore(machine, operand);
        break;
      default:
        run_extended(machine, bytes, byte);
    }
  }
  return !bytes->is_bad;
}

// One entry: its length comes first, 4 bytes or 12.
struct entry {
  struct bytes bytes;   // behind the length
  unsigned offset_size; // of the number that says what it is
};

static bool next_entry(struct bytes *section, struct entry *entry) {
  uint64_t length = bytes_number(section, 4);
  entry->offset_size = 4;
  if (length == UINT32_MAX) {
    length = bytes_number(section, 8);
    entry->offset_size = 8;
  }
  entry->bytes = *section;
  bytes_skip(section, length);
  entry->bytes.end = section->at;
  return !section->is_bad;
}

// What stands in a common entry where a function's says which is its own.
static uint64_t common_id(const struct cfi_section *section, const struct entry *entry) {
  if (!section->is_debug)
    return 0;
  return entry->offset_size == 4 ? UINT32_MAX : UINT64_MAX;
}

// The letters of the augmentation say what its data has.
static bool read_augmentation(const struct reader *reader, struct bytes *bytes, const char *letters, struct common *common) {
  common->has_augmentation = *letters == 'z';
  if (!common->has_augmentation)
    return !*letters;  // "eh", of compilers before 2000
  uint64_t size = bytes_unsigned(bytes);
  struct bytes data = *bytes;
  bytes_skip(bytes, size);
  data.end = bytes->at;
  for (letters++; *letters; letters++) {
    unsigned encoding;
    switch (*letters) {
      case 'L':
        bytes_number(&data, 1);
        break;
      case 'P':
        // A pointer to a pointer is written like a pointer. Its value is of no use here.
        encoding = (unsigned)bytes_number(&data, 1);
        read_pointer(reader, &data, encoding & (POINTER_FORMAT | POINTER_RELATIVE));
        break;
      case 'R':
        common->pointers = (uint8_t)bytes_number(&data, 1);
        break;
      case 'S':
        common->is_signal = true;
        break;
      default:
        return true;  // what follows is not known either
    }
  }
  return !bytes->is_bad && !data.is_bad;
}

static bool read_common(const struct reader *reader, uint64_t offset, struct common *common) {
  const struct cfi_section *section = reader->section;
  struct bytes whole = {.start = section->data, .at = section->data, .end = section->data + section->size};
  struct bytes bytes = bytes_from(&whole, offset);
  struct entry entry;
  *common = (struct common){.offset = offset, .pointers = POINTER_ABSOLUTE};
  if (bytes.is_bad || !next_entry(&bytes, &entry))
    return false;
  bytes = entry.bytes;
  if (bytes_number(&bytes, entry.offset_size) != common_id(section, &entry))
    return false;
  uint64_t version = bytes_number(&bytes, 1);
  const char *letters = bytes_text(&bytes);
  if (version == 4)
    bytes_number(&bytes, 2);  // sizes of addresses and segments
  common->code_alignment = bytes_unsigned(&bytes);
  common->data_alignment = bytes_signed(&bytes);
  uint64_t return_address = version == 1 ? bytes_number(&bytes, 1) : bytes_unsigned(&bytes);
  if (return_address != CFI_RETURN_ADDRESS || !read_augmentation(reader, &bytes, letters, common))
    return false;
  static struct machine machine;  // some kilobytes
  machine = (struct machine){.reader = reader, .common = common};
  if (!run(&machine, &bytes))
    return false;
  common->row = machine.row;
  return true;
}

// A function's entry; its common one is at `common_offset`.
static int read_function(struct reader *reader, struct bytes *bytes, uint64_t common_offset) {
  struct common *common = &reader->common;
  if (!common->is_known || common->offset != common_offset) {
    if (!read_common(reader, common_offset, common))
      return 0;
    common->is_known = true;
  }
  uint64_t begin = read_pointer(reader, bytes, common->pointers);
  uint64_t size = read_pointer(reader, bytes, common->pointers & POINTER_FORMAT);
  if (common->has_augmentation)
    bytes_skip(bytes, bytes_unsigned(bytes));
  if (bytes->is_bad || !size || begin + size < begin)
    return 0;
  static struct machine machine;
  machine = (struct machine){.reader = reader, .common = common, .row = common->row, .address = begin, .emits = true};
  bool is_understood = run(&machine, bytes);
  if (machine.err)
    return machine.err;
  // Where a program is damaged, nothing is known from there on.
  if (is_understood && machine.address < begin + size)
    put_row(&machine);
  else if (!is_understood)
    machine.err = unwind_table_end(reader->table, machine.address);
  return machine.err ? machine.err : unwind_table_end(reader->table, begin + size);
}

int cfi_read(const struct cfi_section *section, struct unwind_table *table) {
  struct reader reader = {.section = section, .table = table};
  struct bytes bytes = {.start = section->data, .at = section->data, .end = section->data + section->size};
  struct entry entry;
  int err = 0;
  while (!err && bytes.at < bytes.end && next_entry(&bytes, &entry)) {
    uint64_t field = (uint64_t)(entry.bytes.at - entry.bytes.start);
    uint64_t id = bytes_number(&entry.bytes, entry.offset_size);
    if (id != common_id(section, &entry) && !entry.bytes.is_bad)
      err = read_function(&reader, &entry.bytes, section->is_debug ? id : field - id);
  }
  return err;
}
