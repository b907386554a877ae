// Network addresses. The forms are those of inet_ntop(3), which is not used: musl's and glibc's differ, and musl's brings printf.
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "shim/output/text.h"
#include "shim/output/value.h"

enum { ADDRESS_CAPACITY = 48, GROUPS = 8 };

struct address {
  size_t size;
  char text[ADDRESS_CAPACITY];
};

static void put(struct address *address, const char *text, size_t size) {
  memcpy(address->text + address->size, text, size);
  address->size += size;
}

static void put_number(struct address *address, uint64_t value, enum number_base base) {
  struct number number;
  number_format(&number, value, base, false);
  put(address, number.text, number.size);
}

static void put_ipv4(struct address *address, const uint8_t *bytes) {
  for (int i = 0; i < 4; i++) {
    if (i)
      put(address, ".", 1);
    put_number(address, bytes[i], DECIMAL);
  }
}

// RFC 5952, except that the last 32 bits behind 96 zero bits, or behind ::ffff:, are in IPv4's form.
static void put_ipv6(struct address *address, const uint8_t *bytes) {
  uint16_t groups[GROUPS];
  for (size_t i = 0; i < GROUPS; i++)
    groups[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  int best = 0;
  int best_size = 1;  // a single zero group is not shortened
  for (int i = 0; i < GROUPS; i++) {
    int size = 0;
    while (i + size < GROUPS && !groups[i + size])
      size++;
    if (size > best_size) {
      best = i;
      best_size = size;
    }
  }
  if (best_size == 1)
    best = GROUPS;
  for (int i = 0; i < GROUPS; i++) {
    if (i == best) {
      put(address, "::", 2);
      i += best_size - 1;
      continue;
    }
    if (i && i != best + best_size)
      put(address, ":", 1);
    if (i == 6 && best == 0 && (best_size == 6 || (best_size == 5 && groups[5] == 0xffff))) {
      put_ipv4(address, bytes + 12);
      break;
    }
    put_number(address, groups[i], HEX);
  }
}

void shim_print_inet(struct printer *printer, const struct pb_type *type, const uint8_t *data) {
  (void)type;
  struct address address = {0};
  uint64_t family = load_unsigned(data, 8);
  if (family == AF_INET)
    put_ipv4(&address, data + 8);
  else if (family == AF_INET6)
    put_ipv6(&address, data + 8);
  printer->format->string(printer, address.text, address.size, "");
}

void shim_print_mac_address(struct printer *printer, const struct pb_type *type, const uint8_t *data) {
  (void)type;
  struct address address = {0};
  for (int i = 0; i < 6; i++) {
    if (i)
      put(&address, ":", 1);
    put(&address, &"0123456789ABCDEF"[data[i] >> 4], 1);
    put(&address, &"0123456789ABCDEF"[data[i] & 15], 1);
  }
  printer->format->string(printer, address.text, address.size, "");
}
