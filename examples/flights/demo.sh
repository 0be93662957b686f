#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The flights example from an empty folder to a retrained model, in about one screen. Every number is computed.
# Usage: examples/flights/demo.sh   (BRAID=path of the binary; the project stays in build/demo)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
braid=${BRAID:-$root/build/release/bin/braid}
demo=$root/build/demo
server=
started=$EPOCHREALTIME
# shellcheck source=examples/story.sh
. "$here/../story.sh"

json() { "$braid" sql --format json -f - 2>>client/notes.log; }

stop_server() {
  if [[ -n $server ]]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
  fi
}
# Whatever ends the script: the server goes too, and what went wrong is shown.
leave() {
  local status=$?
  stop_server
  if ((status != 0 && status < 128)) && [[ -s client/notes.log ]]; then tail -n 20 client/notes.log >&2; fi
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Monthly files arrive, as a vendor would deliver them.
deliver() {
  local month
  for month in "$@"; do cp "vendor/departures/2013-$month.csv.gz" landing/departures/; done
}

post() { curl --silent --show-error --fail-with-body --noproxy '*' -H 'Content-Type: application/json' "$@"; }

prepare() {
  command -v curl >/dev/null || fail "curl is missing"
  empty_project
  mkdir -p "$demo"/{landing/departures,vendor,client/{requests,answers,feedback}}
  cp -R "$here"/{braid.yaml,bronze,silver,gold,models,services} "$demo/"
  cp -R "$here"/data/{departures,*.csv,*.csv.gz} "$demo/vendor/"
  cd "$demo"
}

first_run() {
  title "1. January to April 2013 have landed. One run builds tables, reports, model and service."
  cp vendor/*.csv vendor/*.csv.gz landing/
  deliver 01 02 03 04
  typed "braid plan"
  "$braid" plan 2>>client/notes.log | sed 's/^/  /'
  run
  run_summary
  typed "braid sql \"SELECT … FROM braid.expectation_result WHERE failed > 0\""
  table "SELECT node, name AS expectation, action, passed, failed FROM braid.expectation_result
    WHERE failed > 0 AND run_id = (SELECT max(run_id) FROM braid.run) ORDER BY node, failed"
  title "2. The same run again finds nothing to do."
  run
  run_summary
}

report() {
  title "3. A question of the operations manager: which weather costs most?"
  typed "braid sql \"FROM gold.delays_by_weather …\""
  table "SELECT weather, sum(flights)::BIGINT AS flights,
      round(sum(late_percent * flights) / sum(flights), 1) AS late_percent,
      round(sum(cancelled_percent * flights) / sum(flights), 1) AS cancelled_percent
    FROM gold.delays_by_weather GROUP BY weather ORDER BY late_percent DESC"
}

serve() {
  title "4. The model goes live. One request, and at once its row in SQL, from another process."
  typed "braid serve --listen 127.0.0.1:0 &"
  coproc SERVE { exec "$braid" serve --listen 127.0.0.1:0 2>client/serve.log; }
  server=$SERVE_PID
  local line=''
  read -r -t 30 line <&"${SERVE[0]}" || { cat client/serve.log >&2; fail "braid serve did not start"; }
  url=${line#listening on }
  printf '  %s\n' "$line"
}

# What the client knows of May to July before departure, numbered; n = 1 is the single request.
timetable="SELECT row_number() OVER (ORDER BY time_hour, carrier, flight, origin) - 1 AS n,
    carrier, origin, dest, tailnum, make_timestamp(year, month, day, hour, minute, 0) AS scheduled_departure, arr_delay
  FROM read_csv('vendor/departures/2013-0[567].csv.gz', nullstr = 'NA')"
per_request=10000

ask_once() {
  local request answer id
  request=$(json <<<"SELECT carrier, origin, dest, tailnum, scheduled_departure FROM ($timetable) WHERE n = 0")
  request=${request#[}
  request=${request%]}
  typed "curl $url/v1/services/delay_risk -d '$request'"
  answer=$(post -H 'X-Request-Id: first-of-may' --data-binary "$request" "$url/v1/services/delay_risk")
  sed 's/^/  /; s/,"features"/,\n    "features"/' <<<"$answer"
  id=$(sed 's/.*"inference_id":"\([^"]*\)".*/\1/' <<<"$answer")
  local outcome
  outcome=$(json <<<"SELECT 'delay_risk' AS service, [{inference_id: '$id', outcome: {late: arr_delay >= 15,
    arr_delay: arr_delay}}] AS rows FROM ($timetable) WHERE n = 0")
  outcome=${outcome#[}
  outcome=${outcome%]}
  typed "curl $url/v1/feedback -d '$outcome'     # hours later: it has landed"
  printf '  %s\n' "$(post --data-binary "$outcome" "$url/v1/feedback")"
  typed "braid sql \"FROM inference.delay_risk LEFT JOIN feedback.delay_risk USING (inference_id) …\""
  table "SELECT i.client_request_id, i.input.carrier AS carrier, i.input.dest AS dest, i.status,
      round(i.output.probability, 3) AS probability, i.model_versions['delay'] AS model_version, i.lake_snapshot,
      f.outcome.late AS was_late, f.outcome.arr_delay AS arr_delay
    FROM inference.delay_risk AS i LEFT JOIN feedback.delay_risk AS f USING (inference_id)
    WHERE i.client_request_id = 'first-of-may'"
}

# The flights of May to July, in requests of up to $per_request rows.
ask_all() {
  local rows batches i begun
  rows=$(value "SELECT count(*) - 1 FROM ($timetable)")
  batches=$(((rows + per_request - 1) / per_request))
  for ((i = 0; i < batches; ++i)); do
    printf 'SELECT carrier, origin, dest, tailnum, scheduled_departure FROM (%s) WHERE n BETWEEN %d AND %d ORDER BY n;\n' \
      "$timetable" $((i * per_request + 1)) $(((i + 1) * per_request))
  done | json | split -l 1 -d -a 3 - client/requests/
  begun=$EPOCHREALTIME
  for ((i = 0; i < batches; ++i)); do
    local name
    name=$(printf '%03d' "$i")
    { printf '{"rows":' && cat "client/requests/$name" && printf '}'; } |
      post --data-binary @- -o "client/answers/$name.json" "$url/v1/services/delay_risk"
  done
  awk -v rows="$rows" -v n="$batches" -v s="$(since "$begun")" 'BEGIN {
    printf "  %d flights in %d requests in %s s: %d answers a second, each on disk before it was sent\n", rows, n, s, rows / s }'
}

# Four of five flights that arrived report their outcome.
tell_outcomes() {
  local i name answer begun=$EPOCHREALTIME accepted=0
  for name in client/answers/*.json; do
    i=$((10#$(basename "$name" .json)))
    cat <<SQL
SELECT 'delay_risk' AS service, list({inference_id: a.inference_id,
    outcome: {late: t.arr_delay >= 15, arr_delay: t.arr_delay}} ORDER BY t.n) AS rows
FROM (SELECT unnest(rows).inference_id AS inference_id, generate_subscripts(rows, 1) AS position
      FROM read_json('$name', columns = {rows: 'STRUCT(inference_id VARCHAR)[]'}, maximum_object_size = 100000000)) AS a
JOIN ($timetable) AS t ON t.n = a.position + $((i * per_request))
WHERE t.arr_delay IS NOT NULL AND hash(t.n) % 5 < 4;
SQL
  done | json | sed 's/^\[//; s/\]$//' | split -l 1 -d -a 3 - client/feedback/
  for name in client/feedback/*; do
    answer=$(post --data-binary "@$name" "$url/v1/feedback")
    answer=${answer#*\"accepted\":}
    accepted=$((accepted + ${answer%%[,\}]*}))
  done
  printf '  %d outcomes came back after landing (%s s)\n' "$accepted" "$(since "$begun")"
}

summer() {
  title "5. May to July: the service is asked for every departure; four of five report how it ended."
  ask_all
  tell_outcomes
  table "SELECT count(*) AS captured, count(*) FILTER (status = 'ok') AS ok, count(DISTINCT inference_id) AS ids,
      round(avg(output.probability), 3) AS mean_probability FROM inference.delay_risk"
}

retrain() {
  title "6. May to August are delivered too. The model's training table has new rows, so the run retrains it;"
  printf '%s   the version with the lower log loss on August becomes champion.%s\n' "$bold" "$plain"
  deliver 05 06 07 08
  run
  table "SELECT node, action, rows, reason FROM braid.run_node
    WHERE run_id = (SELECT max(run_id) FROM braid.run) AND (node = 'delay' OR node LIKE '%training%') ORDER BY node"
  typed "braid sql \"FROM braid.alias_event …\""
  table "SELECT model, alias, version, reason FROM braid.alias_event ORDER BY \"at\", version"
}

# Log loss and area under the ROC curve of both versions on rows that neither training nor promotion saw. Flights of
# one day share weather and queues, so a day counts as one draw: the interval is ±1.96 standard errors
# of the sum of the days' influences (for the curve: its placement values). Verdict: of version 2 against 1, where the interval
# leaves out 0.
comparison="
WITH scored AS (
  SELECT CAST(scheduled_departure AS DATE) AS day, flight_id, late, p1,
    list_filter(predicted_late_probs, lambda p: p.label)[1].prob AS p2
  FROM ML.PREDICT(MODEL delay@2, (
    SELECT * EXCLUDE (predicted_late, predicted_late_probs),
      list_filter(predicted_late_probs, lambda p: p.label)[1].prob AS p1
    FROM ML.PREDICT(MODEL delay@1, (
      SELECT * FROM silver.flights WHERE late IS NOT NULL AND scheduled_departure >= TIMESTAMP '2013-09-01'))))),
versions AS (
  SELECT day, flight_id, late, 1 AS version, p1 AS p FROM scored UNION ALL
  SELECT day, flight_id, late, 2 AS version, p2 AS p FROM scored),
ranked AS (
  SELECT *, -ln(CASE WHEN late THEN p ELSE 1 - p END) AS loss,
    rank() OVER (PARTITION BY version ORDER BY p) + (count(*) OVER (PARTITION BY version, p) - 1) / 2 AS rank_of_all,
    rank() OVER (PARTITION BY version, late ORDER BY p) + (count(*) OVER (PARTITION BY version, late, p) - 1) / 2 AS rank_in_class,
    count(*) OVER (PARTITION BY version) - count(*) OVER (PARTITION BY version, late) AS others,
    count(*) OVER (PARTITION BY version, late) AS fellows
  FROM versions),
placed AS (
  SELECT *, CASE WHEN late THEN (rank_of_all - rank_in_class) / others ELSE 1 - (rank_of_all - rank_in_class) / others END AS placement
  FROM ranked),
changes AS (
  SELECT day, flight_id, late, any_value(fellows) AS fellows,
    sum(loss * (2 * version - 3)) AS loss_change, sum(placement * (2 * version - 3)) AS placement_change
  FROM placed GROUP BY day, flight_id, late),
totals AS (
  SELECT avg(loss_change) AS loss_change, avg(placement_change) FILTER (late) AS area_change, count(*) AS flights FROM changes),
days AS (
  SELECT day, sum(c.loss_change - t.loss_change) / any_value(t.flights) AS loss_pull,
    sum((c.placement_change - t.area_change) / c.fellows) AS area_pull
  FROM changes AS c, totals AS t GROUP BY day),
errors AS (
  SELECT 1.96 * sqrt(count(*) / (count(*) - 1) * sum(loss_pull * loss_pull)) AS loss,
    1.96 * sqrt(count(*) / (count(*) - 1) * sum(area_pull * area_pull)) AS area FROM days)
SELECT 'log loss (lower is better)' AS metric, t.flights,
  round(avg(p.loss) FILTER (version = 1), 4) AS version_1, round(avg(p.loss) FILTER (version = 2), 4) AS version_2,
  round(any_value(t.loss_change), 4) AS change,
  format('{:+.4f} to {:+.4f}', any_value(t.loss_change - e.loss), any_value(t.loss_change + e.loss)) AS interval_95,
  CASE WHEN any_value(t.loss_change + e.loss) < 0 THEN 'better'
       WHEN any_value(t.loss_change - e.loss) > 0 THEN 'worse' ELSE 'cannot tell' END AS verdict
FROM placed AS p, totals AS t, errors AS e GROUP BY t.flights
UNION ALL
SELECT 'area under ROC (higher is better)', t.flights,
  round(avg(p.placement) FILTER (version = 1 AND late), 4), round(avg(p.placement) FILTER (version = 2 AND late), 4),
  round(any_value(t.area_change), 4),
  format('{:+.4f} to {:+.4f}', any_value(t.area_change - e.area), any_value(t.area_change + e.area)),
  CASE WHEN any_value(t.area_change - e.area) > 0 THEN 'better'
       WHEN any_value(t.area_change + e.area) < 0 THEN 'worse' ELSE 'cannot tell' END
FROM placed AS p, totals AS t, errors AS e GROUP BY t.flights"

compare() {
  title "7. September to December arrive; no version and no decision has seen them. Did the feedback help?"
  deliver 09 10 11 12
  run
  run_summary
  printf '%s\n' "$comparison" >client/comparison.txt
  typed "braid sql -f client/comparison.txt     # 95 % interval of the change; a day counts as one draw"
  table "$comparison"
}

trace() {
  local snapshot
  snapshot=$(value "SELECT snapshot_id FROM braid.model_version WHERE model = 'delay' ORDER BY version DESC LIMIT 1")
  title "8. What was the newest version trained on? Its rows, as its snapshot $snapshot of the lake still has them:"
  typed "braid sql \"FROM gold.training AT (VERSION => $snapshot) LEFT JOIN inference.delay_risk USING (inference_id) …\""
  table "SELECT t.label_origin, i.model_versions['delay'] AS answered_by_version, count(*) AS rows,
      round(100 * avg(CAST(t.late AS INTEGER)), 1) AS late_percent,
      count(DISTINCT coalesce(t.flight_id, CAST(t.inference_id AS VARCHAR))) AS distinct_ids
    FROM gold.training AS t AT (VERSION => $snapshot) LEFT JOIN inference.delay_risk AS i USING (inference_id)
    GROUP BY ALL ORDER BY 1, 2"
}

farewell() {
  stop_server
  title "Done in $(since "$started") s. Go on by hand; all of it is in build/demo:"
  cat <<TEXT
  cd $(printf '%q' "$demo") && PATH=$(printf '%q' "$(dirname "$braid")"):\$PATH
  braid sql                                        # a prompt; SHOW MODELS; FROM ML.WEIGHTS(MODEL delay);
  braid sql "SELECT count(*) FROM silver.flights AT (VERSION => $(value "SELECT min(snapshot_id) FROM braid.run WHERE snapshot_id IS NOT NULL"))"   # as the first run left it
  braid serve                                      # http://127.0.0.1:8080/openapi.json
TEXT
}

prepare
first_run
report
serve
ask_once
summer
retrain
compare
trace
farewell
