#!/bin/sh
# usage: supervise.sh FOLDER PIDFILE NAME start|adopt COMMAND [ARGUMENT…]
#
# Runs a command and starts it again, with back-off, whenever it has ended. A shell, because it has to stay when nothing else does, at next to no
# cost. docs/adr/0015-supervision.md has the whole picture. In FOLDER are
#   lock      held while a supervisor lives: there is never a second one
#   pid       the supervisor
#   command   what it runs, for whoever starts another supervisor
#   ready     the process was ready once. One that ends before is left to whoever asked for it.
#   hold      do not start it (again)
#   restarts  how often it was started again, when it had ended (seconds since 1970) and why
# PIDFILE tells the process by pid, start and boot. The process writes it before it looks for `hold`; who stops a process writes `hold` before
# reading PIDFILE: whatever happens when, one sees the other. Both this and the process may be killed at any instant.
# `adopt`: the process that PIDFILE tells is not our child, and may have ended.
# The command runs in the foreground: a shell's background would have it, and all containers with it, ignore SIGINT.

folder=$1 pidfile=$2 name=$3 mode=$4
shift 4
longest=60

exec 9>"$folder/lock" || exit 1
flock -n 9 || exit 0
read -r boot </proc/sys/kernel/random/boot_id

# Who asks, as PIDFILE tells a process; its start is the 20th field behind the bracket (proc(5)).
identity() {
  read -r stat </proc/self/stat || return 1
  set -f
  set -- "${stat%% *}" ${stat##*) }
  printf '{"pid":%s,"startTicks":%s,"bootId":"%s"}\n' "$1" "${21}" "$boot"
}

# In a subshell: turns it into the command.
become() {
  identity >"$pidfile" || exit 1
  [ ! -e "$folder/hold" ] || exit 0
  exec 9>&-
  exec "$@"
}

# Whether the process of PIDFILE runs; after a restart of the machine, pid and start of another could only be the same by accident.
alive() {
  { read -r saved <"$pidfile"; } 2>/dev/null || return 1
  pid=${saved#*:} start=${saved#*startTicks\":}
  { read -r stat <"/proc/${pid%%,*}/stat"; } 2>/dev/null || return 1
  set -f
  set -- "${start%%,*}" ${stat##*) }
  [ "$2" != Z ] && [ "$2" != X ] && [ "${21}" = "$1" ]
}

# Seconds since boot, which nobody sets.
now() {
  read -r seconds rest </proc/uptime
  seconds=${seconds%.*}
}

say() {
  printf '{"level":"%s","time":"%s","component":"supervisor","process":"%s","msg":"%s"}\n' "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$name" "$2"
}

pause() {
  left=$1
  while [ "$left" -gt 0 ] && [ ! -e "$folder/hold" ]; do
    sleep 1 9>&-
    left=$((left - 1))
  done
}

printf '%s\0' "$@" >"$folder/command"
identity >"$folder/pid"
restarts=0 failures=0
{ read -r restarts rest <"$folder/restarts"; } 2>/dev/null

while :; do
  now
  begun=$seconds
  if [ "$mode" = adopt ]; then
    while alive && [ ! -e "$folder/hold" ]; do sleep 1 9>&-; done
    ended='while it had no supervisor to see why'
    mode=start
  else
    (become "$@")
    code=$?
    ended="exit code $code"
    [ "$code" -le 128 ] || ended="killed by SIG$(kill -l $((code - 128)))"
    exec 3>&-
    # Nobody asks for the progress of what nobody waits for.
    unset COXSWAIN_PROGRESS_FD
    [ -e "$folder/ready" ] || exit "$code"
  fi
  [ ! -e "$folder/hold" ] || exit 0

  now
  [ $((seconds - begun)) -lt $longest ] || failures=0
  # At once, then after 1 s, 2 s, 4 s…
  delay=0
  [ $failures -eq 0 ] || delay=$((failures > 6 ? longest : 1 << (failures - 1)))
  [ $delay -le $longest ] || delay=$longest
  failures=$((failures + 1)) restarts=$((restarts + 1))
  printf '%s %s %s\n' "$restarts" "$(date +%s)" "$ended" >"$folder/restarts"
  say warn "$name ended ($ended); starting it again$([ $delay -eq 0 ] || printf ' in %s s' $delay)"
  pause $delay
  [ ! -e "$folder/hold" ] || exit 0
done
