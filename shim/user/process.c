#include "shim/user/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shim/host.h"
#include "shim/report.h"
#include "shim/small_printf.h"
#include "shim/user/lines.h"
#include "shim/user/mapping_history.h"
#include "shim/user/mapping_watch.h"
#include "shim/user/mappings.h"
#include "shim/user/symbols.h"

// Linked where processes are watched: see features.h.
#pragma weak shim_mappings_drain

// More than these are not kept: what has been used longest ago makes room.
enum { MAX_PROCESSES = 64, MAX_FILES = 128 };

// A function that a JIT compiler has made.
struct jit_symbol {
  uint64_t address;
  uint64_t size;
  const char *name;
};

struct process {
  uint32_t pid;
  uint64_t last_use;
  dev_t program_device;     // of the executable, 0 if that is not known
  ino_t program_inode;
  struct mappings mappings;
  char *jit_text;           // of /tmp/perf-PID.map
  off_t jit_size;
  struct jit_symbol *jit;
  uint32_t jit_count;
};

struct file {
  uint64_t device;
  uint64_t inode;
  uint64_t last_use;
  struct user_symbols symbols;
};

static struct process processes[MAX_PROCESSES];
static struct file files[MAX_FILES];
static uint64_t uses;

static void process_free(struct process *process) {
  mappings_free(&process->mappings);
  free(process->jit_text);
  free(process->jit);
  *process = (struct process){0};
}

void user_places_forget(void) {
  for (int i = 0; i < MAX_PROCESSES; i++)
    process_free(&processes[i]);
}

// Replaces what is known of a process's memory. Of one that has ended, whose maps are empty or not there, the history may know more.
static void read_mappings(struct process *process) {
  struct mappings mappings;
  int err = mappings_read(process->pid, &mappings);
  if (err && shim_mappings_drain)
    shim_mappings_drain();
  if (err && mapping_history_read(process->pid, &mappings))
    return;
  mappings_free(&process->mappings);
  process->mappings = mappings;
}

static bool read_program(uint32_t pid, struct stat *status) {
  char path[64];
  small_snprintf(path, sizeof(path), "/proc/%u/exe", pid);
  return stat(path, status) == 0;
}

void user_process_refresh(uint32_t pid) {
  struct stat status;
  for (int i = 0; i < MAX_PROCESSES; i++) {
    struct process *process = &processes[i];
    if (process->last_use && process->pid == pid && read_program(pid, &status) &&
        (process->program_inode != status.st_ino || process->program_device != status.st_dev))
      process_free(process);
  }
}

static struct process *find_process(uint32_t pid) {
  struct process *oldest = &processes[0];
  for (int i = 0; i < MAX_PROCESSES; i++) {
    struct process *process = &processes[i];
    if (process->last_use && process->pid == pid) {
      process->last_use = ++uses;
      return process;
    }
    if (process->last_use < oldest->last_use)
      oldest = process;
  }
  process_free(oldest);
  oldest->pid = pid;
  oldest->last_use = ++uses;
  struct stat status;
  if (read_program(pid, &status)) {
    oldest->program_device = status.st_dev;
    oldest->program_inode = status.st_ino;
  }
  read_mappings(oldest);
  return oldest;
}

static const struct mapping *find_mapping(const struct process *process, uint64_t address) {
  const struct mapping *list = process->mappings.list;
  for (uint32_t i = 0; i < process->mappings.count; i++)
    if (list[i].begin <= address && address < list[i].end)
      return &list[i];
  return NULL;
}

static int open_file(const char *path, const char *root, void *file) {
  return user_symbols_open(path, root, file);
}

static int open_symbols(const struct process *process, const struct mapping *mapping, struct user_symbols *symbols) {
  if (!strcmp(mapping->path, "[vdso]"))
    return user_symbols_open_vdso(symbols);
  return mapping_open(process->pid, mapping, open_file, symbols);
}

// For the first such file: where one is built so, most are.
static void report_compressed(const char *path) {
  static bool is_reported;
  if (!is_reported)
    report(REPORT_WARNING, NULL, 0,
           "symbols: read %s: only exported functions have names, the others are compressed in .gnu_debugdata: install its debug file",
           path);
  is_reported = true;
}

// A file that cannot be read is kept too, without symbols, so that it is tried once only.
static struct file *find_file(const struct process *process, const struct mapping *mapping) {
  struct file *oldest = &files[0];
  for (int i = 0; i < MAX_FILES; i++) {
    struct file *file = &files[i];
    if (file->last_use && file->inode == mapping->inode && file->device == mapping->device) {
      file->last_use = ++uses;
      return file;
    }
    if (file->last_use < oldest->last_use)
      oldest = file;
  }
  if (oldest->last_use)
    user_symbols_close(&oldest->symbols);
  *oldest = (struct file){.device = mapping->device, .inode = mapping->inode, .last_use = ++uses};
  if (open_symbols(process, mapping, &oldest->symbols))
    oldest->symbols = (struct user_symbols){0};
  if (oldest->symbols.lacks_local)
    report_compressed(mapping->path);
  return oldest;
}

static int compare_jit(const void *a, const void *b) {
  const struct jit_symbol *left = a, *right = b;
  return (left->address > right->address) - (left->address < right->address);
}

// The id that a process has in its own PID namespace: the last number behind "NSpid:".
static uint32_t inner_pid(uint32_t pid) {
  char path[64];
  char *text;
  size_t size;
  uint32_t inner = pid;
  small_snprintf(path, sizeof(path), "/proc/%u/status", pid);
  if (host_read_file(path, &text, &size))
    return pid;
  char *at = strstr(text, "\nNSpid:");
  for (at = at ? at + 7 : NULL; at && *at == '\t';)
    inner = (uint32_t)strtoul(at + 1, &at, 10);
  free(text);
  return inner;
}

// Lines are "begin size name", with numbers in hexadecimal. A compiler adds to its file: it is read again once that has grown.
static void read_jit(struct process *process) {
  char path[96];
  struct stat status;
  char *text;
  size_t size;
  small_snprintf(path, sizeof(path), "/proc/%u/root/tmp/perf-%u.map", process->pid, inner_pid(process->pid));
  if (stat(path, &status) < 0 || status.st_size == process->jit_size || host_read_file(path, &text, &size))
    return;
  struct jit_symbol *list = malloc(lines_count(text) * sizeof(*list));
  if (!list) {
    free(text);
    return;
  }
  uint32_t count = 0;
  char *rest;
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    char *at = line;
    list[count].address = line_read_hex(&at);
    list[count].size = line_read_hex(&at);
    list[count].name = at;
    count += *at != 0;
  }
  qsort(list, count, sizeof(*list), compare_jit);
  free(process->jit_text);
  free(process->jit);
  process->jit_text = text;
  process->jit_size = status.st_size;
  process->jit = list;
  process->jit_count = count;
}

static const struct jit_symbol *find_jit(const struct process *process, uint64_t address) {
  uint32_t begin = 0, end = process->jit_count;
  while (begin < end) {
    uint32_t middle = begin + (end - begin) / 2;
    if (process->jit[middle].address <= address)
      begin = middle + 1;
    else
      end = middle;
  }
  const struct jit_symbol *symbol = begin ? &process->jit[begin - 1] : NULL;
  return symbol && address - symbol->address < symbol->size ? symbol : NULL;
}

static struct user_place place_of_jit(struct process *process, uint64_t address) {
  const struct jit_symbol *symbol = find_jit(process, address);
  if (!symbol) {
    read_jit(process);
    symbol = find_jit(process, address);
  }
  if (!symbol)
    return (struct user_place){0};
  static char module[32];
  small_snprintf(module, sizeof(module), "/tmp/perf-%u.map", process->pid);
  return (struct user_place){.name = symbol->name, .offset = address - symbol->address, .module = module};
}

static struct user_place place_in_program(const struct process *process, const char *program, uint64_t address) {
  struct user_place place = {.module = program};
  struct stat status;
  if (stat(program, &status) < 0)
    return place;
  const struct mapping whole = {.device = status.st_dev, .inode = status.st_ino, .path = program};
  struct file *file = find_file(process, &whole);
  if (file->symbols.count && elf_is_fixed(&file->symbols.elf) && elf_file_offset(&file->symbols.elf, address, &place.file_offset)) {
    place.symbols = &file->symbols;
    place.name = user_symbols_find(&file->symbols, place.file_offset, &place.offset);
  }
  return place;
}

struct user_place user_place_find(const struct user_origin *origin, uint64_t address) {
  struct process *process = find_process(origin->pid);
  const struct mapping *mapping = find_mapping(process, address);
  if (!mapping) {
    // It may have mapped more since, or have become another program.
    read_mappings(process);
    mapping = find_mapping(process, address);
  }
  if (!mapping && !process->mappings.count && origin->program)
    return place_in_program(process, origin->program, address);
  if (!mapping)
    return (struct user_place){0};
  struct user_place place = {.module = mapping->path};
  if (mapping->inode || !strcmp(mapping->path, "[vdso]")) {
    struct file *file = find_file(process, mapping);
    place.symbols = &file->symbols;
    place.file_offset = address - mapping->begin + mapping->offset;
    place.name = user_symbols_find(&file->symbols, place.file_offset, &place.offset);
  }
  // Some compilers put their code into a file in memory.
  struct user_place jit = place.name ? place : place_of_jit(process, address);
  if (!place.name && (!place.symbols || !place.symbols->elf.data))
    place.module = NULL;
  return jit.name ? jit : place;
}
