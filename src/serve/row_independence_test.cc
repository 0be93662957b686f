// SPDX-License-Identifier: Apache-2.0
#include "serve/row_independence.h"

#include <gtest/gtest.h>

#include "engine/database.h"

namespace braid::serve {
namespace {

class RowIndependenceTest : public ::testing::Test {
 protected:
  engine::Database database_{{.threads = 1}};
  engine::Connection connection_{database_};
  RowIndependence independence_{connection_};
};

TEST_F(RowIndependenceTest, ProjectionsAndLookupsAreOfOneRow) {
  for (const char* query :
       {"SELECT x + 1 AS y FROM request",
        "SELECT r.x, t.\"limit\" FROM request AS r LEFT JOIN gold.t AS t ON t.k = r.k AND (t.a OR "
        "t.b)",
        "SELECT CASE WHEN (x > 0) THEN (1) ELSE (2) END, CAST(x AS DECIMAL(10, 2)) FROM request "
        "WHERE x IN (1, 2)",
        "WITH a AS (SELECT upper(s) AS s FROM request) SELECT coalesce(s, 'none') FROM a",
        "SELECT list_filter(l, lambda e: (e > 1)), l.list_transform(lambda e: e), [1, 2] FROM "
        "request",
        "SELECT braid_score_label_varchar('abc', '0.5', CAST((x) AS DOUBLE)) FROM request",
        "SELECT nullif(a, b), list_sum(l), split_part(s, ',', 1), date_add(d, INTERVAL 1 DAY) FROM "
        "request",
        "SELECT EXISTS (SELECT 1 FROM gold.t WHERE t.k = request.k) FROM request",
        "SELECT x /* count(*) */ FROM request -- LIMIT 1"})
    EXPECT_EQ(independence_.Obstacle(query), "") << query;
}

TEST_F(RowIndependenceTest, WhatSeesSeveralRowsOrTheTimeIsNot) {
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT count(*) FROM request", "count(…)"},
      {"SELECT sum (x) FROM request", "sum(…)"},
      {"SELECT \"max\"(x) FROM request", "max(…)"},
      {"SELECT x FROM request LIMIT 1", "LIMIT"},
      {"SELECT x FROM request ORDER BY x", "ORDER"},
      {"SELECT row_number() OVER () FROM request", "row_number(…)"},
      {"SELECT DISTINCT x FROM request", "DISTINCT"},
      {"SELECT x FROM request UNION ALL SELECT 1", "UNION"},
      {"SELECT random() FROM request", "random(…)"},
      {"SELECT now() FROM request", "now(…)"},
      {"SELECT current_date FROM request", "CURRENT_DATE"},
      {"SELECT current_timestamp FROM request", "CURRENT_TIMESTAMP"},
      {"SELECT ago(INTERVAL 1 DAY) FROM request", "ago(…)"},  // a macro over current_timestamp
      {"SELECT geomean(x) FROM request", "geomean(…)"},       // one over an aggregate
      {"SELECT unnest(l) FROM request", "unnest(…)"},
      {"SELECT error('no') FROM request", "error(…)"},
      {"SELECT x FROM request, range(3)", "range(…)"},
      {"SELECT nobody_knows(x) FROM request", "nobody_knows(…)"}};
  for (const auto& [query, obstacle] : cases)
    EXPECT_EQ(independence_.Obstacle(query), obstacle) << query;
}

}  // namespace
}  // namespace braid::serve
