#!/usr/bin/env bash
# A Docker engine with compose v2 and buildx on a Debian 12 that has none, for the time of the tests.
#   engine.sh start FOLDER   fetch it, unpack and start it; all its files lie in FOLDER
#   engine.sh stop FOLDER    stop it, and give the firewall back as it was
set -euo pipefail
verb=$1 folder=$(realpath -m "$2")
forwarding=/proc/sys/net/ipv4/ip_forward

# Compose v2 and buildx come from Debian's next release. They need no newer library than this one
# has, and are unpacked aside, so that nothing of the machine is replaced.
fetch() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq -o DPkg::Lock::Timeout=600 --no-install-recommends \
        containerd runc tini iptables iproute2 mmdebstrap >/dev/null
    local mirror apt=$folder/apt
    # shellcheck disable=SC2016 # apt fills them in
    mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
        sed -n 's/^bookworm //p' | head -1)
    mkdir -p "$apt"/{lists/partial,cache/archives/partial} "$folder"/{packages,root,config/cli-plugins}
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$apt/sources.list"
    local options=(-qq -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=-
        -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache"
        -o Debug::NoLocking=1 -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update
    (cd "$folder/packages" && apt-get "${options[@]}" download \
        docker.io/trixie docker-cli/trixie docker-compose/trixie docker-buildx/trixie)
    local package
    for package in "$folder"/packages/*.deb; do dpkg -x "$package" "$folder/root"; done
    ln -sf "$folder"/root/usr/libexec/docker/cli-plugins/* "$folder/config/cli-plugins/"
    # The package's own link leads to a tini beside it; the one installed above is the machine's.
    ln -sf /usr/bin/tini-static "$folder/root/usr/bin/docker-init"
}

# What the engine changes outside its folder, and `stop` sets back.
remember() {
    cp "$forwarding" "$folder/ip_forward"
    iptables -S FORWARD | sed -n 's/^-P FORWARD //p' >"$folder/forward_policy"
}

start() {
    [ -d "$folder/root" ] || fetch
    remember
    export PATH=$folder/root/usr/bin:$folder/root/usr/sbin:$PATH
    setsid nohup dockerd --host "unix://$folder/docker.sock" --pidfile "$folder/dockerd.pid" \
        --data-root "$folder/data" --exec-root "$folder/exec" >"$folder/dockerd.log" 2>&1 </dev/null &
    local tries
    for tries in $(seq 120); do
        docker --host "unix://$folder/docker.sock" info >/dev/null 2>&1 && return
        sleep 0.5
    done
    echo "The engine did not start within a minute ($tries tries):" >&2
    tail -20 "$folder/dockerd.log" >&2
    return 1
}

stop() {
    [ -f "$folder/forward_policy" ] || return 0 # it never came so far
    [ -f "$folder/dockerd.pid" ] && kill "$(cat "$folder/dockerd.pid")"
    local tries
    for tries in $(seq 120); do
        [ -e "$folder/dockerd.pid" ] || break
        sleep 0.5
    done
    [ "$tries" -lt 120 ] || echo "The engine did not stop within a minute." >&2
    # It leaves the namespace of the host's network mounted, in a folder that shall be removed.
    umount "$folder"/exec/netns/* 2>/dev/null || true
    ip link delete docker0 2>/dev/null || true
    # Every chain and rule of the engine names docker or docker0.
    iptables-save | grep -vi docker | iptables-restore
    iptables -P FORWARD "$(cat "$folder/forward_policy")"
    cp "$folder/ip_forward" "$forwarding"
}

"$verb"
