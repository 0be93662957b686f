// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/batch.h"
#include "engine/connection.h"
#include "engine/interrupt_watch.h"

namespace braid::engine {

// Writes one vector of a chunk. Rows not written are unspecified, so write every row (or SetNull).
class VectorWriter {
 public:
  double* doubles();    // DOUBLE
  int64_t* integers();  // BIGINT, TIMESTAMP and TIMESTAMPTZ (microseconds)
  bool* booleans();     // BOOLEAN
  void SetString(size_t row, std::string_view value);  // VARCHAR, BLOB
  void SetNull(size_t row);
  VectorWriter Child(size_t field);  // of a STRUCT
  // LIST: reserve room for `total` elements over all rows, write them in the child, then say where
  // each row's elements lie.
  VectorWriter ListChild(size_t total);
  void SetListEntry(size_t row, uint64_t offset, uint64_t length);

  explicit VectorWriter(void* vector) : vector_(vector) {}

 private:
  void* vector_;  // duckdb_vector
};

// A function of rows. `run` is called from many threads at once, once a chunk.
// NULL inputs are passed as they are (read the validity); arguments arrive as their declared types.
struct ScalarFunction {
  std::string name;
  std::vector<std::string> parameter_types;  // SQL names: DOUBLE, BIGINT, BOOLEAN, VARCHAR
  std::optional<std::string> varargs_type;   // "ANY": see `bind`
  std::string return_type;                   // any SQL type
  bool is_volatile = false;
  // Called when a statement is bound, with the SQL types of the arguments and the values of
  // constant ones (text; nullopt: not constant). What it returns reaches `run`. May throw Error.
  struct BoundArgument {
    std::string type;
    std::optional<std::string> constant;
  };
  std::function<std::shared_ptr<void>(std::span<const BoundArgument>)> bind;
  // In its place, for functions that wait for something else than DuckDB.
  std::function<std::shared_ptr<void>(std::span<const BoundArgument>,
                                      std::shared_ptr<const InterruptWatch>)>
      bind_watching;
  std::function<void(const std::shared_ptr<void>& bound, const Batch& arguments, VectorWriter out)>
      run;
};

// An aggregate over a varying number of DOUBLE columns; the state is a C++ object of the caller's.
struct AggregateFunction {
  std::string name;
  size_t parameter_count = 0;  // all DOUBLE; register one overload for each count that is used
  struct State {
    virtual ~State() = default;
    virtual void Add(const Batch& rows) = 0;
    // Some of the rows; by default they are copied to a batch of their own.
    virtual void AddSome(const Batch& rows, std::span<const uint32_t> picked);
    virtual void Merge(State& other) = 0;
    virtual std::string Finish() = 0;  // BLOB
  };
  std::function<std::unique_ptr<State>()> make_state;
};

// A table function: `open` is called once for each scan and returns a producer that writes up to
// `capacity` rows into the columns and returns how many (0: the end). One thread a scan.
struct TableFunction {
  struct Column {
    std::string name;
    std::string type;
  };
  std::string name;
  std::vector<std::string> parameter_types;  // constants of the call: VARCHAR, BIGINT, …
  std::vector<Column> columns;
  using Producer = std::function<size_t(std::span<VectorWriter> columns, size_t capacity)>;
  std::function<Producer(std::span<const std::string> arguments)> open;  // arguments as text
};

// Register on one connection: the function exists in the whole database instance; registering a
// name again replaces it.
void Register(Connection& connection, ScalarFunction function);
void Register(Connection& connection, AggregateFunction function);
void Register(Connection& connection, TableFunction function);
// Registers it unless the database has a function of that name: for names that say all about it.
void RegisterOnce(Connection& connection, AggregateFunction function);

}  // namespace braid::engine
