// Which addresses an entry has.
#include "shim/debug/dwarf.h"

enum { DW_FORM_RNGLISTX = 0x23, MAX_RANGES = 1 << 20 };

enum {
  DW_RLE_END_OF_LIST, DW_RLE_BASE_ADDRESSX, DW_RLE_STARTX_ENDX, DW_RLE_STARTX_LENGTH, DW_RLE_OFFSET_PAIR, DW_RLE_BASE_ADDRESS,
  DW_RLE_START_END, DW_RLE_START_LENGTH,
};

// Pairs of addresses, relative to a base that pairs with the largest address change.
static bool is_in_old_list(const struct dwarf *dwarf, const struct dwarf_unit *unit, uint64_t offset, uint64_t address) {
  struct bytes at = bytes_from(&dwarf->sections[DWARF_RANGES], offset);
  uint64_t base = unit->low, largest = unit->address_size == 8 ? UINT64_MAX : UINT32_MAX;
  for (int i = 0; i < MAX_RANGES; i++) {
    uint64_t begin = bytes_number(&at, unit->address_size), end = bytes_number(&at, unit->address_size);
    if (at.is_bad || (!begin && !end))
      return false;
    if (begin == largest)
      base = end;
    else if (base + begin <= address && address < base + end)
      return true;
  }
  return false;
}

static uint64_t address_of_index(const struct dwarf *dwarf, const struct dwarf_unit *unit, uint64_t index) {
  const struct dwarf_value value = {.kind = DWARF_ADDRESS_INDEX, .number = index};
  uint64_t address;
  return dwarf_address(dwarf, unit, &value, &address) ? address : 0;
}

static bool is_in_list(const struct dwarf *dwarf, const struct dwarf_unit *unit, uint64_t offset, uint64_t address) {
  struct bytes at = bytes_from(&dwarf->sections[DWARF_RNGLISTS], offset);
  uint64_t base = unit->low;
  for (int i = 0; i < MAX_RANGES && !at.is_bad; i++) {
    uint64_t begin = 0, end = 0;
    switch (bytes_number(&at, 1)) {
      case DW_RLE_BASE_ADDRESSX:
        base = address_of_index(dwarf, unit, bytes_unsigned(&at));
        break;
      case DW_RLE_STARTX_ENDX:
        begin = address_of_index(dwarf, unit, bytes_unsigned(&at));
        end = address_of_index(dwarf, unit, bytes_unsigned(&at));
        break;
      case DW_RLE_STARTX_LENGTH:
        begin = address_of_index(dwarf, unit, bytes_unsigned(&at));
        end = begin + bytes_unsigned(&at);
        break;
      case DW_RLE_OFFSET_PAIR:
        begin = base + bytes_unsigned(&at);
        end = base + bytes_unsigned(&at);
        break;
      case DW_RLE_BASE_ADDRESS:
        base = bytes_number(&at, unit->address_size);
        break;
      case DW_RLE_START_END:
        begin = bytes_number(&at, unit->address_size);
        end = bytes_number(&at, unit->address_size);
        break;
      case DW_RLE_START_LENGTH:
        begin = bytes_number(&at, unit->address_size);
        end = begin + bytes_unsigned(&at);
        break;
      default:
        return false;
    }
    if (!at.is_bad && begin <= address && address < end)
      return true;
  }
  return false;
}

bool dwarf_contains(const struct dwarf *dwarf, const struct dwarf_unit *unit, const struct dwarf_entry *entry, uint64_t address) {
  uint64_t low, high;
  if (entry->ranges.kind != DWARF_NONE) {
    uint64_t offset = entry->ranges.number;
    if (unit->version < 5)
      return is_in_old_list(dwarf, unit, offset, address);
    if (entry->ranges.form == DW_FORM_RNGLISTX) {
      struct bytes at = bytes_from(&dwarf->sections[DWARF_RNGLISTS], unit->range_lists + offset * unit->offset_size);
      offset = unit->range_lists + bytes_number(&at, unit->offset_size);
    }
    return is_in_list(dwarf, unit, offset, address);
  }
  if (!dwarf_address(dwarf, unit, &entry->low, &low))
    return false;
  if (!dwarf_address(dwarf, unit, &entry->high, &high))
    high = entry->high.kind == DWARF_NUMBER ? low + entry->high.number : low;
  return low <= address && address < high;
}
