// SPDX-License-Identifier: Apache-2.0
#include "app/metrics_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace braid::app {
namespace {

using ::testing::HasSubstr;

TEST(MetricsPageTest, WritesCountersAndHistograms) {
  DurationHistogram latency;
  latency.Add(100);
  latency.Add(101);
  latency.Add(20'000'000);
  serve::RuntimeStatus status;
  status.services.push_back({.name = "a\"b\\c\n",
                             .answers = {{200, 2}, {504, 1}},
                             .rows_ok = 5,
                             .rows_failed = 1,
                             .latency = latency.Read()});
  status.accounts.push_back({.service = "s", .served = 9, .captured = 7, .shed = 2});
  status.snapshot = 42;
  status.refreshed_at_us = 1'000'000;
  HttpCounts http;
  http.answers[{"GET", 200}] = 3;
  const std::string page = MetricsPage(status, http, 3'500'000);
  for (const char* line :
       {"# TYPE braid_requests_total counter\n",
        "braid_requests_total{service=\"a\\\"b\\\\c\\n\",status=\"504\"} 1\n",
        "braid_rows_total{service=\"a\\\"b\\\\c\\n\",result=\"error\"} 1\n",
        "braid_request_duration_seconds_bucket{service=\"a\\\"b\\\\c\\n\",le=\"0.0001\"} 1\n",
        "braid_request_duration_seconds_bucket{service=\"a\\\"b\\\\c\\n\",le=\"10\"} 2\n",
        "braid_request_duration_seconds_bucket{service=\"a\\\"b\\\\c\\n\",le=\"+Inf\"} 3\n",
        "braid_request_duration_seconds_sum{service=\"a\\\"b\\\\c\\n\"} 20.000201\n",
        "braid_capture_rows_total{service=\"s\",state=\"shed\"} 2\n",
        "braid_capture_commit_seconds_count 0\n", "braid_lake_snapshot 42\n",
        "braid_refresh_age_seconds 2.5\n",
        "braid_http_requests_total{method=\"GET\",status=\"200\"} 3\n"})
    EXPECT_THAT(page, HasSubstr(line));
}

}  // namespace
}  // namespace braid::app
