#include "shim/unwind/unwind.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim/bpf.h"
#include "shim/host.h"
#include "shim/output/output.h"
#include "shim/report.h"
#include "shim/small_printf.h"
#include "shim/tracer.h"
#include "shim/unwind/cfi.h"
#include "shim/user/elf.h"
#include "shim/user/mappings.h"

// Entries of the arrays in UNWIND_PROCESSES: the first one of each is a header.
struct process_header {
  uint64_t count;
  uint64_t start_stack;
  uint64_t refreshed;
  uint64_t zero;
};

struct process_mapping {
  uint64_t begin;
  uint64_t end;
  uint64_t bias;
  uint32_t file;
  uint32_t rows;
};

_Static_assert(sizeof(struct process_header) == 32 && sizeof(struct process_mapping) == 32, "UNWIND_PROCESSES");

// A file whose tables are in the maps, or of which nothing is known (no rows). The vDSO is device and inode 0.
struct file {
  uint64_t device;
  uint64_t inode;
  uint64_t base;
  uint32_t rows;
};

static struct file *files;  // by their index in the maps
static uint32_t files_count, files_room;

// Files that a warning has named. They are tried again with each process that maps them, and may be there then.
static struct {
  uint64_t device;
  uint64_t inode;
} *named;
static uint32_t named_count;

static const struct map *find_map(const struct tracer *tracer, uint32_t role) {
  for (uint32_t i = 0; i < tracer->resources->maps_count; i++)
    if (tracer->maps[i].info->role == role)
      return &tracer->maps[i];
  return NULL;
}

// Puts an array with `count` values of `size` bytes into a map of maps.
static int put_array(const struct map *outer, uint32_t key, const void *values, uint32_t count, uint32_t size) {
  struct bpf_map_create_attr attr = {
      .map_type = BPF_MAP_TYPE_ARRAY,
      .key_size = sizeof(uint32_t),
      .value_size = size,
      .max_entries = count,
      .map_flags = MAPS_INNER_FLAGS,
      .map_name = "unwind_table",
  };
  int fd = bpf_call_allocating(BPF_MAP_CREATE, &attr, sizeof(attr));
  if (fd < 0)
    return fd;
  size_t bytes = (size_t)count * size;
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  int err = memory == MAP_FAILED ? -errno : 0;
  if (!err) {
    memcpy(memory, values, bytes);
    munmap(memory, bytes);
    err = bpf_map_update(outer->fd, &key, &fd);
  }
  close(fd);  // the outer map keeps the array
  return err;
}

// .eh_frame, which a process has in memory, or else .debug_frame, where a compiler has written only that.
static int find_section(void *context, const char *name, const struct elf_section *section) {
  struct cfi_section *found = context;
  bool is_debug = !strcmp(name, ".debug_frame");
  if (!section->data || !section->size || section->flags & SHF_COMPRESSED || (!is_debug && strcmp(name, ".eh_frame") != 0))
    return 0;
  *found = (struct cfi_section){.data = section->data, .size = section->size, .address = section->address, .is_debug = is_debug};
  return !is_debug;
}

static int put_tables(const struct tracer *tracer, uint32_t index, const struct unwind_table *table) {
  int err = put_array(find_map(tracer, PB_MAP_UNWIND_ROWS), index, table->rows, table->rows_count, sizeof(*table->rows));
  if (err)
    return err;
  return put_array(find_map(tracer, PB_MAP_UNWIND_RULES), index, table->rules, table->rules_count, sizeof(*table->rules));
}

// Reads the file of a mapping and puts what it says into the maps at `index`. A file without call frame information is no error.
static int read_file(const struct tracer *tracer, const struct elf *elf, uint32_t index, struct file *file) {
  struct cfi_section section = {0};
  struct unwind_table table;
  elf_each_section(elf, find_section, &section);
  if (!section.data)
    return 0;
  int err = unwind_table_open(&table);
  if (!err)
    err = cfi_read(&section, &table);
  if (!err)
    err = unwind_table_finish(&table);
  if (!err && table.rows_count) {
    err = put_tables(tracer, index, &table);
    file->base = table.base;
    file->rows = err ? 0 : table.rows_count;
  }
  unwind_table_close(&table);
  return err;
}

static int open_elf(const char *path, const char *root, void *elf) {
  (void)root;
  return elf_open(path, elf);
}

static bool is_vdso(const struct mapping *mapping) {
  return !strcmp(mapping->path, "[vdso]");
}

static bool is_file(const struct mapping *mapping, const struct file *file) {
  return file->inode == mapping->inode && file->device == mapping->device;
}

// Names a file of which nothing can be known: once, since mappings are read again and again.
static void warn_of_file(const struct mapping *mapping, const char *verb, int err) {
  for (uint32_t i = 0; i < named_count; i++)
    if (named[i].inode == mapping->inode && named[i].device == mapping->device)
      return;
  void *larger = realloc(named, (named_count + 1) * sizeof(*named));
  if (larger) {
    named = larger;
    named[named_count].device = mapping->device;
    named[named_count++].inode = mapping->inode;
  }
  report(REPORT_WARNING, NULL, 0, "unwind: %s %s: %s: stacks end at its functions", verb, mapping->path, report_cause(err));
}

// The index of the file, which is read if it is new; or -1 if nothing is known of it.
static int find_file(const struct tracer *tracer, const struct mapping *mapping, const struct elf *elf) {
  for (uint32_t i = 0; i < files_count; i++)
    if (is_file(mapping, &files[i]))
      return files[i].rows ? (int)i : -1;
  const struct map *rows = find_map(tracer, PB_MAP_UNWIND_ROWS);
  int err = files_count == rows->info->max_entries ? -ENFILE : 0;
  if (!err && files_count == files_room) {
    struct file *larger = realloc(files, (files_room + 64) * sizeof(*files));
    err = larger ? 0 : -ENOMEM;
    files = larger ? larger : files;
    files_room += larger ? 64 : 0;
  }
  struct file file = {.device = mapping->device, .inode = mapping->inode};
  if (!err)
    err = read_file(tracer, elf, files_count, &file);
  if (err)
    warn_of_file(mapping, "read", err);
  else if (!file.rows && tracer->options.verbose)
    report_line("unwind: %s has no call frame information: stacks end at its functions", mapping->path);
  if (files_count == files_room)
    return -1;
  files[files_count++] = file;
  return file.rows ? (int)files_count - 1 : -1;
}

// What programs are told of a mapping. Where nothing is known they find no rows.
static struct process_mapping describe(const struct tracer *tracer, uint32_t pid, const struct mapping *mapping) {
  struct process_mapping described = {.begin = mapping->begin, .end = mapping->end};
  struct elf elf = {0};
  bool has_file = mapping->inode != 0 && *mapping->path == '/';
  if (!is_vdso(mapping) && !has_file)
    return described;
  int err = is_vdso(mapping) ? elf_open_vdso(&elf) : mapping_open(pid, mapping, open_elf, &elf);
  if (err && err != -ENOEXEC)
    warn_of_file(mapping, "open", err);
  if (err)
    return described;
  uint64_t address;
  int index = elf_code_address(&elf, mapping->offset, &address) ? find_file(tracer, mapping, &elf) : -1;
  if (index >= 0) {
    described.bias = mapping->begin - address + files[index].base;
    described.file = (uint32_t)index;
    described.rows = files[index].rows;
  }
  elf_close(&elf);
  return described;
}

// Where the stack of the process's first thread begins: number 28 in /proc/PID/stat. It tells programs that run in a process one after
// the other apart.
static int read_start_stack(uint32_t pid, uint64_t *start) {
  enum { NUMBER = 28, AFTER_NAME = 2 };
  char path[64];
  char *text;
  size_t size;
  small_snprintf(path, sizeof(path), "/proc/%u/stat", pid);
  int err = host_read_file(path, &text, &size);
  if (err)
    return err;
  // The name is in parentheses, and may have any characters.
  char *at = strrchr(text, ')');
  for (int number = AFTER_NAME; at && number < NUMBER; number++)
    at = strchr(at + 1, ' ');
  *start = at ? strtoull(at + 1, NULL, 10) : 0;
  free(text);
  return at ? 0 : -EBADMSG;
}

int unwind_read_process(struct tracer *tracer, uint32_t pid) {
  struct mappings mappings;
  struct process_header header = {0};
  int err = read_start_stack(pid, &header.start_stack);
  if (!err)
    err = mappings_read(pid, &mappings);
  if (err)
    return err;
  struct process_mapping *entries = calloc((size_t)mappings.count + 1, sizeof(*entries));
  err = entries ? 0 : -ENOMEM;
  for (uint32_t i = 0; !err && i < mappings.count; i++)
    entries[i + 1] = describe(tracer, pid, &mappings.list[i]);
  if (!err) {
    header.count = mappings.count;
    memcpy(entries, &header, sizeof(header));
    err = put_array(find_map(tracer, PB_MAP_UNWIND_PROCESSES), pid, entries, mappings.count + 1, sizeof(*entries));
  }
  free(entries);
  mappings_free(&mappings);
  return err;
}

static int open_process(struct tracer *tracer, int pid) {
  int err = unwind_read_process(tracer, (uint32_t)pid);
  if (err)
    report(REPORT_WARNING, NULL, 0, "unwind: read process %d: %s: it has no stacks by call frame information", pid, report_cause(err));
  return err == -ENOMEM ? err : 0;
}

int shim_unwind_open(struct tracer *tracer) {
  const struct options *options = &tracer->options;
  if (!options->pid && !options->command && !options->dwarf_pids_count) {
    report(REPORT_ERROR, NULL, 0, "dw_ustack requires a target process. Use -p, -c, or --dwarf-pid to specify one.");
    return -EINVAL;
  }
  int err = options->pid ? open_process(tracer, options->pid) : 0;
  for (uint32_t i = 0; i < options->dwarf_pids_count && !err; i++)
    err = open_process(tracer, options->dwarf_pids[i]);
  return err;
}

int shim_action_unwind_refresh(struct tracer *tracer, const struct pb_action *action, const uint8_t *event, uint32_t size) {
  (void)action, (void)size;
  uint32_t pid;
  memcpy(&pid, event + 8, sizeof(pid));
  unwind_read_process(tracer, pid);  // it may have ended
  return 0;
}
