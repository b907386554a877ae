// What is read of traced processes and their files: symbols and notes of ELF files, and maps that JIT compilers write. A file is made by
// hand; what comes of changing and cutting it has to be harmless, and so is a file that others write to meanwhile.
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/attach/attach.h"
#include "shim/host.h"
#include "shim/small_printf.h"
#include "shim/user/build_id.h"
#include "shim/user/mappings.h"
#include "shim/user/process.h"
#include "shim/user/symbols.h"
#include "shim/user/usdt_argument.h"
#include "tests/shim/check.h"

enum { MUTATIONS = 20000, RACES = 3000 };

#if defined(__x86_64__)
enum { MACHINE = EM_X86_64 };
static const char arguments[] = "-4@%eax 8@-20(%rbp) 1@$5";
static const char *const strange_arguments[] = {"8@%xmm0", "8@(%rax,%rbx,3)", "8@(%rax,%rbx,0)", "8@(%rax,%rbx,16)", "3@%rax", "8@x(%rip)"};
#elif defined(__aarch64__)
enum { MACHINE = EM_AARCH64 };
static const char arguments[] = "-4@w0 8@[x1, -20] 1@5";
static const char *const strange_arguments[] = {"8@d0", "8@xzr", "8@x31", "8@[xz]", "3@x0", "8@[x"};
#endif

enum { NONE, STRINGS, DYNAMIC, BUILD_ID, PROBES, BASE, SYMBOLS, SECTIONS };  // sections; without the last one there are fewer symbols
enum { DYNAMIC_COUNT = 500, SYMBOLS_COUNT = 20, ADDRESS = 0x400000, FUNCTION_SIZE = 16 };

static const char strings[] =
    "\0.strtab\0.dynsym\0.note.gnu.build-id\0.note.stapsdt\0.stapsdt.base\0.symtab\0function";

struct __attribute__((packed)) note {
  Elf64_Nhdr header;
  char name[8];
  uint64_t addresses[3];
  char texts[64];
};

static struct image {
  Elf64_Ehdr header;
  Elf64_Phdr segment;
  Elf64_Shdr sections[SECTIONS];
  Elf64_Sym symbols[SYMBOLS_COUNT];
  Elf64_Sym dynamic[DYNAMIC_COUNT];
  struct {
    Elf64_Nhdr header;
    char name[4];
    uint8_t id[20];
  } build_id;
  struct note probe;
  char strings[sizeof(strings)];
} image;

static uint32_t string_at(const char *text) {
  const char *found = memmem(strings, sizeof(strings), text, strlen(text) + 1);
  return found ? (uint32_t)(found - strings) : 0;
}

static void add_section(int index, const char *name, uint32_t type, const void *data, size_t size, uint32_t link) {
  image.sections[index] = (Elf64_Shdr){.sh_name = string_at(name),
                                       .sh_type = type,
                                       .sh_addr = ADDRESS,
                                       .sh_offset = (uint64_t)((const char *)data - (const char *)&image),
                                       .sh_size = size,
                                       .sh_link = link};
}

static void make_image(void) {
  image.header = (Elf64_Ehdr){.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB},
                              .e_type = ET_EXEC,
                              .e_machine = MACHINE,
                              .e_phoff = offsetof(struct image, segment),
                              .e_shoff = offsetof(struct image, sections),
                              .e_phentsize = sizeof(Elf64_Phdr),
                              .e_phnum = 1,
                              .e_shentsize = sizeof(Elf64_Shdr),
                              .e_shnum = SECTIONS,
                              .e_shstrndx = STRINGS};
  image.segment = (Elf64_Phdr){.p_type = PT_LOAD, .p_vaddr = ADDRESS, .p_filesz = sizeof(image), .p_memsz = sizeof(image)};
  for (int i = 0; i < DYNAMIC_COUNT + SYMBOLS_COUNT; i++) {
    Elf64_Sym *symbol = i < SYMBOLS_COUNT ? &image.symbols[i] : &image.dynamic[i - SYMBOLS_COUNT];
    *symbol = (Elf64_Sym){.st_name = string_at("function"),
                          .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
                          .st_shndx = SYMBOLS,
                          .st_value = ADDRESS + (uint64_t)i * FUNCTION_SIZE,
                          .st_size = FUNCTION_SIZE};
  }
  image.build_id.header = (Elf64_Nhdr){sizeof(image.build_id.name), sizeof(image.build_id.id), NT_GNU_BUILD_ID};
  memcpy(image.build_id.name, "GNU", sizeof("GNU"));
  memset(image.build_id.id, 7, sizeof(image.build_id.id));
  image.probe.header = (Elf64_Nhdr){sizeof("stapsdt"), sizeof(image.probe.addresses) + sizeof(image.probe.texts), 3};
  memcpy(image.probe.name, "stapsdt", sizeof("stapsdt"));
  image.probe.addresses[0] = ADDRESS + 32;
  image.probe.addresses[1] = ADDRESS;
  image.probe.addresses[2] = ADDRESS + 64;
  static const char provider_and_name[] = "provider\0name";
  memcpy(image.probe.texts, provider_and_name, sizeof(provider_and_name));
  memcpy(image.probe.texts + sizeof(provider_and_name), arguments, sizeof(arguments));
  memcpy(image.strings, strings, sizeof(strings));
  add_section(STRINGS, ".strtab", SHT_STRTAB, image.strings, sizeof(image.strings), 0);
  add_section(DYNAMIC, ".dynsym", SHT_DYNSYM, image.dynamic, sizeof(image.dynamic), STRINGS);
  add_section(BUILD_ID, ".note.gnu.build-id", SHT_NOTE, &image.build_id, sizeof(image.build_id), 0);
  add_section(PROBES, ".note.stapsdt", SHT_NOTE, &image.probe, sizeof(image.probe), 0);
  add_section(BASE, ".stapsdt.base", SHT_PROGBITS, &image.probe, 1, 0);
  add_section(SYMBOLS, ".symtab", SHT_SYMTAB, image.symbols, sizeof(image.symbols), STRINGS);
}

// A file in memory, and the path to it.
static int file = -1;
static char path[64];

static void write_file(const void *data, size_t size) {
  CHECK(!ftruncate(file, 0) && pwrite(file, data, size, 0) == (ssize_t)size);
}

static volatile size_t touched;

static int touch_function(void *context, const struct elf_function *function) {
  uint64_t offset;
  touched += strlen(function->name);
  if (elf_file_offset(context, function->address, &offset))
    elf_address(context, offset, &offset);
  return 0;
}

static int touch_section(void *context, const char *name, const struct elf_section *section) {
  (void)context;
  touched += strlen(name);
  if (section->size)
    touched += (size_t)section->data[0] + section->data[section->size - 1];
  return 0;
}

// Reads all that is ever read, from memory that ends where the data do.
static void read_elf(const uint8_t *data, size_t size) {
  const uint8_t *id;
  uint64_t address, symbol_size;
  uint8_t *copy = malloc(size);
  if (!copy)
    abort();
  memcpy(copy, data, size);
  struct elf elf = {.data = copy, .size = size};
  elf_each_function(&elf, touch_function, &elf);
  elf_each_section(&elf, touch_section, NULL);
  elf_find_symbol(&elf, "none", &address, &symbol_size);
  for (size_t left = elf_build_id(&elf, &id); left; left--)
    touched += id[left - 1];
  free(copy);
}

// The targets of a probe usdt:FILE:*:*, with their arguments. Returns how many there are.
static uint32_t find_probes(void) {
  const struct pb_source_span span = {.file = ""};
  const struct pb_config config = {0};
  const struct pb_usdt usdt = {.path = path, .provider = "*", .name = "*"};
  const struct pb_probe probe = {.name = "usdt", .attach_case = PB_PROBE_ATTACH_USDT, .usdt = &usdt};
  const struct pb_program program = {.name = "usdt", .uses_cookie = true};
  const struct pb_required_resources resources = {
      .spans = &span, .spans_count = 1, .config = &config, .probes = &probe, .probes_count = 1, .programs = &program, .programs_count = 1};
  struct tracer tracer = {.resources = &resources};
  shim_attach_usdt.expand(&tracer, 0);
  uint32_t count = tracer.targets_count;
  if (count)
    shim_fill_usdt_arguments(&tracer, -1);
  targets_free(&tracer);
  return count;
}

static void whole_file(void) {
  struct user_symbols symbols;
  uint64_t offset;
  write_file(&image, sizeof(image));
  CHECK(!user_symbols_open(path, "", &symbols));
  CHECK(symbols.count == DYNAMIC_COUNT + SYMBOLS_COUNT);
  CHECK(user_symbols_find(&symbols, 3 * FUNCTION_SIZE + 5, &offset) && offset == 5);
  CHECK(!user_symbols_find(&symbols, sizeof(image), &offset));
  const uint8_t *id;
  CHECK(elf_build_id(&symbols.elf, &id) == sizeof(image.build_id.id) && id[19] == 7);
  user_symbols_close(&symbols);
  CHECK(find_probes() == 1);
}

static void cut_files_are_harmless(void) {
  for (size_t size = sizeof(Elf64_Ehdr); size < sizeof(image); size += 1 + size / 64)
    read_elf((const uint8_t *)&image, size);
}

// A header, a section's header, a note or a string: what else there is says nothing about places.
static size_t interesting_place(void) {
  static const struct {
    size_t start;
    size_t size;
  } parts[] = {
      {0, offsetof(struct image, symbols) + sizeof(image.symbols)},
      {offsetof(struct image, build_id), sizeof(image) - offsetof(struct image, build_id)},
  };
  size_t part = random_below(3) == 0;
  return parts[part].start + random_below((uint32_t)parts[part].size);
}

static void changed_files_are_harmless(void) {
  struct image changed;
  for (int n = 0; n < MUTATIONS; n++) {
    uint8_t *bytes = (uint8_t *)&changed;
    changed = image;
    for (uint32_t rounds = 1 + random_below(4); rounds; rounds--) {
      static const uint64_t numbers[] = {0, 1, 8, 0xff, 0xffff, 0xffffffff, UINT64_MAX, UINT64_MAX - 15, sizeof(image) - 1, INT64_MAX};
      size_t at = interesting_place();
      if (random_below(2))
        bytes[at] = (uint8_t)random_below(256);
      else if (at / 8 * 8 + 8 <= sizeof(changed))
        memcpy(bytes + at / 8 * 8, &numbers[random_below(sizeof(numbers) / sizeof(*numbers))], random_below(2) ? 8 : 4);
    }
    read_elf(bytes, sizeof(changed));
    if (n % 20)
      continue;  // files take longer
    struct user_symbols symbols;
    uint64_t offset;
    write_file(&changed, sizeof(changed));
    if (!user_symbols_open(path, "", &symbols)) {
      const char *name = user_symbols_find(&symbols, random_below(sizeof(image)), &offset);
      touched += name ? strlen(name) : 0;
      user_symbols_close(&symbols);
    }
    touched += find_probes();
  }
}

static _Noreturn void change_file(void) {
  for (uint16_t count = SECTIONS;; count = count == SECTIONS ? SYMBOLS : SECTIONS)
    if (pwrite(file, &count, sizeof(count), offsetof(Elf64_Ehdr, e_shnum)) < 0)
      _exit(1);
}

// Another process takes a section away and brings it back: it must not matter when.
static void file_that_changes(void) {
  write_file(&image, sizeof(image));
  pid_t writer = fork();
  CHECK(writer >= 0);
  if (!writer) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a sanitizer may end this process
    change_file();
  }
  for (int i = 0; i < RACES; i++) {
    struct user_symbols symbols;
    CHECK(!user_symbols_open(path, "", &symbols));
    CHECK(symbols.count >= SYMBOLS_COUNT && symbols.count <= DYNAMIC_COUNT + SYMBOLS_COUNT);
    user_symbols_close(&symbols);
  }
  kill(writer, SIGKILL);
  CHECK(waitpid(writer, NULL, 0) == writer);
}

// As a copy of another file over this one does before it writes.
static void file_that_is_cut_short(void) {
  struct user_symbols symbols;
  uint64_t offset;
  write_file(&image, sizeof(image));
  CHECK(!user_symbols_open(path, "", &symbols));
  CHECK(user_symbols_find(&symbols, FUNCTION_SIZE, &offset) != NULL);
  CHECK(!ftruncate(file, 0));
  CHECK(!user_symbols_find(&symbols, FUNCTION_SIZE, &offset));
  for (uint32_t i = 0; i < symbols.count; i++)
    CHECK(!*symbols.list[i].name);
  user_symbols_close(&symbols);
}

static void arguments_of_probes(void) {
  const char *text = arguments;
  struct usdt_argument argument;
  char changed[sizeof(arguments)];
  CHECK(usdt_argument_parse(&text, &argument) == 1 && argument.flags == USDT_SIGNED && argument.bits == 32);
  CHECK(usdt_argument_parse(&text, &argument) == 1 && argument.flags == USDT_IN_MEMORY && argument.value == -20 && !argument.bits);
  CHECK(usdt_argument_parse(&text, &argument) == 1 && argument.value == 5 && argument.base == USDT_NO_REGISTER);
  CHECK(usdt_argument_parse(&text, &argument) == 0);
  for (size_t i = 0; i < sizeof(strange_arguments) / sizeof(*strange_arguments); i++)
    CHECK(usdt_argument_parse(&(const char *){strange_arguments[i]}, &argument) < 0);
  for (int n = 0; n < MUTATIONS; n++) {
    static const char alphabet[] = "0123456789@%$-(),[] rabcdexwspilf#";
    memcpy(changed, arguments, sizeof(arguments));
    for (uint32_t rounds = 1 + random_below(6); rounds; rounds--)
      changed[random_below(sizeof(changed) - 1)] = alphabet[random_below(sizeof(alphabet) - 1)];
    changed[random_below(sizeof(changed))] = '\0';
    changed[sizeof(changed) - 1] = '\0';
    char *copy = strdup(changed);
    if (!copy)
      abort();
    text = copy;
    while (usdt_argument_parse(&text, &argument) == 1) {
    }
    CHECK(text <= copy + strlen(copy));
    free(copy);
  }
}

static void change_text(char *text, size_t size) {
  static const char alphabet[] = "0123456789abcdefx- \n:/[]\1\177\200\377";
  for (uint32_t rounds = 1 + random_below(5); rounds; rounds--)
    text[random_below((uint32_t)size)] = alphabet[random_below(sizeof(alphabet))];
}

// As /proc/PID/maps has them.
static void changed_mappings_are_harmless(void) {
  static const char maps[] =
      "55d0c0a00000-55d0c0a01000 r-xp 00001000 fd:01 1835 /bin/a b (deleted)\n"
      "7f3600000000-7f3600021000 rwxp 00000000 00:00 0\n"
      "7ffd3a5f2000-7ffd3a5f4000 r-xp 00000000 00:00 0          [vdso]\n";
  struct mappings mappings;
  CHECK(!mappings_parse(strdup(maps), &mappings) && mappings.count == 3);
  CHECK(mappings.list[0].offset == 0x1000 && mappings.list[0].inode == 1835 && !strcmp(mappings.list[2].path, "[vdso]"));
  mappings_free(&mappings);
  for (int n = 0; n < MUTATIONS; n++) {
    char *text = strdup(maps);
    if (!text)
      abort();
    change_text(text, sizeof(maps) - 1);
    if (mappings_parse(text, &mappings))
      continue;
    for (uint32_t i = 0; i < mappings.count; i++)
      touched += strlen(mappings.list[i].path);
    mappings_free(&mappings);
  }
}

// What a JIT compiler has made at an address of this process.
static const char *jit_name(const uint8_t *code, const char *text, size_t size) {
  char map_path[64];
  small_snprintf(map_path, sizeof(map_path), "/tmp/perf-%d.map", getpid());
  int fd = open(map_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  CHECK(fd >= 0 && write(fd, text, size) == (ssize_t)size && !close(fd));
  const struct user_origin origin = {.pid = (uint32_t)getpid()};
  user_places_forget();
  const char *name = user_place_find(&origin, (uint64_t)(uintptr_t)code).name;
  unlink(map_path);
  return name;
}

static void changed_jit_maps_are_harmless(void) {
  char map[128];
  uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(code != MAP_FAILED);
  unsigned long long address = (uintptr_t)code;
  size_t size = (size_t)small_snprintf(map, sizeof(map), "%llx 20 one\n%llx 40 two words\n%llx 8 three\n", address - 32, address,
                                       address + 64);
  const char *name = jit_name(code + 8, map, size);
  CHECK(name && !strcmp(name, "two words"));
  for (int n = 0; n < MUTATIONS / 40; n++) {
    char changed[sizeof(map)];
    memcpy(changed, map, size);
    change_text(changed, size);
    name = jit_name(code + random_below(128), changed, size);
    touched += name ? strlen(name) : 0;
  }
  user_places_forget();
  munmap(code, 4096);
}

// What a process may put in the place of a file that the tracer opens.
static void no_files(void) {
  char *data;
  const uint8_t *mapped;
  size_t size;
  char pipe_path[] = "user_files_test.XXXXXX";
  int fd = mkstemp(pipe_path);
  CHECK(fd >= 0 && !close(fd) && !unlink(pipe_path) && !mkfifo(pipe_path, 0600));
  alarm(10);  // which ends this test if it waits for a writer
  CHECK(host_read_file(pipe_path, &data, &size) == -ENOEXEC);
  CHECK(host_map_file(pipe_path, 0, &mapped, &size) == -ENOEXEC);
  alarm(0);
  unlink(pipe_path);
  CHECK(host_read_file("/dev/zero", &data, &size) == -ENOEXEC);
  CHECK(!ftruncate(file, INT64_C(1) << 40));
  CHECK(host_read_file(path, &data, &size) == -EFBIG);
}

int main(void) {
  file = memfd_create("user_files_test", 0);
  CHECK(file >= 0);
  small_snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
  // What is reported of malformed files is not of interest here.
  int silence = open("/dev/null", O_WRONLY);
  if (silence < 0 || dup2(silence, STDERR_FILENO) < 0)
    return 2;
  make_image();
  CHECK_CASE(whole_file);
  CHECK_CASE(cut_files_are_harmless);
  CHECK_CASE(changed_files_are_harmless);
  CHECK_CASE(file_that_changes);
  CHECK_CASE(file_that_is_cut_short);
  CHECK_CASE(arguments_of_probes);
  CHECK_CASE(changed_mappings_are_harmless);
  CHECK_CASE(changed_jit_maps_are_harmless);
  CHECK_CASE(no_files);
  return check_result();
}
