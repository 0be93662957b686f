// SPDX-License-Identifier: Apache-2.0
#include "engine/connection.h"

#include <fmt/format.h>

#include "engine/duckdb_internal.h"
#include "engine/result_internal.h"

namespace braid::engine {

struct PreparedStatement::Handle {
  OwnedPrepared prepared;
  std::string sql;
};

namespace {

StatementKind KindOf(duckdb_statement_type type) {
  switch (type) {
    case DUCKDB_STATEMENT_TYPE_SELECT:
    case DUCKDB_STATEMENT_TYPE_EXPLAIN:
    case DUCKDB_STATEMENT_TYPE_RELATION:
    case DUCKDB_STATEMENT_TYPE_LOGICAL_PLAN:
      return StatementKind::kSelect;
    case DUCKDB_STATEMENT_TYPE_TRANSACTION:
      return StatementKind::kTransaction;
    case DUCKDB_STATEMENT_TYPE_VARIABLE_SET:
    case DUCKDB_STATEMENT_TYPE_SET:
    case DUCKDB_STATEMENT_TYPE_LOAD:
    case DUCKDB_STATEMENT_TYPE_PRAGMA:
    case DUCKDB_STATEMENT_TYPE_ATTACH:
    case DUCKDB_STATEMENT_TYPE_DETACH:
    case DUCKDB_STATEMENT_TYPE_PREPARE:
      return StatementKind::kSetting;
    default:
      return StatementKind::kWrite;
  }
}

OwnedPrepared PrepareOne(duckdb_connection connection, const std::string& sql) {
  duckdb_extracted_statements extracted = nullptr;
  const idx_t count = duckdb_extract_statements(connection, sql.c_str(), &extracted);
  Owned<duckdb_extracted_statements, duckdb_destroy_extracted> owner(extracted);
  if (count == 0) {
    const char* message = duckdb_extract_statements_error(extracted);
    if (message != nullptr) throw TranslateError(DUCKDB_ERROR_PARSER, message, sql);
    throw Error(ErrorCode::kSyntax, "The statement is empty");
  }
  if (count > 1) throw Error(ErrorCode::kSyntax, "Several statements stand where one is expected");
  OwnedPrepared prepared;
  if (duckdb_prepare_extracted_statement(connection, extracted, 0, prepared.out()) !=
      DuckDBSuccess) {
    // DuckDB gives the text alone here; its error type stands in the JSON.
    const char* message = duckdb_prepare_error(prepared.get());
    throw TranslateError(ErrorTypeOf(message), message == nullptr ? "Cannot prepare" : message,
                         sql);
  }
  return prepared;
}

StatementInfo InfoOf(duckdb_prepared_statement prepared) {
  StatementInfo info{.kind = KindOf(duckdb_prepared_statement_type(prepared)),
                     .column_names = {},
                     .column_types = {}};
  for (idx_t i = 0; i < duckdb_prepared_statement_column_count(prepared); ++i) {
    const char* name = duckdb_prepared_statement_column_name(prepared, i);
    info.column_names.emplace_back(name == nullptr ? "" : name);
    duckdb_free(const_cast<char*>(name));
    const OwnedType type(duckdb_prepared_statement_column_logical_type(prepared, i));
    info.column_types.push_back(TypeName(type.get()));
  }
  return info;
}

void BindOne(duckdb_prepared_statement prepared, idx_t index, const Value& value) {
  duckdb_state state = DuckDBError;
  if (std::holds_alternative<std::monostate>(value)) {
    state = duckdb_bind_null(prepared, index);
  } else if (const bool* flag = std::get_if<bool>(&value)) {
    state = duckdb_bind_boolean(prepared, index, *flag);
  } else if (const int64_t* integer = std::get_if<int64_t>(&value)) {
    state = duckdb_bind_int64(prepared, index, *integer);
  } else if (const double* number = std::get_if<double>(&value)) {
    state = duckdb_bind_double(prepared, index, *number);
  } else {
    const std::string& text = std::get<std::string>(value);
    state = duckdb_bind_varchar_length(prepared, index, text.data(), text.size());
  }
  if (state != DuckDBSuccess)
    throw Error(ErrorCode::kSqlExecution, fmt::format("Cannot bind parameter {}", index));
}

// `keep`: who owns the prepared statement while the result streams.
Result Run(duckdb_prepared_statement prepared, const std::string& sql,
           std::span<const Value> parameters, OwnedPrepared keep) {
  for (size_t i = 0; i < parameters.size(); ++i) BindOne(prepared, i + 1, parameters[i]);
  auto handle = std::make_unique<Result::Handle>();
  handle->sql = sql;
  const bool streams = KindOf(duckdb_prepared_statement_type(prepared)) == StatementKind::kSelect;
  OwnedPending pending;
  const duckdb_state prepared_state =
      streams ? duckdb_pending_prepared_streaming(prepared, pending.out())
              : duckdb_pending_prepared(prepared, pending.out());
  if (prepared_state != DuckDBSuccess) {
    const char* message = duckdb_pending_error(pending.get());
    throw TranslateError(ErrorTypeOf(message), message == nullptr ? "Cannot execute" : message,
                         sql);
  }
  if (duckdb_execute_pending(pending.get(), &handle->result) != DuckDBSuccess)
    throw TranslateError(duckdb_result_error_type(&handle->result), ResultMessage(&handle->result),
                         sql);
  handle->prepared = std::move(keep);
  handle->Describe();
  return Result(std::move(handle));
}

}  // namespace

PreparedStatement::PreparedStatement(std::unique_ptr<Handle> handle, StatementInfo info)
    : handle_(std::move(handle)), info_(std::move(info)) {}
PreparedStatement::~PreparedStatement() = default;
PreparedStatement::PreparedStatement(PreparedStatement&&) noexcept = default;
PreparedStatement& PreparedStatement::operator=(PreparedStatement&&) noexcept = default;

Result PreparedStatement::Execute(std::span<const Value> parameters) {
  return Run(handle_->prepared.get(), handle_->sql, parameters, OwnedPrepared());
}

Connection::Connection(Database& database) : handle_(std::make_unique<Handle>()) {
  if (duckdb_connect(database.handle().database, &handle_->connection) != DuckDBSuccess)
    throw Error(ErrorCode::kInternal, "Cannot connect to DuckDB");
  Owned<duckdb_client_context, duckdb_destroy_client_context> context;
  duckdb_connection_get_client_context(handle_->connection, context.out());
  handle_->watches = database.handle().watches;
  handle_->number = duckdb_client_context_get_connection_id(context.get());
  handle_->watch = handle_->watches->Of(handle_->number);
  for (const char* setting : {"SET errors_as_json = true", "SET TimeZone = 'UTC'"})
    Execute(setting);
}

Connection::~Connection() = default;

Result Connection::Query(std::string_view sql, std::span<const Value> parameters) {
  const std::string text(sql);
  OwnedPrepared prepared = PrepareOne(handle_->connection, text);
  duckdb_prepared_statement statement = prepared.get();
  return Run(statement, text, parameters, std::move(prepared));
}

int64_t Connection::Execute(std::string_view sql, std::span<const Value> parameters) {
  Result result = Query(sql, parameters);
  while (result.Next()) {
  }
  return result.rows_changed();
}

nlohmann::ordered_json Connection::Scalar(std::string_view sql, std::span<const Value> parameters) {
  Result result = Query(sql, parameters);
  nlohmann::ordered_json value;
  bool first = true;
  while (auto chunk = result.Next()) {
    if (first && chunk->rows() > 0) {
      value = chunk->Value(0, 0);
      first = false;
    }
  }
  return value;
}

std::vector<std::vector<nlohmann::ordered_json>> Connection::Rows(
    std::string_view sql, std::span<const Value> parameters) {
  Result result = Query(sql, parameters);
  std::vector<std::vector<nlohmann::ordered_json>> rows;
  while (auto chunk = result.Next()) {
    for (size_t row = 0; row < chunk->rows(); ++row) {
      std::vector<nlohmann::ordered_json>& values = rows.emplace_back();
      for (size_t column = 0; column < result.column_count(); ++column)
        values.push_back(chunk->Value(column, row));
    }
  }
  return rows;
}

PreparedStatement Connection::Prepare(std::string_view sql) {
  auto handle = std::make_unique<PreparedStatement::Handle>();
  handle->sql = std::string(sql);
  handle->prepared = PrepareOne(handle_->connection, handle->sql);
  StatementInfo info = InfoOf(handle->prepared.get());
  return {std::move(handle), std::move(info)};
}

StatementInfo Connection::DescribeStatement(std::string_view sql) {
  const OwnedPrepared prepared = PrepareOne(handle_->connection, std::string(sql));
  return InfoOf(prepared.get());
}

void Connection::Interrupt() {
  handle_->watch->Note();
  duckdb_interrupt(handle_->connection);
}

}  // namespace braid::engine
