#!/usr/bin/env bash
# Writes the hash-locked requirements_lock.txt beside each requirements.in, with the newest versions; needs uv
# (`pip install uv`). The hashes are those of all wheels, so one lock serves every Python from 3.11 on and every CPU.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
compile() { uv pip compile --quiet --generate-hashes --no-header --python-version 3.11 --upgrade "$@"; }
compile --no-deps compiler/requirements.in -o compiler/requirements_lock.txt
compile --universal --constraint compiler/requirements_lock.txt tests/requirements.in -o tests/requirements_lock.txt
