// SPDX-License-Identifier: Apache-2.0
#include "app/metrics_page.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "app/version.h"
#include "base/duration_histogram.h"

namespace braid::app {

namespace {

using Labels = std::vector<std::pair<std::string_view, std::string>>;

// A backslash, a quote and the end of a line are written as escapes in the value of a label.
std::string Escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

class Page {
 public:
  void Begin(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(text_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
  }
  void Add(const Labels& labels, int64_t value) { Line("", labels, fmt::format("{}", value)); }
  void AddSeconds(const Labels& labels, int64_t micros) { Line("", labels, Seconds(micros)); }

  void AddHistogram(Labels labels, const DurationHistogram::Reading& reading) {
    int64_t total = 0;
    labels.emplace_back("le", "");
    for (size_t i = 0; i < reading.counts.size(); ++i) {
      total += reading.counts[i];
      labels.back().second = i < DurationHistogram::kBoundsMicros.size()
                                 ? Seconds(DurationHistogram::kBoundsMicros[i])
                                 : "+Inf";
      Line("_bucket", labels, fmt::format("{}", total));
    }
    labels.pop_back();
    Line("_sum", labels, Seconds(reading.sum_micros));
    Line("_count", labels, fmt::format("{}", total));
  }

  std::string Take() { return std::move(text_); }

 private:
  static std::string Seconds(int64_t micros) {
    return fmt::format("{}", static_cast<double>(micros) / 1e6);
  }
  void Line(std::string_view suffix, const Labels& labels, const std::string& value) {
    text_ += name_;
    text_ += suffix;
    char open = '{';
    for (const auto& [name, label] : labels) {
      fmt::format_to(std::back_inserter(text_), "{}{}=\"{}\"", open, name, Escaped(label));
      open = ',';
    }
    if (open == ',') text_ += '}';
    fmt::format_to(std::back_inserter(text_), " {}\n", value);
  }

  std::string name_;
  std::string text_;
};

void AddServices(Page& page, const std::vector<serve::ServiceCount>& services) {
  page.Begin("braid_requests_total", "counter", "Requests answered, by service and status.");
  for (const serve::ServiceCount& service : services)
    for (const auto& [status, count] : service.answers)
      page.Add({{"service", service.name}, {"status", std::to_string(status)}}, count);
  page.Begin("braid_rows_total", "counter", "Rows answered, by service and what came of them.");
  for (const serve::ServiceCount& service : services) {
    page.Add({{"service", service.name}, {"result", "ok"}}, service.rows_ok);
    page.Add({{"service", service.name}, {"result", "error"}}, service.rows_failed);
  }
  page.Begin("braid_request_duration_seconds", "histogram",
             "From a request's arrival to its answer, which for captured rows is on disk then.");
  for (const serve::ServiceCount& service : services)
    page.AddHistogram({{"service", service.name}}, service.latency);
}

void AddCapture(Page& page, const serve::RuntimeStatus& status) {
  page.Begin("braid_capture_rows_total", "counter",
             "The account of each service since it was first asked: rows served, captured, shed.");
  for (const capture::Account& account : status.accounts) {
    const Labels service = {{"service", account.service}};
    for (const auto& [state, rows] : {std::pair<const char*, int64_t>{"served", account.served},
                                      {"captured", account.captured},
                                      {"shed", account.shed}}) {
      Labels labels = service;
      labels.emplace_back("state", state);
      page.Add(labels, rows);
    }
  }
  page.Begin("braid_capture_commit_seconds", "histogram",
             "Commits of the capture log, each with a flush to disk.");
  page.AddHistogram({}, status.commit_times);
}

}  // namespace

std::string MetricsPage(const serve::RuntimeStatus& status, const HttpCounts& http,
                        int64_t now_us) {
  Page page;
  page.Begin("braid_build_info", "gauge", "Always 1; the version is a label.");
  page.Add({{"version", std::string(kVersion)}}, 1);
  AddServices(page, status.services);
  AddCapture(page, status);
  page.Begin("braid_queued_requests", "gauge", "Requests that wait for a worker.");
  page.Add({}, static_cast<int64_t>(status.queued_requests));
  page.Begin("braid_unavailable_services", "gauge",
             "Services that are declared and cannot answer.");
  page.Add({}, static_cast<int64_t>(status.unavailable_services));
  page.Begin("braid_lake_snapshot", "gauge", "The lake's snapshot that services answer from.");
  page.Add({}, status.snapshot);
  page.Begin("braid_refresh_age_seconds", "gauge",
             "Time since it was last looked for a newer catalogue and snapshot.");
  page.AddSeconds({}, status.refreshed_at_us == 0 ? 0 : now_us - status.refreshed_at_us);
  page.Begin("braid_http_requests_total", "counter", "All HTTP requests, by method and status.");
  for (const auto& [key, count] : http.answers)
    page.Add({{"method", key.first}, {"status", std::to_string(key.second)}}, count);
  page.Begin("braid_http_requests_in_flight", "gauge", "HTTP requests that are not answered yet.");
  page.Add({}, static_cast<int64_t>(http.in_flight));
  return page.Take();
}

}  // namespace braid::app
