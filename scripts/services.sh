#!/bin/sh
# What the tests start on private ports: MariaDB, Redis and Chromium. Installs what is missing
# where that needs no question (root on Debian or Ubuntu), and names what is left out elsewhere.
set -eu
missing=""
need() { # command, packages
    for name in $1; do command -v "$name" >/dev/null 2>&1 && return 0; [ -x "/usr/sbin/$name" ] && return 0; done
    missing="$missing $2"
}
[ -n "${BANSHI_TEST_MYSQL_URL:-}" ] || need "mariadbd mysqld" "mariadb-server-core mariadb-client-core"
[ -n "${BANSHI_TEST_REDIS_URL:-}" ] || need redis-server redis-server
[ -n "${BANSHI_CHROMIUM:-}" ] || need "chromium google-chrome" "chromium fonts-noto-cjk"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing for the tests with apt-get:$missing"
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
    exit 0
fi
for package in $missing; do
    echo "Left out of the tests: $package (get it with: sudo apt-get install $package)"
done
[ "${BANSHI_REQUIRE_SERVICES:-}" != 1 ] || exit 1
