#pragma once

struct pair {
  int first;
  long second;
};
