# shellcheck shell=bash
# What build/run and build/test share: finding what is missing on this machine, and installing it. Sourced, not run.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
# A machine without ICU can run the SDK too: VTP is built for the invariant culture anyway.
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null; }

# Runs a command in silence, and shows what it said when it fails.
quietly() {
    local output
    output=$(mktemp)
    if "$@" >"$output" 2>&1 </dev/null; then
        rm -f "$output"
    else
        "${filter:-cat}" <"$output" >&2
        rm -f "$output"
        return 1
    fi
}

# The same for what speaks to package servers, whose names are nobody's business in a shared log.
discreetly() { local filter=without_hosts; quietly "$@"; }
without_hosts() { sed -E 's#(https?://)[^/ ]+#\1…#g; s#([a-z0-9-]+\.)+(com|dev|io|net|org)\b#…#g'; }

as_root() { if ((EUID == 0)); then "$@"; else sudo "$@"; fi; }
can_apt() { has apt-get && { ((EUID == 0)) || has sudo; }; }
apt_knows() { has apt-cache && [[ -n $(apt-cache --quiet=0 madison "$1" 2>/dev/null) ]]; }
apt_get() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q "$@"; }

# need_packages WHAT PACKAGE...: installs them, or prints the command with which the person at the keyboard can.
need_packages() {
    local what=$1
    shift
    if ! can_apt; then
        die "$what is missing. Install it and start again: $(install_command "$@")"
    fi
    say "$what is missing: installing $*."
    if ! apt_get install -y --no-install-recommends "$@" >/dev/null 2>&1 </dev/null; then
        discreetly apt_get update || true # Another source may be out of order; what counts is the next line.
        discreetly apt_get install -y --no-install-recommends "$@" || die "$what could not be installed. Try it by hand: $(install_command "$@")"
    fi
}

install_command() {
    local packages=$*
    if has apt-get; then
        echo "apt-get update && apt-get install -y $packages   (as root)"
    elif has dnf; then
        echo "sudo dnf install -y ${packages/postgresql/postgresql-server}"
    elif has brew; then
        packages=${packages/postgresql/postgresql@17} packages=${packages/nodejs npm/node}
        echo "brew install ${packages/dotnet-sdk-10.0/dotnet}"
    else
        echo "the package that your system has for: $packages"
    fi
}

# download URL FILE
download() {
    has curl || has wget || need_packages curl curl ca-certificates
    if has curl; then discreetly curl -fsSL --retry 3 -o "$2" "$1"; else discreetly wget -q -O "$2" "$1"; fi
}

no_sdk='The .NET SDK 10 could not be installed: get it from https://dotnet.microsoft.com/download and start again.'

# A dotnet that cannot satisfy global.json is as good as none.
has_sdk() { has dotnet && dotnet --version >/dev/null 2>&1; }

need_sdk() {
    has_sdk && return
    if [[ -x $HOME/.dotnet/dotnet ]]; then
        export DOTNET_ROOT=$HOME/.dotnet PATH=$HOME/.dotnet:$PATH
        has_sdk && return
    fi
    if can_apt; then
        apt_knows dotnet-sdk-10.0 || discreetly apt_get update || true
        if apt_knows dotnet-sdk-10.0; then
            need_packages 'The .NET SDK 10' dotnet-sdk-10.0
            hash -r
            has_sdk && return
        fi
    fi

    say "The .NET SDK 10 is missing: installing it with Microsoft's script into ~/.dotnet."
    local script
    script=$(mktemp)
    download https://dot.net/v1/dotnet-install.sh "$script" || die "$no_sdk"
    discreetly bash "$script" --channel 10.0 --install-dir "$HOME/.dotnet" || die "$no_sdk"
    rm -f "$script"
    export DOTNET_ROOT=$HOME/.dotnet PATH=$HOME/.dotnet:$PATH
    hash -r
    has_sdk || die "$no_sdk"
}

has_postgres() {
    local folder
    for folder in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /{opt/homebrew,usr/local}/opt/postgresql@*/bin; do
        [[ -x $folder/postgres ]] && return
    done
    has postgres
}

need_postgres() {
    has_postgres && return
    # VTP starts a server of its own: Debian's package need not make one and keep it running.
    local wish=/etc/postgresql-common/createcluster.d/vtp.conf status=0
    can_apt && echo 'create_main_cluster = false' | as_root install -D -m 0644 /dev/stdin "$wish"
    (need_packages PostgreSQL postgresql) || status=$?
    can_apt && as_root rm -f "$wish"
    return "$status"
}

# need_idle PROGRAM WHAT PACKAGE: tests start servers of their own; the package's need not run beside them.
need_idle() {
    has "$1" && return
    local policy=/usr/sbin/policy-rc.d status=0
    if can_apt && [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' | as_root install -m 0755 /dev/stdin "$policy"
        (need_packages "$2" "$3") || status=$?
        as_root rm -f "$policy"
    else
        (need_packages "$2" "$3") || status=$?
    fi
    return "$status"
}

need_redis() { need_idle redis-server Redis redis-server; }
need_promtool() { need_idle promtool 'promtool, which comes with Prometheus,' prometheus; }
