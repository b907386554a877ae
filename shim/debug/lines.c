// Programs that make the table of lines.
#include "shim/debug/dwarf.h"

enum { DW_LNCT_PATH = 1, DW_LNCT_DIRECTORY_INDEX = 2, MAX_FORMATS = 16, MAX_OPCODES = 256 };

enum {
  DW_LNS_COPY = 1, DW_LNS_ADVANCE_PC, DW_LNS_ADVANCE_LINE, DW_LNS_SET_FILE, DW_LNS_SET_COLUMN, DW_LNS_NEGATE_STMT,
  DW_LNS_SET_BASIC_BLOCK, DW_LNS_CONST_ADD_PC, DW_LNS_FIXED_ADVANCE_PC,
};
enum { DW_LNE_END_SEQUENCE = 1, DW_LNE_SET_ADDRESS = 2 };

struct program {
  const struct dwarf *dwarf;
  struct dwarf_unit unit;       // with the sizes of this program's own header
  struct bytes folders;         // where the tables of folders and files begin
  struct bytes at;              // the opcodes
  uint8_t least_length;
  int8_t line_base;
  uint8_t line_range;
  uint8_t opcode_base;
  uint8_t operands[MAX_OPCODES];  // how many the standard opcodes have
};

static bool open_program(const struct dwarf *dwarf, const struct dwarf_unit *unit, struct program *program) {
  struct bytes at = bytes_from(&dwarf->sections[DWARF_LINE], unit->lines);
  *program = (struct program){.dwarf = dwarf, .unit = *unit};
  uint64_t size = bytes_number(&at, 4);
  program->unit.offset_size = size == UINT32_MAX ? 8 : 4;
  if (size == UINT32_MAX)
    size = bytes_number(&at, 8);
  if (!unit->has_lines || !bytes_has(&at, size))
    return false;
  at.end = at.at + size;
  program->unit.version = (uint8_t)bytes_number(&at, 2);
  if (program->unit.version < 2 || program->unit.version > 5)
    return false;
  if (program->unit.version == 5) {
    program->unit.address_size = (uint8_t)bytes_number(&at, 1);
    bytes_skip(&at, 1);
  }
  uint64_t header = bytes_number(&at, program->unit.offset_size);
  if (!bytes_has(&at, header))
    return false;
  program->at = at;
  program->at.at += header;
  program->least_length = (uint8_t)bytes_number(&at, 1);
  bytes_skip(&at, program->unit.version > 3 ? 2 : 1);  // operations of an instruction (since version 4), default of is_stmt
  program->line_base = (int8_t)(uint8_t)bytes_number(&at, 1);
  program->line_range = (uint8_t)bytes_number(&at, 1);
  program->opcode_base = (uint8_t)bytes_number(&at, 1);
  for (unsigned i = 1; i < program->opcode_base; i++)
    program->operands[i] = (uint8_t)bytes_number(&at, 1);
  program->folders = at;
  return !at.is_bad && program->line_range;
}

// A table of version 5. Returns the entry `wanted`; *at is set behind the table.
static const char *read_table(const struct program *program, struct bytes *at, uint64_t wanted, uint64_t *folder) {
  struct {
    uint64_t content;
    uint64_t form;
  } formats[MAX_FORMATS];
  const char *found = NULL;
  unsigned formats_count = (unsigned)bytes_number(at, 1);
  if (formats_count > MAX_FORMATS)
    return NULL;
  for (unsigned i = 0; i < formats_count; i++) {
    formats[i].content = bytes_unsigned(at);
    formats[i].form = bytes_unsigned(at);
  }
  uint64_t count = bytes_unsigned(at);
  if (!bytes_has(at, count))  // none is shorter than a byte, but for those of forms without data
    bytes_fail(at);
  for (uint64_t n = 0; n < count && !at->is_bad; n++) {
    for (unsigned i = 0; i < formats_count; i++) {
      struct dwarf_value value = dwarf_read_value(program->dwarf, &program->unit, at, formats[i].form, 0);
      if (n == wanted && formats[i].content == DW_LNCT_PATH)
        found = value.text;
      else if (n == wanted && formats[i].content == DW_LNCT_DIRECTORY_INDEX)
        *folder = value.number;
    }
  }
  return found;
}

static bool name_file(const struct program *program, uint64_t number, struct dwarf_line *line) {
  struct bytes at = program->folders, files;
  uint64_t folder = 0, none;
  line->in_folder = "";
  if (program->unit.version == 5) {
    files = at;
    read_table(program, &files, UINT64_MAX, &none);
    line->file = read_table(program, &files, number, &folder);
    const char *in_folder = folder ? read_table(program, &at, folder, &none) : NULL;
    line->in_folder = in_folder ? in_folder : "";
    return line->file;
  }
  // Folders from 1 on, up to an empty one; then files: name, folder, time, size.
  files = at;
  while (*bytes_text(&files)) {
  }
  for (uint64_t n = 1; !files.is_bad; n++) {
    const char *file = bytes_text(&files);
    if (!*file)
      return false;
    folder = bytes_unsigned(&files);
    bytes_unsigned(&files);
    bytes_unsigned(&files);
    if (n != number)
      continue;
    line->file = file;
    for (; folder && !at.is_bad; folder--)
      line->in_folder = bytes_text(&at);
    return true;
  }
  return false;
}

struct row {
  uint64_t address;
  uint64_t file;
  uint64_t line;
};

static const struct row first_row = {.file = 1, .line = 1};

// Whether the row before reaches up to here, and the address is in it.
static bool is_between(const struct row *before, bool has_before, const struct row *row, uint64_t address) {
  return has_before && before->address <= address && address < row->address;
}

static void advance(const struct program *program, struct row *row, uint64_t operations) {
  row->address += operations * program->least_length;
}

// Runs the program until it has passed the address: *found is then the row that the address is in.
static bool run(struct program *program, uint64_t address, struct row *found) {
  struct bytes *at = &program->at;
  struct row row = first_row, before = {0};
  bool has_before = false;
  while (at->at < at->end && !at->is_bad) {
    uint8_t opcode = (uint8_t)bytes_number(at, 1);
    bool adds_row = false, ends = false;
    if (opcode >= program->opcode_base) {
      unsigned operation = opcode - program->opcode_base;
      advance(program, &row, operation / program->line_range);
      row.line += (uint64_t)(int64_t)(program->line_base + (int)(operation % program->line_range));
      adds_row = true;
    } else if (!opcode) {
      uint64_t size = bytes_unsigned(at);
      struct bytes extended = *at;
      bytes_skip(at, size);
      uint64_t operation = size ? bytes_number(&extended, 1) : 0;
      ends = adds_row = operation == DW_LNE_END_SEQUENCE;
      if (operation == DW_LNE_SET_ADDRESS && size <= 9)
        row.address = bytes_number(&extended, (unsigned)size - 1);
    } else {
      switch (opcode) {
        case DW_LNS_COPY:
          adds_row = true;
          break;
        case DW_LNS_ADVANCE_PC:
          advance(program, &row, bytes_unsigned(at));
          break;
        case DW_LNS_ADVANCE_LINE:
          row.line += (uint64_t)bytes_signed(at);
          break;
        case DW_LNS_SET_FILE:
          row.file = bytes_unsigned(at);
          break;
        case DW_LNS_CONST_ADD_PC:
          advance(program, &row, (255u - program->opcode_base) / program->line_range);
          break;
        case DW_LNS_FIXED_ADVANCE_PC:
          row.address += bytes_number(at, 2);
          break;
        default:
          for (unsigned i = 0; i < program->operands[opcode]; i++)
            bytes_unsigned(at);
      }
    }
    if (!adds_row)
      continue;
    if (is_between(&before, has_before, &row, address)) {
      *found = before;
      return true;
    }
    before = row;
    has_before = !ends;
    if (ends)
      row = first_row;
  }
  return false;
}

bool dwarf_find_line(const struct dwarf *dwarf, const struct dwarf_unit *unit, uint64_t address, struct dwarf_line *line) {
  struct program program;
  struct row row;
  if (!open_program(dwarf, unit, &program) || !run(&program, address, &row))
    return false;
  line->folder = unit->folder;
  line->line = row.line;
  return name_file(&program, row.file, line);
}

bool dwarf_find_file(const struct dwarf *dwarf, const struct dwarf_unit *unit, uint64_t number, struct dwarf_line *line) {
  struct program program;
  line->folder = unit->folder;
  return open_program(dwarf, unit, &program) && name_file(&program, number, line);
}
