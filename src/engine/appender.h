// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/connection.h"

namespace braid::engine {

// Appends rows to a table inside the connection's transaction. Rows are visible after Close; a
// destructor without Close drops what is not flushed. One thread at a time.
class Appender {
 public:
  Appender(Connection& connection, std::string_view catalog, std::string_view schema,
           std::string_view table);
  ~Appender();
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;

  Appender& Null();
  Appender& Bool(bool value);
  Appender& Int(int64_t value);
  Appender& Double(double value);
  Appender& Text(std::string_view value);  // cast to the column's type
  void EndRow();
  void Close();

  struct Handle;

 private:
  std::unique_ptr<Handle> handle_;
};

}  // namespace braid::engine
