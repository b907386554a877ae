#include "shim/user/symbols.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "shim/debug/source_lines.h"
#include "shim/small_printf.h"
#include "shim/user/build_id.h"

// Linked if the configuration wants source lines: see features.h.
#pragma weak source_lines_close

enum { MAX_SYMBOLS = 1 << 22, BUILD_ID_SIZE = 20 };

struct contents {
  bool has_symtab;
  bool has_compressed;  // symbols in .gnu_debugdata
};

// Symbols that are being added. There may be more of them than were counted: others may write to the file meanwhile.
struct additions {
  struct user_symbols *symbols;
  uint32_t room;
};

static int look_at_section(void *context, const char *name, const struct elf_section *section) {
  struct contents *contents = context;
  contents->has_symtab |= section->type == SHT_SYMTAB;
  contents->has_compressed |= !strcmp(name, ".gnu_debugdata");
  return 0;
}

static int count_function(void *context, const struct elf_function *function) {
  (void)function;
  return ++*(uint32_t *)context == MAX_SYMBOLS;
}

static int add_function(void *context, const struct elf_function *function) {
  struct additions *additions = context;
  struct user_symbols *symbols = additions->symbols;
  symbols->list[symbols->count++] = (struct user_symbol){function->address, function->size, function->name, function->is_local};
  return symbols->count == additions->room;
}

static size_t underscores(const char *name) {
  return strspn(name, "_");
}

// By address; of several at one place the last one is found: one that covers most, then one that the programmer knows, as "stat"
// is better than its aliases "__stat" and "__GI___stat".
static int compare(const void *a, const void *b) {
  const struct user_symbol *left = a, *right = b;
  if (left->address != right->address)
    return left->address < right->address ? -1 : 1;
  if (left->size != right->size)
    return left->size < right->size ? -1 : 1;
  if (left->is_local != right->is_local)
    return left->is_local ? -1 : 1;
  if (underscores(left->name) != underscores(right->name))
    return underscores(left->name) > underscores(right->name) ? -1 : 1;
  return strcmp(right->name, left->name);
}

// By its build id, which it has in common with the file.
static void open_debug_file(struct user_symbols *symbols, const char *root) {
  const uint8_t *build_id, *found;
  if (elf_build_id(&symbols->elf, &build_id) != BUILD_ID_SIZE)
    return;
  char hex[2 * BUILD_ID_SIZE + 1] = "";
  for (size_t i = 0; i < BUILD_ID_SIZE; i++)
    small_snprintf(hex + 2 * i, 3, "%02x", build_id[i]);
  char path[PATH_MAX];
  small_snprintf(path, sizeof(path), "%s/usr/lib/debug/.build-id/%c%c/%s.debug", root, hex[0], hex[1], hex + 2);
  if (elf_open(path, &symbols->debug))
    return;
  if (elf_build_id(&symbols->debug, &found) != BUILD_ID_SIZE || memcmp(found, build_id, BUILD_ID_SIZE) != 0)
    elf_close(&symbols->debug);
}

static int read_symbols(struct user_symbols *symbols) {
  uint32_t count = 0;
  bool is_full = elf_each_function(&symbols->elf, count_function, &count);
  if (symbols->debug.data && !is_full)
    elf_each_function(&symbols->debug, count_function, &count);
  if (!count)
    return 0;
  symbols->list = malloc(count * sizeof(*symbols->list));
  if (!symbols->list)
    return -ENOMEM;
  struct additions additions = {symbols, count};
  is_full = elf_each_function(&symbols->elf, add_function, &additions);
  if (symbols->debug.data && !is_full)
    elf_each_function(&symbols->debug, add_function, &additions);
  qsort(symbols->list, symbols->count, sizeof(*symbols->list), compare);
  return 0;
}

int user_symbols_open(const char *path, const char *root, struct user_symbols *symbols) {
  *symbols = (struct user_symbols){0};
  int err = elf_open(path, &symbols->elf);
  if (err)
    return err;
  struct contents contents = {0};
  elf_each_section(&symbols->elf, look_at_section, &contents);
  if (!contents.has_symtab)
    open_debug_file(symbols, root);
  symbols->lacks_local = contents.has_compressed && !contents.has_symtab && !symbols->debug.data;
  err = read_symbols(symbols);
  if (err)
    user_symbols_close(symbols);
  return err;
}

int user_symbols_open_vdso(struct user_symbols *symbols) {
  *symbols = (struct user_symbols){0};
  int err = elf_open_vdso(&symbols->elf);
  return err ? err : read_symbols(symbols);
}

void user_symbols_close(struct user_symbols *symbols) {
  if (symbols->debug_info)
    source_lines_close(symbols->debug_info);
  elf_close(&symbols->elf);
  elf_close(&symbols->debug);
  free(symbols->list);
  *symbols = (struct user_symbols){0};
}

bool user_symbols_address(const struct user_symbols *symbols, uint64_t file_offset, uint64_t *address) {
  return symbols->elf.data && elf_address(&symbols->elf, file_offset, address);
}

const char *user_symbols_find(const struct user_symbols *symbols, uint64_t file_offset, uint64_t *offset) {
  uint64_t address;
  if (!symbols->count || !user_symbols_address(symbols, file_offset, &address))
    return NULL;
  uint32_t begin = 0, end = symbols->count;
  while (begin < end) {
    uint32_t middle = begin + (end - begin) / 2;
    if (symbols->list[middle].address <= address)
      begin = middle + 1;
    else
      end = middle;
  }
  if (!begin)
    return NULL;
  // Hand-written assembly has symbols without a size: they reach to the next one.
  const struct user_symbol *symbol = &symbols->list[begin - 1];
  *offset = address - symbol->address;
  return !symbol->size || *offset < symbol->size ? symbol->name : NULL;
}
