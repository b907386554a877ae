//! Makes the system call getppid in a method of a generic type, then waits for whoever wants to look at the process.
//!
//! The tests are built without a Rust compiler, whose packages are larger than all others that they need. So rust_calls.s is in the
//! repository; it was made by rustc 1.95 with:
//!
//!     rustc --crate-type=lib --emit=asm -C opt-level=1 -C panic=abort -C force-frame-pointers=yes -C relocation-model=static
//!         -C symbol-mangling-version=v0 -C codegen-units=1 -C metadata=rust_calls rust_calls.rs
#![no_std]

use core::arch::asm;

pub mod shapes {
    pub trait Shape {
        fn area(&self, scale: i64) -> i64;
    }

    pub struct Square<T> {
        pub side: T,
    }

    impl Shape for Square<i64> {
        #[inline(never)]
        fn area(&self, scale: i64) -> i64 {
            super::getppid() + self.side * scale
        }
    }
}

#[inline(never)]
fn getppid() -> i64 {
    let result: i64;
    unsafe { asm!("syscall", inout("rax") 110i64 => result, out("rcx") _, out("r11") _) };
    result
}

#[inline(never)]
fn measure<S: shapes::Shape>(shape: &S) -> i64 {
    shape.area(3) + 1
}

extern "C" {
    fn sleep(seconds: u32) -> u32;
}

#[no_mangle]
pub extern "C" fn main() -> i32 {
    let result = measure(&shapes::Square { side: 1 });
    unsafe { sleep(3) };
    (result < 0) as i32
}
