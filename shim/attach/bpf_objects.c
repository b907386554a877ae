#include "shim/attach/bpf_objects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/bpf.h"
#include "shim/btf.h"

enum { MAX_BTF_SIZE = 64 << 20, MAX_FUNCTIONS = 1 << 16 };

int bpf_objects_open(enum bpf_command command, uint32_t id) {
  struct bpf_get_id_attr attr = {.start_id = id};
  return bpf_call(command, &attr, sizeof(attr));
}

static int next_id(enum bpf_command command, uint32_t *id) {
  struct bpf_get_id_attr attr = {.start_id = *id};
  int err = bpf_call(command, &attr, sizeof(attr));
  *id = attr.next_id;
  return err;
}

static int describe(int fd, void *info, uint32_t size) {
  struct bpf_obj_info_attr attr = {.fd = (uint32_t)fd, .info_len = size, .info = bpf_pointer(info)};
  return bpf_call(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
}

int bpf_objects_find_btf(const char *module, uint32_t *id) {
  for (uint32_t at = 0;;) {
    int err = next_id(BPF_BTF_GET_NEXT_ID, &at);
    if (err)
      return err;
    int fd = bpf_objects_open(BPF_BTF_GET_FD_BY_ID, at);
    if (fd == -ENOENT)  // it is gone since
      continue;
    if (fd < 0)
      return fd;
    char name[64] = "";
    struct bpf_btf_info info = {.name = bpf_pointer(name), .name_len = sizeof(name)};
    err = describe(fd, &info, sizeof(info));
    close(fd);
    if (!err && info.kernel_btf && !strcmp(name, module)) {
      *id = at;
      return 0;
    }
  }
}

// Reads and indexes the BTF of a program; close it with btf_close().
static int open_btf(uint32_t id, struct btf *btf) {
  int fd = bpf_objects_open(BPF_BTF_GET_FD_BY_ID, id);
  if (fd < 0)
    return fd;
  struct bpf_btf_info info = {0};
  void *data = NULL;
  int err = describe(fd, &info, sizeof(info));
  uint32_t size = info.btf_size;
  if (!err && size <= MAX_BTF_SIZE)
    data = malloc(size + 1);
  if (!err && !data)
    err = -ENOMEM;
  info = (struct bpf_btf_info){.btf = bpf_pointer(data), .btf_size = size};
  if (!err)
    err = describe(fd, &info, sizeof(info));
  close(fd);
  if (!err)
    err = btf_index(btf, data, size);
  if (err)
    free(data);
  else
    btf->data = data;
  return err;
}

// The function information of a program: `*count` records, to be freed.
static int read_functions(int fd, const struct bpf_prog_info *program, struct bpf_func_info **functions, uint32_t *count) {
  *functions = NULL;
  *count = program->nr_func_info;
  if (*count > MAX_FUNCTIONS)
    return -E2BIG;
  *functions = calloc(*count + 1, sizeof(**functions));
  if (!*functions)
    return -ENOMEM;
  struct bpf_prog_info info = {
      .nr_func_info = *count, .func_info_rec_size = sizeof(**functions), .func_info = bpf_pointer(*functions)};
  int err = describe(fd, &info, sizeof(info));
  if (err)
    free(*functions);
  return err;
}

static int visit_program(int fd, bpf_function_visitor *visit, void *context) {
  struct bpf_prog_info program = {0};
  struct bpf_func_info *functions;
  uint32_t count;
  int err = describe(fd, &program, sizeof(program));
  if (err || !program.btf_id || !program.nr_func_info)
    return err;
  err = read_functions(fd, &program, &functions, &count);
  if (err)
    return err;
  struct btf btf;
  err = open_btf(program.btf_id, &btf);
  if (!err) {
    for (uint32_t i = 0; !err && i < count; i++) {
      const struct btf_type *type = btf_type(&btf, functions[i].type_id);
      if (btf_kind(type) == BTF_KIND_FUNC)
        err = visit(context, program.id, functions[i].type_id, btf_string(&btf, type->name_off));
    }
    btf_close(&btf);
  }
  free(functions);
  return err;
}

int bpf_objects_each_function(bpf_function_visitor *visit, void *context) {
  for (uint32_t id = 0;;) {
    int err = next_id(BPF_PROG_GET_NEXT_ID, &id);
    if (err)
      return err == -ENOENT ? 0 : err;
    int fd = bpf_objects_open(BPF_PROG_GET_FD_BY_ID, id);
    if (fd == -ENOENT)  // it is gone since
      continue;
    err = fd < 0 ? fd : visit_program(fd, visit, context);
    if (fd >= 0)
      close(fd);
    if (err && err != -ENOENT)
      return err;
  }
}
