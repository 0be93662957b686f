// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "engine/connection.h"

namespace braid::serve {

// Says whether a query answers each request row from that row alone, by functions that give the
// same for the same: projections, filters, predictions, lookups. Only then may several request rows
// be asked by one statement. It looks at words, and when in doubt says no: aggregates, LIMIT, ORDER
// BY, windows, set operations, sampling, volatile functions, the time of day and whatever it does
// not know. One thread.
class RowIndependence {
 public:
  // Functions are looked up there.
  explicit RowIndependence(engine::Connection& connection);

  // Empty, or what in the text stands against it: "count(…)", "LIMIT".
  std::string Obstacle(std::string_view query);

 private:
  struct Function {
    bool is_pure = false;
    std::string definition;  // of a macro; the functions in it are to be judged
  };
  bool MayBeCalled(const std::string& name);

  std::map<std::string, Function> functions_;
  std::map<std::string, bool> macros_;  // that were judged; false while one is looked at
};

}  // namespace braid::serve
