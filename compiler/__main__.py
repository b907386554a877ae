"""The compiler as a program; all else is in modules, of which there is bytecode."""

import sys

from compiler.main import main

sys.exit(main())
