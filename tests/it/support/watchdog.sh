# Runs one server for the tests in a new temporary folder, and ends and removes both when the tests end,
# whatever ends them: the orders come from a pipe, and the kernel closes that pipe even after a SIGKILL.
#
# Arguments: a word for the folder's name, the signal that ends the server, the server's command line.
# Prints the folder's path, then one line in answer to each order: `start`, `send SIGNAL` or `end`.

set -m # a process group for each job: Ctrl-C doesn't reach the server, and one kill reaches its children too

last_signal=$2
folder=$(mktemp -d "${TMPDIR:-/tmp}/coffer-$1.XXXXXX") && cd "$folder" || exit 1
shift 2
exec 2>log
export HOME=$folder TMPDIR=$folder # nothing is left elsewhere either
echo "$folder"

# PostgreSQL kills its own stragglers five seconds after a QUIT; the kernel sees to a KILL.
end() {
    kill -s "$last_signal" %% && kill -s CONT %%
    wait
}

while read -r order signal; do
    case $order in
    start)
        : >log
        "$@" </dev/null >>log 2>&1 &
        echo started
        ;;
    send) if kill -s "$signal" %% 2>/dev/null; then echo sent; else echo gone; fi ;;
    end)
        end
        echo ended
        ;;
    esac
done

end
cd /
# A killed child may still be writing its last file.
for _ in {1..50}; do
    rm -rf "$folder" && break
    sleep 0.1
done
