# SPDX-License-Identifier: Apache-2.0
# Sourced by the demos: how they print, and how they run the program in $braid, whose notes go to client/notes.log of
# the project in $demo.
# shellcheck shell=bash disable=SC2154
if [[ -t 1 ]]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi

title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
typed() { printf '%s$ %s%s\n' "$dim" "$*" "$plain"; }
since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'; }
fail() {
  printf 'demo: %s\n' "$*" >&2
  exit 1
}

# Makes $demo anew, unless somebody works there.
empty_project() {
  [[ -x $braid ]] || fail "no $braid; run make first"
  if [[ -e $demo/.braid/lock ]] && ! flock --nonblock "$demo/.braid/lock" true; then
    fail "a braid process is still working in $demo; stop it first"
  fi
  rm -rf "$demo"
  mkdir -p "$demo/client"
}

# A result in aligned columns, numbers to the right; one value alone.
table() { "$braid" sql --format markdown "$1" 2>>client/notes.log | align; }
align() {
  awk '
    NR == 2 { next }
    {
      sub(/^ *\|/, "")
      sub(/\| *$/, "")
      count = split($0, cells, "|")
      for (i = 1; i <= count; ++i) {
        gsub(/^ +| +$/, "", cells[i])
        cell[NR, i] = cells[i]
        if (length(cells[i]) > width[i]) width[i] = length(cells[i])
        if (NR > 2 && cells[i] !~ /^[-+]?[0-9.]*$/) is_text[i] = 1
      }
      if (count > columns) columns = count
    }
    END {
      for (row = 1; row <= NR; ++row) {
        if (row == 2) continue
        line = " "
        for (i = 1; i <= columns; ++i) line = line sprintf(is_text[i] ? " %-" width[i] "s " : " %" width[i] "s ", cell[row, i])
        sub(/ +$/, "", line)
        print line
      }
    }'
}
value() { "$braid" sql --format csv "$1" 2>>client/notes.log | tail -n +2; }

# Runs the project; what it says is kept for when it fails.
run() {
  typed "braid run"
  "$braid" run >client/run.out 2>client/run.log || {
    cat client/run.out client/run.log >&2
    fail "braid run failed"
  }
}

# The last run's nodes by what was done with them.
run_nodes() {
  table "SELECT n.kind, n.node, n.action, n.rows, round(n.seconds, 2) AS seconds
    FROM braid.run_node AS n
    WHERE n.run_id = (SELECT max(run_id) FROM braid.run) AND n.action IN ($1)
    ORDER BY n.seconds DESC, n.node LIMIT $2"
}
run_summary() {
  table "SELECT action, count(*) AS nodes, sum(rows)::BIGINT AS rows, max(reason) AS for_example_because
    FROM braid.run_node WHERE run_id = (SELECT max(run_id) FROM braid.run) GROUP BY action ORDER BY action"
}
