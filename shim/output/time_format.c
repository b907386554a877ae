#include "shim/output/time_format.h"

#include <stdbool.h>
#include <string.h>

#include "shim/output/text.h"

// Names lie one after the other, so that a pointer per name is saved.
static const char days[] = "Sunday\0Monday\0Tuesday\0Wednesday\0Thursday\0Friday\0Saturday";
static const char months[] =
    "January\0February\0March\0April\0May\0June\0July\0August\0September\0October\0November\0December";

struct output {
  char *text;
  size_t size;
  size_t capacity;
  bool overflow;
};

struct conversion {
  char padding;   // of '-', '_', '0' the one given, or 0
  bool upper;     // '^'
  bool swap_case; // '#'
  uint32_t width;
  char modifier;  // 'E', 'O' or 0
  char letter;
};

static void put(struct output *output, const char *text, size_t size) {
  if (output->capacity - output->size < size) {
    output->overflow = true;
    return;
  }
  memcpy(output->text + output->size, text, size);
  output->size += size;
}

static void put_fill(struct output *output, char c, size_t count) {
  for (; count && !output->overflow; count--)
    put(output, &c, 1);
}

static void change_case(char *text, size_t size, char first, char last) {
  for (size_t i = 0; i < size; i++)
    if (text[i] >= first && text[i] <= last)
      text[i] ^= 'a' ^ 'A';
}

// At least `digits` digits: filled up with zeros, or with spaces with `padding` '_'.
static void put_number(struct output *output, const struct conversion *conversion, int64_t value, uint32_t digits,
                       char padding) {
  if (conversion->padding)
    padding = conversion->padding;
  if (padding == '-')
    digits = 1;
  else if (conversion->width > digits)
    digits = conversion->width;
  struct number number;
  number_format_signed(&number, value, false);
  size_t fill = digits > number.size ? digits - number.size : 0;
  if (padding == '_')
    put_fill(output, ' ', fill);
  if (value < 0) {
    put(output, "-", 1);
    number.text++;
    number.size--;
  }
  if (padding != '_')
    put_fill(output, '0', fill);
  put(output, number.text, number.size);
}

static void put_name(struct output *output, const char *names, int index, bool is_short) {
  for (; index > 0; index--)
    names += strlen(names) + 1;
  put(output, names, is_short ? 3 : strlen(names));
}

static void put_zone_offset(struct output *output, long seconds) {
  long minutes = (seconds < 0 ? -seconds : seconds) / 60;
  struct conversion plain = {0};
  put(output, seconds < 0 ? "-" : "+", 1);
  put_number(output, &plain, minutes / 60 * 100 + minutes % 60, 4, '0');
}

static int days_of_year(int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 366 : 365;
}

// The week of ISO 8601, which begins on Monday; week 1 is the one with the year's first Thursday. Sets the year it belongs to.
static int iso_week(const struct tm *tm, int64_t *year) {
  *year = (int64_t)tm->tm_year + 1900;
  int thursday = tm->tm_yday - (tm->tm_wday + 6) % 7 + 3;  // day of the year of this week's Thursday
  if (thursday < 0) {
    --*year;
    thursday += days_of_year(*year);
  } else if (thursday >= days_of_year(*year)) {
    thursday -= days_of_year(*year);
    ++*year;
  }
  return thursday / 7 + 1;
}

static int hour_of_twelve(const struct tm *tm) {
  return (tm->tm_hour + 11) % 12 + 1;
}

static void put_format(struct output *output, const char *format, const struct tm *tm, const struct moment *moment);

// The number that a letter stands for, the digits it has at least, and what fills them up.
static bool put_numeric(struct output *output, const struct conversion *conversion, const struct tm *tm,
                        const struct moment *moment) {
  int64_t year = (int64_t)tm->tm_year + 1900;
  int64_t iso_year;
  int week = iso_week(tm, &iso_year);
  int64_t value;
  uint32_t digits = 2;
  char padding = '0';
  switch (conversion->letter) {
    case 'C': value = year / 100; break;
    case 'd': value = tm->tm_mday; break;
    case 'e': value = tm->tm_mday; padding = '_'; break;
    case 'g': value = iso_year % 100; break;
    case 'G': value = iso_year; digits = 4; break;
    case 'H': value = tm->tm_hour; break;
    case 'I': value = hour_of_twelve(tm); break;
    case 'j': value = tm->tm_yday + 1; digits = 3; break;
    case 'k': value = tm->tm_hour; padding = '_'; break;
    case 'l': value = hour_of_twelve(tm); padding = '_'; break;
    case 'm': value = tm->tm_mon + 1; break;
    case 'M': value = tm->tm_min; break;
    case 's': value = moment->seconds; digits = 1; padding = conversion->width ? '_' : '0'; break;
    case 'S': value = tm->tm_sec; break;
    case 'u': value = (tm->tm_wday + 6) % 7 + 1; digits = 1; break;
    case 'U': value = (tm->tm_yday - tm->tm_wday + 7) / 7; break;
    case 'V': value = week; break;
    case 'w': value = tm->tm_wday; digits = 1; break;
    case 'W': value = (tm->tm_yday - (tm->tm_wday + 6) % 7 + 7) / 7; break;
    case 'y': value = year % 100; break;
    case 'Y': value = year; digits = 4; break;
    default: return false;
  }
  put_number(output, conversion, value, digits, padding);
  return true;
}

static bool put_text(struct output *output, const struct conversion *conversion, const struct tm *tm,
                     const struct moment *moment) {
  switch (conversion->letter) {
    case 'a': put_name(output, days, tm->tm_wday, true); break;
    case 'A': put_name(output, days, tm->tm_wday, false); break;
    case 'b':
    case 'h': put_name(output, months, tm->tm_mon, true); break;
    case 'B': put_name(output, months, tm->tm_mon, false); break;
    case 'c': put_format(output, "%a %b %e %H:%M:%S %Y", tm, moment); break;
    case 'D':
    case 'x': put_format(output, "%m/%d/%y", tm, moment); break;
    case 'F': put_format(output, "%Y-%m-%d", tm, moment); break;
    case 'n': put(output, "\n", 1); break;
    case 'p': put(output, tm->tm_hour < 12 ? "AM" : "PM", 2); break;
    case 'P': put(output, tm->tm_hour < 12 ? "am" : "pm", 2); break;
    case 'r': put_format(output, "%I:%M:%S %p", tm, moment); break;
    case 'R': put_format(output, "%H:%M", tm, moment); break;
    case 't': put(output, "\t", 1); break;
    case 'T':
    case 'X': put_format(output, "%H:%M:%S", tm, moment); break;
    case 'z': put_zone_offset(output, tm->tm_gmtoff); break;
    case 'Z': put(output, tm->tm_zone, strlen(tm->tm_zone)); break;
    case '%': put(output, "%", 1); break;
    default: return false;
  }
  return true;
}

static bool put_fraction(struct output *output, const struct conversion *conversion, const struct moment *moment) {
  struct conversion plain = {0};
  if (!moment->has_fraction || conversion->modifier)
    return false;
  switch (conversion->letter) {
    case 'f': put_number(output, &plain, moment->nanoseconds / 1000, 6, '0'); return true;
    case 'k': put_number(output, &plain, moment->nanoseconds, 9, '0'); return true;
    case 'l': put_number(output, &plain, moment->nanoseconds / 1000000, 3, '0'); return true;
    default: return false;
  }
}

// Pads what was written since `begin` on the left, and changes its case.
static void finish_text(struct output *output, const struct conversion *conversion, size_t begin) {
  char *text = output->text + begin;
  size_t size = output->size - begin;
  if (conversion->swap_case && strchr("pZ", conversion->letter))
    change_case(text, size, 'A', 'Z');
  else if ((conversion->swap_case && strchr("aAbBh", conversion->letter)) || (conversion->upper && conversion->letter != 'P'))
    change_case(text, size, 'a', 'z');
  if (conversion->width <= size || output->overflow)
    return;
  size_t fill = conversion->width - size;
  put_fill(output, ' ', fill);
  if (output->overflow)
    return;
  memmove(text + fill, text, size);
  memset(text, conversion->padding == '0' ? '0' : ' ', fill);
}

static const char *parse_conversion(const char *at, struct conversion *conversion) {
  *conversion = (struct conversion){0};
  for (; *at && strchr("-_0^#", *at); at++) {
    if (*at == '^')
      conversion->upper = true;
    else if (*at == '#')
      conversion->swap_case = true;
    else
      conversion->padding = *at;
  }
  for (; *at >= '0' && *at <= '9'; at++)
    conversion->width = conversion->width < 100000 ? conversion->width * 10 + (uint32_t)(*at - '0') : conversion->width;
  if (*at == 'E' || *at == 'O')
    conversion->modifier = *at++;
  conversion->letter = *at;
  return at;
}

// The modifiers for other eras and digits do nothing in the C locale, but not every letter takes them.
static bool modifier_is_valid(const struct conversion *conversion) {
  const char *refused = conversion->modifier == 'E' ? "%aADFbBhdeHIjklgGmMSUVWw" : "%aADFcxXY";
  return !conversion->modifier || !strchr(refused, conversion->letter);
}

static void put_format(struct output *output, const char *format, const struct tm *tm, const struct moment *moment) {
  while (*format && !output->overflow) {
    size_t literal = strcspn(format, "%");
    put(output, format, literal);
    format += literal;
    if (!*format)
      break;
    struct conversion conversion;
    const char *end = parse_conversion(format + 1, &conversion);
    size_t begin = output->size;
    bool is_known = conversion.letter && modifier_is_valid(&conversion) &&
                    (put_fraction(output, &conversion, moment) || put_numeric(output, &conversion, tm, moment) ||
                     put_text(output, &conversion, tm, moment));
    if (conversion.letter)
      end++;
    if (is_known)
      finish_text(output, &conversion, begin);
    else
      put(output, format, (size_t)(end - format));  // as it is
    format = end;
  }
}

// NOLINTNEXTLINE(readability-non-const-parameter): written to through `output`
size_t time_format(char *text, size_t capacity, const char *format, const struct moment *moment) {
  struct tm tm;
  if (!localtime_r(&moment->seconds, &tm))
    return 0;
  struct output output = {.text = text, .capacity = capacity};
  put_format(&output, format, &tm, moment);
  return output.overflow ? 0 : output.size;
}
