// Makes the system call getppid in a member of a template, a lambda and an operator, then waits for whoever wants to look at the process.
extern "C" unsigned sleep(unsigned seconds);

namespace shapes {

template <typename T>
struct Circle {
  T radius;

  __attribute__((noipa)) T area(long scale) const {
    long result;
    // The last input is not used: a function that mentions its frame has one.
    __asm__ volatile("syscall" : "=a"(result) : "a"(110L), "r"(__builtin_frame_address(0)) : "rcx", "r11", "memory");
    return static_cast<T>(result + scale + radius);
  }
};

template <typename... Parts>
__attribute__((noipa)) int operator+(const Circle<int> &circle, int (*add)(Parts...)) {
  return circle.area(2) + add(Parts()...);
}

}  // namespace shapes

namespace {

__attribute__((noipa)) int sum(int left, long right) {
  return left + static_cast<int>(right);
}

__attribute__((noipa)) int measure(const shapes::Circle<int> &circle) {
  auto add = [&circle](int more) __attribute__((noipa)) { return (circle + sum) + more; };
  return add(1) + 1;
}

}  // namespace

int main() {
  const int result = measure(shapes::Circle<int>{3});
  sleep(3);
  return result < 0;
}
