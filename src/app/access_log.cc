// SPDX-License-Identifier: Apache-2.0
#include "app/access_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/error.h"

namespace braid::app {

std::string AccessLine(const AccessRecord& record) {
  nlohmann::ordered_json line = {{"time", FormatUtc(record.at_us)},
                                 {"request_id", record.request_id}};
  if (!record.trace_id.empty()) line["trace_id"] = record.trace_id;
  line["remote"] = record.remote;
  line["method"] = record.method;
  line["path"] = record.path;
  line["status"] = record.status;
  line["bytes_in"] = record.bytes_in;
  line["bytes_out"] = record.bytes_out;
  line["ms"] = static_cast<double>(record.micros) / 1000;
  if (!record.agent.empty()) line["agent"] = record.agent;
  // What a client sent may be no UTF-8.
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

AccessLog::AccessLog(const std::string& place) {
  if (place == "stderr") {
    file_ = STDERR_FILENO;
    return;
  }
  file_ = open(place.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (file_ < 0)
    throw Error(ErrorCode::kIo,
                fmt::format("Cannot open the access log {}: {}", place, std::strerror(errno)),
                "server.access_log in braid.yaml names it");
  is_owned_ = true;
}

AccessLog::~AccessLog() {
  if (is_owned_) close(file_);
}

void AccessLog::Write(const AccessRecord& record) const {
  const std::string line = AccessLine(record);
  [[maybe_unused]] const ssize_t written = write(file_, line.data(), line.size());
}

}  // namespace braid::app
