#pragma once

#define FAR 40

struct far {
  long a, b, c;
};
