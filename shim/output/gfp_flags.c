#include "shim/output/gfp_flags.h"

#include <string.h>

#include "shim/output/text.h"

#define BIT(n) (UINT64_C(1) << (n))

// linux/gfp_types.h
#define DMA BIT(0)
#define HIGHMEM BIT(1)
#define DMA32 BIT(2)
#define MOVABLE BIT(3)
#define HIGH BIT(5)
#define IO BIT(6)
#define FS BIT(7)
#define ZERO BIT(8)
#define DIRECT_RECLAIM BIT(10)
#define KSWAPD_RECLAIM BIT(11)
#define WRITE BIT(12)
#define NOWARN BIT(13)
#define RETRY_MAYFAIL BIT(14)
#define NOFAIL BIT(15)
#define NORETRY BIT(16)
#define MEMALLOC BIT(17)
#define COMP BIT(18)
#define NOMEMALLOC BIT(19)
#define HARDWALL BIT(20)
#define THISNODE BIT(21)
#define ACCOUNT BIT(22)
#define ZEROTAGS BIT(23)
#define SKIP_ZERO BIT(24)
#define SKIP_KASAN BIT(25)
#define NO_OBJ_EXT BIT(26)
#define RECLAIM (DIRECT_RECLAIM | KSWAPD_RECLAIM)
#define USER (RECLAIM | IO | FS | HARDWALL)
#define HIGHUSER_MOVABLE (USER | HIGHMEM | MOVABLE | SKIP_KASAN)
#define TRANSHUGE_LIGHT ((HIGHUSER_MOVABLE | COMP | NOMEMALLOC | NOWARN) & ~RECLAIM)

// In the order of the kernel's trace/events/mmflags.h: a combination comes before its parts.
static const struct {
  uint32_t mask;
  char name[24];
} flag_names[] = {
    {TRANSHUGE_LIGHT | DIRECT_RECLAIM, "GFP_TRANSHUGE"},
    {TRANSHUGE_LIGHT, "GFP_TRANSHUGE_LIGHT"},
    {HIGHUSER_MOVABLE, "GFP_HIGHUSER_MOVABLE"},
    {USER | HIGHMEM, "GFP_HIGHUSER"},
    {USER, "GFP_USER"},
    {RECLAIM | IO | FS | ACCOUNT, "GFP_KERNEL_ACCOUNT"},
    {RECLAIM | IO | FS, "GFP_KERNEL"},
    {RECLAIM | IO, "GFP_NOFS"},
    {HIGH | KSWAPD_RECLAIM, "GFP_ATOMIC"},
    {RECLAIM, "GFP_NOIO"},
    {KSWAPD_RECLAIM | NOWARN, "GFP_NOWAIT"},
    {DMA, "GFP_DMA"},
    {HIGHMEM, "__GFP_HIGHMEM"},
    {DMA32, "GFP_DMA32"},
    {HIGH, "__GFP_HIGH"},
    {IO, "__GFP_IO"},
    {FS, "__GFP_FS"},
    {ZERO, "__GFP_ZERO"},
    {DIRECT_RECLAIM, "__GFP_DIRECT_RECLAIM"},
    {KSWAPD_RECLAIM, "__GFP_KSWAPD_RECLAIM"},
    {WRITE, "__GFP_WRITE"},
    {NOWARN, "__GFP_NOWARN"},
    {RETRY_MAYFAIL, "__GFP_RETRY_MAYFAIL"},
    {NOFAIL, "__GFP_NOFAIL"},
    {NORETRY, "__GFP_NORETRY"},
    {MEMALLOC, "__GFP_MEMALLOC"},
    {COMP, "__GFP_COMP"},
    {NOMEMALLOC, "__GFP_NOMEMALLOC"},
    {HARDWALL, "__GFP_HARDWALL"},
    {THISNODE, "__GFP_THISNODE"},
    {ACCOUNT, "__GFP_ACCOUNT"},
    {ZEROTAGS, "__GFP_ZEROTAGS"},
    {SKIP_ZERO, "__GFP_SKIP_ZERO"},
    {SKIP_KASAN, "__GFP_SKIP_KASAN"},
    {NO_OBJ_EXT, "__GFP_NO_OBJ_EXT"},
};

// All single flags with their separators, and a number.
_Static_assert(GFP_FLAGS_CAPACITY >= sizeof(flag_names) / sizeof(flag_names[0]) * sizeof(flag_names[0].name) + NUMBER_CAPACITY,
               "every combination fits");

static size_t append(char *text, size_t size, const char *name, size_t name_size) {
  if (size)
    text[size++] = '|';
  memcpy(text + size, name, name_size);
  return size + name_size;
}

size_t gfp_flags_format(uint64_t flags, char text[GFP_FLAGS_CAPACITY]) {
  size_t size = 0;
  uint64_t rest = flags;
  for (size_t i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++) {
    if ((rest & flag_names[i].mask) != flag_names[i].mask)
      continue;
    rest &= ~(uint64_t)flag_names[i].mask;
    size = append(text, size, flag_names[i].name, strlen(flag_names[i].name));
  }
  if (rest || !size) {
    struct number number;
    number_format_address(&number, rest);  // 0x8, but 0
    size = append(text, size, number.text, number.size);
  }
  return size;
}
