#!/bin/sh
# Makes the environment .venv from requirements.lock with nothing but Python's own venv and pip; does nothing when
# it is up to date. PYTHON chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        if new_enough "$PYTHON"; then echo "$PYTHON"; return; fi
        say "PYTHON=$PYTHON is not a Python 3.11 or newer."
        exit 1
    fi
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if new_enough "$candidate"; then echo "$candidate"; return; fi
    done
    say "Loanpulse needs Python 3.11 or newer, and none was found. Install one (Debian, Ubuntu: apt-get install"
    say "python3 python3-venv; macOS: brew install python), or name one: make PYTHON=/path/to/python3.11 ..."
    exit 1
}

# What the environment was made from: the lock, the project file (entry points lie in it) and the interpreter.
fingerprint() {
    "$1" - <<'END'
import hashlib, pathlib, sys
made_from = b"".join(pathlib.Path(name).read_bytes() for name in ("requirements.lock", "pyproject.toml"))
print(hashlib.sha256(made_from + str(pathlib.Path.cwd()).encode()).hexdigest(), "%d.%d" % sys.version_info[:2])
END
}

python=$(find_python)
stamp=.venv/loanpulse.stamp
wanted=$(fingerprint "$python")
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    say "This Python ($python) comes without its modules venv and ensurepip, which make the environment."
    say "Debian, Ubuntu: apt-get install python3-venv. Elsewhere: install the complete Python, or name another one:"
    say "make PYTHON=/path/to/python3.11 ..."
    exit 1
fi

# An environment of another Python version, or one that was moved, is made anew.
if ! .venv/bin/python -c "import sys; sys.exit(not '$wanted'.endswith('%d.%d' % sys.version_info[:2]))" 2>/dev/null; then
    rm -rf .venv
fi
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    say "making the environment .venv with $("$python" --version) ..."
    "$python" -m venv .venv
fi

say "installing what requirements.lock names (750 MB on disk, a minute or two the first time) ..."
pip() { .venv/bin/python -m pip --disable-pip-version-check --no-input "$@"; }
if ! pip install --quiet --require-hashes -r requirements.lock; then
    say ""
    say "The packages could not be installed. Without a network, point pip at a mirror or a folder of wheels"
    say "(PIP_INDEX_URL, PIP_FIND_LINKS) and call make again: what is installed already stays."
    exit 1
fi
pip install --quiet --no-deps --no-build-isolation --editable .
printf '%s\n' "$wanted" >"$stamp"
say "the environment is ready."
