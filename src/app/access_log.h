// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace braid::app {

// One answered request. Nothing of it is a secret: no headers that may hold one, no query.
struct AccessRecord {
  int64_t at_us = 0;  // of its arrival
  std::string request_id;
  std::string trace_id;  // empty: the client traces nothing
  std::string remote;
  std::string method;
  std::string path;
  std::string agent;
  int status = 0;
  size_t bytes_in = 0;
  size_t bytes_out = 0;
  int64_t micros = 0;
};

// {"time":…,"request_id":…,…} with a newline.
std::string AccessLine(const AccessRecord& record);

// Appends lines to standard error or a file, one write each, so that those of several processes do
// not mix. Thread-safe. A line that cannot be written is dropped: an answer never waits for the
// log.
class AccessLog {
 public:
  // "stderr" or a file. Throws Error IO.
  explicit AccessLog(const std::string& place);
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  void Write(const AccessRecord& record) const;

 private:
  int file_ = -1;
  bool is_owned_ = false;
};

}  // namespace braid::app
