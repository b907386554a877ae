#include "shim/btf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/small_printf.h"

enum { MAX_MODIFIERS = 32 };

// Bytes of a type's record behind struct btf_type: a fixed part and one part per member. SIZE_MAX for an unknown kind.
static size_t tail_size(const struct btf_type *type) {
  static const struct {
    uint8_t fixed, member;
  } sizes[] = {
      [BTF_KIND_INT] = {4, 0},
      [BTF_KIND_PTR] = {0, 0},
      [BTF_KIND_ARRAY] = {sizeof(struct btf_array), 0},
      [BTF_KIND_STRUCT] = {0, sizeof(struct btf_member)},
      [BTF_KIND_UNION] = {0, sizeof(struct btf_member)},
      [BTF_KIND_ENUM] = {0, sizeof(struct btf_enum)},
      [BTF_KIND_FUNC_PROTO] = {0, 8},
      [BTF_KIND_VAR] = {4, 0},
      [BTF_KIND_DATASEC] = {0, 12},
      [BTF_KIND_DECL_TAG] = {4, 0},
      [BTF_KIND_ENUM64] = {0, sizeof(struct btf_enum64)},
  };
  uint32_t kind = btf_kind(type);
  if (kind == BTF_KIND_VOID || kind > BTF_KIND_ENUM64)
    return SIZE_MAX;
  return sizes[kind].fixed + (size_t)sizes[kind].member * btf_vlen(type);
}

// Walks all records; stores their offsets if `offsets` is given. Returns the number of types, UINT32_MAX if malformed.
static uint32_t walk(const uint8_t *types, size_t size, uint32_t *offsets) {
  uint32_t count = 0;
  for (size_t at = 0; at < size;) {
    if (size - at < sizeof(struct btf_type))
      return UINT32_MAX;
    size_t tail = tail_size((const struct btf_type *)(const void *)(types + at));
    if (tail > size - at - sizeof(struct btf_type))
      return UINT32_MAX;
    if (offsets)
      offsets[count] = (uint32_t)at;
    count++;
    at += sizeof(struct btf_type) + tail;
  }
  return count;
}

static int index_data(struct btf *btf, const struct btf *base, const void *data, size_t size) {
  *btf = (struct btf){.base = base};
  struct btf_header header;
  if (size < sizeof(header) || size > UINT32_MAX)
    return -EINVAL;
  memcpy(&header, data, sizeof(header));
  uint64_t room = size - (header.hdr_len <= size ? header.hdr_len : size);
  if (header.magic != BTF_MAGIC || header.hdr_len < sizeof(header) || header.hdr_len % 4 || header.type_off % 4 ||
      (uint64_t)header.type_off + header.type_len > room || (uint64_t)header.str_off + header.str_len > room)
    return -EINVAL;
  const uint8_t *body = (const uint8_t *)data + header.hdr_len;
  btf->types = body + header.type_off;
  btf->strings = (const char *)body + header.str_off;
  btf->strings_size = header.str_len;
  if (!header.str_len || btf->strings[header.str_len - 1])
    return -EINVAL;
  uint32_t count = walk(btf->types, header.type_len, NULL);
  if (count == UINT32_MAX)
    return -EINVAL;
  btf->offsets = malloc(((size_t)count + 1) * sizeof(*btf->offsets));
  if (!btf->offsets)
    return -ENOMEM;
  btf->first = base ? base->count : 1;
  btf->count = btf->first + count;
  walk(btf->types, header.type_len, btf->offsets);
  return 0;
}

int btf_index(struct btf *btf, const void *data, size_t size) {
  return index_data(btf, NULL, data, size);
}

static int read_file(struct btf *btf, const struct btf *base, const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  int err = 0;
  bool is_mapped = false;
  void *data = NULL;
  struct stat status;
  if (fstat(fd, &status) < 0) {
    err = -errno;
    goto out;
  }
  size_t size = (size_t)status.st_size;
  // Kernels since 6.16 let it be mapped, which reads only the pages that are looked at.
  data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
  is_mapped = data != MAP_FAILED;
  if (!is_mapped) {
    data = malloc(size);
    if (!data) {
      err = -ENOMEM;
      goto out;
    }
    for (size_t used = 0; used < size;) {
      ssize_t length = read(fd, (uint8_t *)data + used, size - used);
      if (length <= 0) {
        err = length < 0 ? -errno : -EIO;
        goto out;
      }
      used += (size_t)length;
    }
  }
  err = index_data(btf, base, data, size);
  btf->data = data;
  btf->data_size = size;
  btf->is_mapped = is_mapped;
  data = NULL;
  if (err)
    btf_close(btf);
out:
  free(data);
  close(fd);
  return err;
}

void btf_close(struct btf *btf) {
  free(btf->offsets);
  if (btf->is_mapped)
    munmap(btf->data, btf->data_size);
  else
    free(btf->data);
  *btf = (struct btf){0};
}

static struct btf kernel;

int btf_open_kernel(const struct btf **btf) {
  int err = kernel.count ? 0 : read_file(&kernel, NULL, "/sys/kernel/btf/vmlinux");
  *btf = &kernel;
  return err;
}

void btf_release_kernel(void) {
  btf_close(&kernel);
}

int btf_open_module(const char *module, const struct btf *base, struct btf *btf) {
  char path[128];
  int size = small_snprintf(path, sizeof(path), "/sys/kernel/btf/%s", module);
  if ((size_t)size >= sizeof(path) || strchr(module, '/'))
    return -ENOENT;
  return read_file(btf, base, path);
}

const struct btf_type *btf_type(const struct btf *btf, uint32_t id) {
  static const struct btf_type nothing;
  if (btf->base && id < btf->first)
    btf = btf->base;
  bool is_known = id >= btf->first && id < btf->count;
  return is_known ? (const struct btf_type *)(const void *)(btf->types + btf->offsets[id - btf->first]) : &nothing;
}

const char *btf_string(const struct btf *btf, uint32_t offset) {
  uint32_t before = btf->base ? btf->base->strings_size : 0;
  if (offset < before)
    return btf->base->strings + offset;
  return offset - before < btf->strings_size ? btf->strings + offset - before : "";
}

uint32_t btf_skip_modifiers(const struct btf *btf, uint32_t id) {
  const uint32_t modifiers = 1u << BTF_KIND_TYPEDEF | 1u << BTF_KIND_VOLATILE | 1u << BTF_KIND_CONST | 1u << BTF_KIND_RESTRICT |
                             1u << BTF_KIND_TYPE_TAG;
  for (int i = 0; i < MAX_MODIFIERS; i++) {
    const struct btf_type *type = btf_type(btf, id);
    if (!(modifiers >> btf_kind(type) & 1))
      break;
    id = type->size;
  }
  return id;
}

int64_t btf_size(const struct btf *btf, uint32_t id) {
  uint64_t elements = 1;
  for (int i = 0; i < MAX_MODIFIERS; i++) {
    id = btf_skip_modifiers(btf, id);
    const struct btf_type *type = btf_type(btf, id);
    switch (btf_kind(type)) {
      case BTF_KIND_INT:
      case BTF_KIND_STRUCT:
      case BTF_KIND_UNION:
      case BTF_KIND_ENUM:
      case BTF_KIND_ENUM64:
      case BTF_KIND_FLOAT:
        return elements > INT32_MAX ? -1 : (int64_t)(elements * type->size);
      case BTF_KIND_PTR:
        return elements > INT32_MAX ? -1 : (int64_t)(elements * 8);
      case BTF_KIND_ARRAY: {
        const struct btf_array *array = (const struct btf_array *)(type + 1);
        elements = elements > INT32_MAX ? elements : elements * array->nelems;
        id = array->type;
        break;
      }
      default:
        return -1;
    }
  }
  return -1;
}

size_t btf_essential_length(const char *name) {
  for (const char *at = name; (at = strstr(at, "___")); at++)
    if (at != name && at[3])
      return (size_t)(at - name);
  return strlen(name);
}

uint32_t btf_find(const struct btf *btf, const char *name, size_t length, uint32_t kinds, uint32_t after) {
  for (uint32_t id = after + 1; id < btf->count; id++) {
    const struct btf_type *type = btf_type(btf, id);
    if (!(kinds >> btf_kind(type) & 1))
      continue;
    const char *found = btf_string(btf, type->name_off);
    if (!strncmp(found, name, length) && (!found[length] || btf_essential_length(found) == length))
      return id;
  }
  return 0;
}
