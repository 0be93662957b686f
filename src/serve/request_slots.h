// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/connection.h"
#include "engine/value.h"
#include "serve/request_values.h"

namespace braid::serve {

// Where prepared statements find the values of the rows that their worker is at: one slot a worker,
// read by SQL functions. DuckDB plans a statement with parameters anew at each execution once it
// reads a table (ten times the work of a small query); one without is planned once. A slot belongs
// to one thread.
class RequestSlots {
 public:
  explicit RequestSlots(size_t slots);

  // Makes the functions known to a database. The slots must outlive it.
  void Register(engine::Connection& connection) const;

  using Row = std::vector<engine::Value>;

  // What statements of that slot read from now on; must live while one runs.
  void Set(size_t slot, std::span<const Row> rows);

  // An SQL expression that gives one value: BOOLEAN, BIGINT, DOUBLE or VARCHAR by `form`. `row` is
  // SQL that gives the row's number, from 0.
  static std::string Source(ValueForm form, size_t slot, size_t index, std::string_view row = "0");
  // An SQL expression that gives the number of rows.
  static std::string CountSource(size_t slot);

  struct Slot {
    std::span<const Row> rows;
  };

 private:
  const Slot& SlotAt(size_t slot) const;

  std::vector<std::unique_ptr<Slot>> slots_;
};

}  // namespace braid::serve
