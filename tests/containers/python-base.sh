#!/usr/bin/env bash
# python-base.sh TAG: a stand-in for a slim image of Python where none can be pulled, made of Debian
# and the CPython of this machine ($PYTHON, default python3.11), which has to lie in a folder of its
# own. It takes over the machine's certificates and pip's settings: it is for tests, not to be shared.
set -euo pipefail
tag=$1
python=$(command -v "${PYTHON:-python3.11}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

prefix=$("$python" -c 'import sys; print(sys.base_prefix)')
# shellcheck disable=SC2016 # apt fills them in
mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
    sed -n 's/^bookworm //p' | head -1)
libraries=ca-certificates,netbase,tzdata,libssl3,libffi8,libsqlite3-0,zlib1g,libbz2-1.0,liblzma5
libraries+=,libreadline8,libncursesw6,libexpat1,libuuid1,libgdbm6

# mmdebstrap calls it with the folder of the new system.
cat >"$work/put-python" <<HOOK
#!/bin/sh
set -eu
tar -C "$prefix" -cf - --exclude=lib/python3.11/site-packages/* --exclude=lib/python3.11/test \
    --exclude=__pycache__ bin/python3.11 lib/python3.11 include \$(cd "$prefix" && ls -d lib/libpython3*) |
    tar -C "\$1/usr/local" -xf -
ln -sf python3.11 "\$1/usr/local/bin/python3"
ln -sf python3.11 "\$1/usr/local/bin/python"
chroot "\$1" /sbin/ldconfig
chroot "\$1" /usr/local/bin/python -m ensurepip >/dev/null
ln -sf pip3.11 "\$1/usr/local/bin/pip"
chroot "\$1" /usr/local/bin/python -c 'import bz2, ctypes, lzma, readline, sqlite3, ssl, uuid'
HOOK
chmod +x "$work/put-python"
mmdebstrap --quiet --variant=minbase --mode=root --include="$libraries" \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --customize-hook="$work/put-python" bookworm "$work/system.tar" "$mirror"
docker import "$work/system.tar" "$tag-bare" >/dev/null
rm "$work/system.tar"

cp /etc/ssl/certs/ca-certificates.crt "$work/"
{
    printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\ndisable-pip-version-check = true\n'
    # Folders of the machine are not to be seen in an image: only what lies on the network counts.
    "$python" -m pip config list |
        sed -nE "s/^[^ ]*\.(index-url|extra-index-url|trusted-host)='([^']*)'$/\1 = \2/p" |
        grep -v file: || true
} >"$work/pip.conf"
cat >"$work/Dockerfile" <<DOCKERFILE
FROM $tag-bare
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY pip.conf /etc/pip.conf
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt
ENV REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt
CMD ["python3"]
DOCKERFILE
docker build --quiet --tag "$tag" "$work" >/dev/null
docker image rm "$tag-bare" >/dev/null
