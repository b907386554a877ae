// Kernel addresses as names, from /proc/kallsyms: read once, when the first address is to be printed.
//
// An address belongs to the last symbol that does not begin after it, however far away that is; of several at the same place the
// last one in the file is taken. Symbols of data are left out. Upstream does the same.
#include "shim/symbols/kernel.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "shim/kallsyms.h"
#include "shim/output/text.h"
#include "shim/output/value.h"
#include "shim/report.h"
#include "shim/sort.h"

enum { CHUNK = 1 << 14 };

// 12 bytes a symbol and its name: about 4 MB for the 110,000 functions of a distribution's kernel.
struct symbols {
  uint64_t *addresses;
  uint32_t *names;   // offsets into `text`
  uint32_t *sorted;  // indices in the order of their addresses
  uint32_t count;
  uint32_t capacity;
  char *text;
  uint32_t text_size;
  uint32_t text_capacity;
};

static bool grow(void **array, uint32_t *capacity, uint32_t needed, size_t element) {
  if (needed <= *capacity)
    return true;
  uint32_t wanted = needed + needed / 2 + CHUNK;
  if (wanted < needed)
    return false;
  void *grown = realloc(*array, wanted * element);
  if (!grown)
    return false;
  *array = grown;
  *capacity = wanted;
  return true;
}

static int symbols_add(struct symbols *symbols, uint64_t address, const char *name, uint32_t size) {
  uint32_t names_capacity = symbols->capacity;
  if (!grow((void **)&symbols->names, &names_capacity, symbols->count + 1, sizeof(*symbols->names)) ||
      !grow((void **)&symbols->addresses, &symbols->capacity, symbols->count + 1, sizeof(*symbols->addresses)) ||
      !grow((void **)&symbols->text, &symbols->text_capacity, symbols->text_size + size + 1, 1))
    return -ENOMEM;
  symbols->addresses[symbols->count] = address;
  symbols->names[symbols->count++] = symbols->text_size;
  memcpy(symbols->text + symbols->text_size, name, size);
  symbols->text[symbols->text_size + size] = '\0';
  symbols->text_size += size + 1;
  return 0;
}

static int add_entry(void *context, const struct kallsyms_entry *entry) {
  if (!entry->address || strchr("bBdDrR", entry->type))
    return 0;
  return symbols_add(context, entry->address, entry->name, (uint32_t)entry->name_size);
}

static bool address_after(const void *context, uint32_t a, uint32_t b) {
  const struct symbols *symbols = context;
  return symbols->addresses[a] > symbols->addresses[b];
}

static int symbols_sort(struct symbols *symbols) {
  symbols->sorted = malloc(symbols->count * sizeof(*symbols->sorted));
  uint32_t *scratch = malloc(symbols->count * sizeof(*scratch));
  if (!symbols->sorted || !scratch) {
    free(scratch);
    return -ENOMEM;
  }
  for (uint32_t i = 0; i < symbols->count; i++)
    symbols->sorted[i] = i;
  sort_indices(symbols->sorted, symbols->count, scratch, address_after, symbols);
  free(scratch);
  return 0;
}

static int symbols_read(struct symbols *symbols) {
  int err = kallsyms_each(add_entry, symbols);
  if (!err && symbols->count)
    err = symbols_sort(symbols);
  return err;
}

static void symbols_free(struct symbols *symbols) {
  free(symbols->addresses);
  free(symbols->names);
  free(symbols->sorted);
  free(symbols->text);
  *symbols = (struct symbols){0};
}

const char *kernel_symbol_name(uint64_t address, uint64_t *offset) {
  static struct symbols symbols;
  static bool is_read;
  if (!is_read) {
    is_read = true;
    int err = symbols_read(&symbols);
    if (err) {
      report(REPORT_WARNING, NULL, 0, "ksym: read /proc/kallsyms: %s; addresses have no names", report_cause(err));
      symbols_free(&symbols);
    }
  }
  uint32_t begin = 0;  // symbols before `begin` are at or below the address, those from `end` on above it
  uint32_t end = symbols.count;
  while (begin < end) {
    uint32_t middle = begin + (end - begin) / 2;
    if (symbols.addresses[symbols.sorted[middle]] <= address)
      begin = middle + 1;
    else
      end = middle;
  }
  if (!begin)
    return NULL;
  uint32_t index = symbols.sorted[begin - 1];
  *offset = address - symbols.addresses[index];
  return symbols.text + symbols.names[index];
}

void shim_print_ksym(struct printer *printer, const struct pb_type *type, const uint8_t *data) {
  (void)type;
  uint64_t address = load_unsigned(data, 8);
  uint64_t offset;
  const char *name = kernel_symbol_name(address, &offset);
  if (name) {
    printer->format->string(printer, name, strlen(name), "");
    return;
  }
  struct number number;
  number_format_address(&number, address);
  printer->format->string(printer, number.text, number.size, "");
}
