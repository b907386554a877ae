#include "shim/user/elf.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "shim/host.h"

#if defined(__x86_64__)
enum { HOST_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { HOST_MACHINE = EM_AARCH64 };
#endif

static bool fits(const struct elf *elf, uint64_t offset, uint64_t size) {
  return offset <= elf->size && size <= elf->size - offset;
}

// The headers may be anywhere in the file, aligned or not: they are copied out.
static void header_of(const struct elf *elf, Elf64_Ehdr *header) {
  memcpy(header, elf->data, sizeof(*header));
}

int elf_open(const char *path, struct elf *elf) {
  return elf_open_at(path, 0, elf);
}

int elf_open_at(const char *path, uint64_t start, struct elf *elf) {
  const uint8_t *data;
  size_t size;
  int err = host_map_file(path, start, &data, &size);
  if (err)
    return err;
  *elf = (struct elf){data, size, start};
  if (size < sizeof(Elf64_Ehdr)) {
    elf_close(elf);
    return -ENOEXEC;
  }
  Elf64_Ehdr header;
  header_of(elf, &header);
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != HOST_MACHINE) {
    elf_close(elf);
    return -ENOEXEC;
  }
  return 0;
}

static const uint8_t *vdso_image(void) {
  return (const uint8_t *)getauxval(AT_SYSINFO_EHDR);
}

int elf_open_vdso(struct elf *elf) {
  const uint8_t *image = vdso_image();
  *elf = (struct elf){0};
  if (!image)
    return -ENOENT;
  Elf64_Ehdr header;
  memcpy(&header, image, sizeof(header));
  // The section headers come last.
  *elf = (struct elf){.data = image, .size = header.e_shoff + (size_t)header.e_shnum * header.e_shentsize};
  return 0;
}

void elf_close(struct elf *elf) {
  if (elf->data && elf->data != vdso_image())
    munmap((void *)(uintptr_t)elf->data, elf->size);
  *elf = (struct elf){0};
}

static bool section_at(const struct elf *elf, uint32_t index, Elf64_Shdr *section) {
  Elf64_Ehdr header;
  header_of(elf, &header);
  uint64_t offset = header.e_shoff + (uint64_t)index * sizeof(*section);
  if (index >= header.e_shnum || header.e_shentsize != sizeof(*section) || !fits(elf, offset, sizeof(*section)))
    return false;
  memcpy(section, elf->data + offset, sizeof(*section));
  return section->sh_type == SHT_NOBITS || fits(elf, section->sh_offset, section->sh_size);
}

// A text of a string table, or NULL if it does not end inside of it.
static const char *text_at(const struct elf *elf, const Elf64_Shdr *strings, uint64_t offset) {
  if (offset >= strings->sh_size)
    return NULL;
  const char *text = (const char *)elf->data + strings->sh_offset + offset;
  return memchr(text, 0, strings->sh_size - offset) ? text : NULL;
}

int elf_each_section(const struct elf *elf, elf_section_visitor *visit, void *context) {
  Elf64_Ehdr header;
  Elf64_Shdr names, section;
  header_of(elf, &header);
  if (!section_at(elf, header.e_shstrndx, &names) || names.sh_type != SHT_STRTAB)
    return 0;
  for (uint32_t i = 0; i < header.e_shnum; i++) {
    if (!section_at(elf, i, &section))
      continue;
    const char *name = text_at(elf, &names, section.sh_name);
    if (!name)
      continue;
    bool has_data = section.sh_type != SHT_NOBITS;
    struct elf_section found = {section.sh_type, section.sh_flags, section.sh_link, section.sh_addr, has_data ? elf->data + section.sh_offset : NULL,
                                has_data ? section.sh_size : 0};
    int result = visit(context, name, &found);
    if (result)
      return result;
  }
  return 0;
}

static int each_symbol_of(const struct elf *elf, const Elf64_Shdr *table, unsigned types, elf_function_visitor *visit, void *context) {
  Elf64_Shdr strings;
  if (!section_at(elf, table->sh_link, &strings) || strings.sh_type != SHT_STRTAB)
    return 0;
  for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= table->sh_size; at += sizeof(Elf64_Sym)) {
    Elf64_Sym symbol;
    memcpy(&symbol, elf->data + table->sh_offset + at, sizeof(symbol));
    unsigned type = ELF64_ST_TYPE(symbol.st_info);
    if (!(types & 1u << type) || symbol.st_shndx == SHN_UNDEF || !symbol.st_value)
      continue;
    struct elf_function function = {text_at(elf, &strings, symbol.st_name), symbol.st_value, symbol.st_size,
                                    ELF64_ST_BIND(symbol.st_info) == STB_LOCAL};
    int result = function.name && *function.name ? visit(context, &function) : 0;
    if (result)
      return result;
  }
  return 0;
}

// `types`: a bit for each STT_* that is wanted.
static int each_symbol(const struct elf *elf, unsigned types, elf_function_visitor *visit, void *context) {
  static const uint32_t tables[] = {SHT_SYMTAB, SHT_DYNSYM};
  Elf64_Ehdr header;
  Elf64_Shdr section;
  header_of(elf, &header);
  for (size_t t = 0; t < sizeof(tables) / sizeof(*tables); t++) {
    for (uint32_t i = 0; i < header.e_shnum; i++) {
      if (!section_at(elf, i, &section) || section.sh_type != tables[t])
        continue;
      int result = each_symbol_of(elf, &section, types, visit, context);
      if (result)
        return result;
    }
  }
  return 0;
}

int elf_each_function(const struct elf *elf, elf_function_visitor *visit, void *context) {
  return each_symbol(elf, 1u << STT_FUNC | 1u << STT_GNU_IFUNC, visit, context);
}

struct symbol_search {
  const char *name;
  uint64_t address;
  uint64_t size;
};

static int match_symbol(void *context, const struct elf_function *symbol) {
  struct symbol_search *search = context;
  if (strcmp(symbol->name, search->name) != 0)
    return 0;
  search->address = symbol->address;
  search->size = symbol->size;
  return 1;
}

bool elf_find_symbol(const struct elf *elf, const char *name, uint64_t *address, uint64_t *size) {
  struct symbol_search search = {.name = name};
  if (!each_symbol(elf, 1u << STT_FUNC | 1u << STT_GNU_IFUNC | 1u << STT_OBJECT | 1u << STT_NOTYPE, match_symbol, &search))
    return false;
  *address = search.address;
  *size = search.size;
  return true;
}

bool elf_is_fixed(const struct elf *elf) {
  Elf64_Ehdr header;
  header_of(elf, &header);
  return header.e_type == ET_EXEC;
}

// Copies out a loadable segment. Returns 1, 0 if it is none, or -1 behind the last one.
static int segment_at(const struct elf *elf, uint32_t index, Elf64_Phdr *segment) {
  Elf64_Ehdr header;
  header_of(elf, &header);
  uint64_t at = header.e_phoff + (uint64_t)index * sizeof(*segment);
  if (index >= header.e_phnum || header.e_phentsize != sizeof(*segment) || !fits(elf, at, sizeof(*segment)))
    return -1;
  memcpy(segment, elf->data + at, sizeof(*segment));
  return segment->p_type == PT_LOAD;
}

bool elf_file_offset(const struct elf *elf, uint64_t address, uint64_t *offset) {
  Elf64_Phdr segment;
  int found;
  for (uint32_t i = 0; (found = segment_at(elf, i, &segment)) >= 0; i++) {
    if (!found || address < segment.p_vaddr || address - segment.p_vaddr >= segment.p_filesz)
      continue;
    *offset = elf->start + address - segment.p_vaddr + segment.p_offset;
    return true;
  }
  return false;
}

bool elf_address(const struct elf *elf, uint64_t offset, uint64_t *address) {
  Elf64_Phdr segment;
  int found;
  offset -= elf->start;
  for (uint32_t i = 0; (found = segment_at(elf, i, &segment)) >= 0; i++) {
    if (!found || offset < segment.p_offset || offset - segment.p_offset >= segment.p_filesz)
      continue;
    *address = offset - segment.p_offset + segment.p_vaddr;
    return true;
  }
  return false;
}

bool elf_code_address(const struct elf *elf, uint64_t offset, uint64_t *address) {
  enum { PAGE = 4096 };
  Elf64_Phdr segment;
  int found;
  for (uint32_t i = 0; (found = segment_at(elf, i, &segment)) >= 0; i++) {
    uint64_t begin = segment.p_offset & ~(uint64_t)(PAGE - 1);
    if (!found || !(segment.p_flags & PF_X) || offset < begin || offset - begin >= segment.p_offset - begin + segment.p_filesz)
      continue;
    *address = offset - segment.p_offset + segment.p_vaddr;
    return true;
  }
  return false;
}
