# Sourced by the scripts beside it and by .ci/run: finds Python, makes virtual environments, installs into them.
#
# uv when it is present, else venv + pip; which of the two is said once. Both are asked for what they have already
# before they are asked to use the network, so that a second clone installs with no network at all.
#
#   PYTHON               the interpreter to use; otherwise the first of python3, python3.14 ... python3.11 that is new enough
#   CAMBIST_INSTALLER    "pip" to leave uv alone
#   CAMBIST_WHEELS       where pip's wheels are kept; otherwise a folder of the user's cache

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

say() { printf 'cambist: %s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

find_python() {
    local name
    for name in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    fail "no Python >= 3.11 found; install one, or name it: make demo PYTHON=/path/to/python3"
}

has_uv() { [ "${CAMBIST_INSTALLER:-}" != pip ] && command -v uv >/dev/null 2>&1; }

installer() {
    if has_uv; then
        uv --version
    elif [ "${CAMBIST_INSTALLER:-}" = pip ]; then
        echo "venv + pip, as CAMBIST_INSTALLER asks"
    else
        echo "venv + pip (uv is not installed)"
    fi
}

make_environment() { # FOLDER
    local python
    python=$(find_python)
    say "making ${1#"$root"/} with $("$python" --version), by $(installer)"
    if has_uv && uv venv --quiet --no-python-downloads --python "$python" "$1"; then
        return
    fi
    "$python" -m venv "$1" ||
        fail "$python could not make a virtual environment; on Debian and Ubuntu the package python3-venv is missing"
}

wheel_folder() {
    local folder=${CAMBIST_WHEELS:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/cambist/wheels}
    if mkdir -p "$folder" 2>/dev/null && [ -w "$folder" ]; then
        echo "$folder"
    else
        echo "$root/.venv-wheels" # somebody without a home of their own
    fi
}

install_with_pip() { # FOLDER GROUPS ARGUMENTS...
    local python=$1/bin/python groups=$2 wheels requirements
    shift 2
    wheels=$(wheel_folder)
    "$python" -m pip --version >/dev/null 2>&1 || "$python" -m ensurepip >/dev/null # uv makes environments without pip
    set -- "$python" -m pip -qq --disable-pip-version-check install \
        --no-index --find-links "$wheels" --constraint constraints.txt "$@"
    if "$@" >/dev/null 2>&1; then
        return
    fi
    say "fetching the wheels that are missing in $wheels (the first time takes a minute or two)"
    requirements=$("$python" scripts/requirements.py ${groups:+"$groups"})
    # One requirement a line, none with a space.
    # shellcheck disable=SC2086
    "$python" -m pip -qq --disable-pip-version-check wheel \
        --wheel-dir "$wheels" --constraint constraints.txt $requirements
    "$@"
}

install_with_uv() { # FOLDER ARGUMENTS...
    local python=$1/bin/python
    shift
    set -- uv pip install --quiet --python "$python" --compile-bytecode --constraint constraints.txt "$@"
    "$@" --offline >/dev/null 2>&1 || "$@"
}

# Installs ARGUMENTS (requirements, wheels, -e folders) and the named dependency groups of the workspace.
install_into() { # FOLDER "GROUP,GROUP" ARGUMENTS...
    local folder=$1 groups=$2 tools=""
    shift 2
    if [ -n "$groups" ]; then
        tools=$("$folder/bin/python" scripts/requirements.py --only-groups "$groups")
    fi
    if has_uv; then
        # shellcheck disable=SC2086
        install_with_uv "$folder" "$@" $tools && return
        say "uv could not install; trying pip, which may be configured for another index"
    fi
    # shellcheck disable=SC2086
    install_with_pip "$folder" "$groups" "$@" $tools
}
