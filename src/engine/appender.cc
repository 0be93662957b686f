// SPDX-License-Identifier: Apache-2.0
#include "engine/appender.h"

#include "engine/duckdb_internal.h"

namespace braid::engine {

struct Appender::Handle {
  duckdb_appender appender = nullptr;
  ~Handle() { duckdb_appender_destroy(&appender); }
  void Check(duckdb_state state) {
    if (state == DuckDBSuccess) return;
    const char* message = duckdb_appender_error(appender);
    throw TranslateError(DUCKDB_ERROR_INVALID_INPUT, message == nullptr ? "Cannot append" : message,
                         "");
  }
};

Appender::Appender(Connection& connection, std::string_view catalog, std::string_view schema,
                   std::string_view table)
    : handle_(std::make_unique<Handle>()) {
  handle_->Check(duckdb_appender_create_ext(
      connection.handle().connection, std::string(catalog).c_str(), std::string(schema).c_str(),
      std::string(table).c_str(), &handle_->appender));
}

Appender::~Appender() = default;

Appender& Appender::Null() {
  handle_->Check(duckdb_append_null(handle_->appender));
  return *this;
}
Appender& Appender::Bool(bool value) {
  handle_->Check(duckdb_append_bool(handle_->appender, value));
  return *this;
}
Appender& Appender::Int(int64_t value) {
  handle_->Check(duckdb_append_int64(handle_->appender, value));
  return *this;
}
Appender& Appender::Double(double value) {
  handle_->Check(duckdb_append_double(handle_->appender, value));
  return *this;
}
Appender& Appender::Text(std::string_view value) {
  handle_->Check(duckdb_append_varchar_length(handle_->appender, value.data(), value.size()));
  return *this;
}
void Appender::EndRow() { handle_->Check(duckdb_appender_end_row(handle_->appender)); }
void Appender::Close() { handle_->Check(duckdb_appender_close(handle_->appender)); }

}  // namespace braid::engine
