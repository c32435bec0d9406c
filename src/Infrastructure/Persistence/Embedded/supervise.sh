# supervise.sh RUN LOG COMMAND...
# Runs COMMAND until VTP ends. VTP holds the other end of this script's standard input, and the kernel closes it
# however VTP dies, kill -9 included. RUN is the command's private folder, which goes when the command has ended.
run=$1 log=$2
shift 2

# systemd and terminals signal every process of a service or a window at once: only VTP's own end counts here.
trap '' HUP INT TERM
umask 077
exec 3<&0 </dev/null >>"$log" 2>&1

"$@" 3<&- &
server=$!

{
    read -r _ <&3
    # PostgreSQL's fast shutdown, and its immediate one for a server that does not come to an end.
    kill -INT "$server"
    for _ in $(seq 100); do sleep 0.1; done
    kill -QUIT "$server"
} >/dev/null 2>&1 &
watch=$!

wait "$server"
status=$?
{ kill -KILL "$watch"; wait "$watch"; } 2>/dev/null
rm -rf "$run"
exit "$status"
