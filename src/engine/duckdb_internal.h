// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <duckdb.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "engine/connection.h"
#include "engine/database.h"
#include "engine/interrupt_watch.h"
#include "engine/result.h"

// What the .cc files of this module share; the only header here that knows DuckDB's.
namespace braid::engine {

// Owns one of DuckDB's handles; `Destroy` takes its address.
template <typename T, auto Destroy>
class Owned {
 public:
  Owned() = default;
  explicit Owned(T value) : value_(value) {}
  Owned(Owned&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Owned() {
    if (value_ != nullptr) Destroy(&value_);
  }
  T get() const { return value_; }
  T* out() { return &value_; }
  explicit operator bool() const { return value_ != nullptr; }

 private:
  T value_ = nullptr;
};

using OwnedType = Owned<duckdb_logical_type, duckdb_destroy_logical_type>;
using OwnedPrepared = Owned<duckdb_prepared_statement, duckdb_destroy_prepare>;
using OwnedChunk = Owned<duckdb_data_chunk, duckdb_destroy_data_chunk>;
using OwnedPending = Owned<duckdb_pending_result, duckdb_destroy_pending>;
using OwnedValue = Owned<duckdb_value, duckdb_destroy_value>;

struct Database::Handle {
  duckdb_database database = nullptr;
  std::shared_ptr<InterruptWatches> watches = std::make_shared<InterruptWatches>();
  ~Handle() { duckdb_close(&database); }
};

struct Connection::Handle {
  duckdb_connection connection = nullptr;
  std::shared_ptr<InterruptWatches> watches;
  uint64_t number = 0;                    // DuckDB's of this connection
  std::shared_ptr<InterruptWatch> watch;  // null: it was never connected
  ~Handle() {
    if (watch != nullptr) watches->Forget(number);
    duckdb_disconnect(&connection);
  }
};

// A text that DuckDB allocated.
std::string TakeText(char* text);

// "STRUCT(a INTEGER, \"b c\" VARCHAR[])"
std::string TypeName(duckdb_logical_type type);

// The type of an SQL name, such as "STRUCT(label VARCHAR)[]".
OwnedType TypeFromSql(duckdb_connection connection, const std::string& sql_type);

// One value of a vector, as Chunk::Value says.
nlohmann::ordered_json VectorValue(duckdb_vector vector, duckdb_logical_type type, idx_t row);

// DuckDB's failure as ours. `sql` gives the position its place.
Error TranslateError(duckdb_error_type type, std::string_view message, std::string_view sql);

// An Error on its way through DuckDB: callbacks report text, TranslateError makes the Error again.
std::string EncodeError(const Error& error);

}  // namespace braid::engine
